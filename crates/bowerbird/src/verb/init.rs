//! `bowerbird init`: a data directory with its manual, and keys.

use crate::config::{self, FILE_NAME, TEMPLATE};
use anyhow::{Context, Result, bail};
use server::{Key, Role};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a data directory with a commented bowerbird.toml, or a key for the API.
///
/// The file names every key of the configuration with its meaning and its default; change what you need. Nothing that
/// is there already is overwritten.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Make a key: its secret is printed once, bowerbird.toml keeps only the hash. Roles: read, write, admin.
    #[arg(long, value_name = "NAME:ROLE")]
    key: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, data: &Path, given: Option<&Path>) -> Result<()> {
    let path = given.map_or_else(|| data.join(FILE_NAME), Path::to_owned);
    let made = write_template(&path)?;
    match (&args.key, made) {
        (Some(key), _) => add_key(key, &path),
        (None, true) => {
            println!("wrote {}", path.display());
            println!("next: bowerbird import …, or bowerbird demo for a small world to look at");
            Ok(())
        }
        (None, false) => bail!("{} is there already; it was left as it is", path.display()),
    }
}

/// Writes the commented file unless there is one; tells whether it did.
fn write_template(path: &Path) -> Result<bool> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Makes a key, adds its hash to the configuration and prints its secret.
fn add_key(spec: &str, path: &PathBuf) -> Result<()> {
    let Some((name, role)) = spec.rsplit_once(':') else { bail!("--key: '{spec}' is not NAME:ROLE") };
    let roles = [Role::Read, Role::Write, Role::Admin];
    let known = roles.into_iter().find(|known| known.as_str() == role);
    let Some(role) = known else { bail!("--key: unknown role '{role}' (known: read write admin)") };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config = config::Config::parse(&text).with_context(|| format!("{}", path.display()))?;
    if config.keys.iter().any(|key| key.name == name) {
        bail!("there is a key named '{name}' already; remove its [[keys]] from {} first", path.display());
    }
    let (secret, key) = Key::generate(name, role)?;
    let line = key.to_string();
    let hash = line.rsplit(':').next().unwrap_or_default();
    let quoted = toml::Value::String(name.to_owned());
    let entry = format!("\n[[keys]]\nname = {quoted}\nrole = \"{role}\"\nhash = \"{hash}\"\n");
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(entry.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("the key is in {} by its hash; this is its secret, shown only now:", path.display());
    println!("{secret}");
    Ok(())
}
