//! `bowerbird.toml`: every key with its meaning and its default; the environment overrides any of them.

mod bounds;
mod content;
mod env;
mod merge;
mod rules;
mod watched;

pub(crate) use content::ContentConfig;
pub(crate) use watched::{Looked, Watched};

use anyhow::{Context, Result, anyhow, bail};
use domain::Params;
use serde::{Deserialize, Serialize};
use server::{Keys, Limits};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Table;
use train::TrainConfig;

/// The commented file that `init` writes; it says the defaults.
pub(crate) const TEMPLATE: &str = include_str!("bowerbird.toml");
/// Its name in a data directory.
pub(crate) const FILE_NAME: &str = "bowerbird.toml";

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub data: DataConfig,
    pub server: ServerConfig,
    pub limits: Limits,
    pub lake: LakeConfig,
    pub content: ContentConfig,
    pub relevance: RelevanceConfig,
    pub train: TrainConfig,
    pub params: Params,
    pub keys: Vec<KeyConfig>,
}

/// Which engine keeps what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataConfig {
    pub events: String,
    pub state: String,
    pub blobs: String,
}

/// Where and how requests are answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerConfig {
    pub address: String,
    pub threads: usize,
    pub model_check_s: u64,
    pub snapshot_every_s: u64,
    pub snapshot_facts_min: u64,
}

/// The lake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LakeConfig {
    pub roll_every_s: u64,
    pub sql_rows_max: usize,
}

/// An OpenAI-compatible endpoint that labels how well pins answer queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RelevanceConfig {
    pub url: String,
    pub model: String,
    pub key_env: String,
    pub prompt: String,
    pub concurrency_max: usize,
    pub retries_max: usize,
    pub timeout_s: u64,
    pub tokens_max: u64,
    pub price_in: f32,
    pub price_out: f32,
    pub cost_max: f32,
}

/// A key of the API; only the hash of its secret is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyConfig {
    pub name: String,
    pub role: String,
    pub hash: String,
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig { events: "file://log".into(), state: "file://state".into(), blobs: "file://blobs".into() }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            address: "127.0.0.1:8080".into(),
            threads: 0,
            model_check_s: 5,
            snapshot_every_s: 300,
            snapshot_facts_min: 16_384,
        }
    }
}

impl Default for LakeConfig {
    fn default() -> Self {
        LakeConfig { roll_every_s: 60, sql_rows_max: 10_000 }
    }
}

impl Default for RelevanceConfig {
    fn default() -> Self {
        RelevanceConfig {
            url: String::new(),
            model: String::new(),
            key_env: "OPENAI_API_KEY".into(),
            prompt: String::new(),
            concurrency_max: 4,
            retries_max: 5,
            timeout_s: 60,
            tokens_max: 1_000_000,
            price_in: 0.0,
            price_out: 0.0,
            cost_max: 5.0,
        }
    }
}

impl ServerConfig {
    /// The address as numbers.
    pub(crate) fn socket(&self) -> Result<SocketAddr> {
        let parsed = self.address.parse();
        parsed.with_context(|| format!("server.address: '{}' is not like 127.0.0.1:8080", self.address))
    }
}

impl Config {
    /// The configuration of a data directory: the given file, else the one in the directory, else the one in this
    /// folder, else the defaults; then the environment.
    pub(crate) fn load(data: &Path, given: Option<&Path>) -> Result<Config> {
        let text = match file(data, given)? {
            Some(path) => {
                Some((std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?, path))
            }
            None => None,
        };
        let config = match &text {
            Some((text, path)) => Config::parse(text).with_context(|| format!("{}", path.display()))?,
            None => Config::default(),
        };
        // Variables that are not text are not ours.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let config = env::overridden(config, variables)?;
        config.check()?;
        Ok(config)
    }

    /// Reads the text of a file over the defaults; errors name the key and its line.
    pub(crate) fn parse(text: &str) -> Result<Config> {
        // By itself first: its errors know the lines.
        toml::from_str::<Config>(text)?;
        let mut table = Table::try_from(Config::default()).context("cannot write the configuration down")?;
        merge::merge(&mut table, text.parse()?);
        let config: Config = table.try_into()?;
        config.check().map_err(|error| {
            let words = format!("{error:#}");
            match words.split_once(": ").and_then(|(key, _)| merge::line_of(text, key)) {
                Some(line) => anyhow!("line {line}: {words}"),
                None => error,
            }
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        self.server.socket()?;
        self.keys()?;
        self.train.check().context("[train]")?;
        bounds::check(self)?;
        rules::check(&self.params)
    }

    /// The keys of the API.
    pub(crate) fn keys(&self) -> Result<Keys> {
        let lines: Vec<String> =
            self.keys.iter().map(|key| format!("{}:{}:{}", key.name, key.role, key.hash)).collect();
        Keys::parse(lines.iter().map(String::as_str)).context("[[keys]]")
    }
}

/// Why the funnel's parameters cannot be used, if they cannot.
pub(crate) fn check_params(params: &Params) -> Result<(), String> {
    let config = Config { params: params.clone(), ..Config::default() };
    config.check().map_err(|error| format!("{error:#}"))
}

/// The file that holds the configuration, if there is one.
pub(crate) fn file(data: &Path, given: Option<&Path>) -> Result<Option<PathBuf>> {
    if let Some(given) = given {
        if !given.is_file() {
            bail!("there is no configuration file {}", given.display());
        }
        return Ok(Some(given.to_owned()));
    }
    Ok([data.join(FILE_NAME), PathBuf::from(FILE_NAME)].into_iter().find(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn keys(table: &toml::Table, path: &str, into: &mut BTreeSet<String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                toml::Value::Table(inner) => keys(inner, &path, into),
                _ => drop(into.insert(path)),
            }
        }
    }

    /// The template with its commented keys in force.
    fn uncommented() -> String {
        let line = |line: &str| {
            let key = line.strip_prefix("# ").filter(|rest| {
                rest.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            });
            key.unwrap_or(line).to_owned()
        };
        TEMPLATE.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_says_the_defaults_and_every_key() {
        let written = |config: &Config| toml::Table::try_from(config).expect("plain values");
        let said = Config::parse(TEMPLATE).expect("the template is right");
        for (section, default) in &written(&Config::default()) {
            assert_eq!(&written(&said)[section], default, "[{section}]: the template says, the default is");
        }
        let all = Config::parse(&uncommented()).expect("commented keys exist");
        let (mut said, mut known) = (BTreeSet::new(), BTreeSet::new());
        keys(&uncommented().parse().expect("TOML"), "", &mut said);
        keys(&toml::Table::try_from(all).expect("plain values"), "", &mut known);
        known.remove("keys");
        known.remove("params.rules");
        assert_eq!(said, known);
    }

    #[test]
    fn what_a_section_leaves_out_keeps_its_default() {
        let text = "[params.home]\nhide_seen = false\n[params.generators.fresh]\ndeadline_ms = 9\n\
                    [params.diversity.near_duplicate]\ncost = 2.0\n";
        let (config, usual) = (Config::parse(text).expect("sections"), Config::default());
        let home = domain::SurfaceParams { hide_seen: false, ..usual.params.home.clone() };
        assert_eq!(config.params.home, home);
        assert_eq!(config.params.generators.fresh.quota_max, usual.params.generators.fresh.quota_max);
        assert_eq!(config.params.diversity.near_duplicate.window, usual.params.diversity.near_duplicate.window);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = format!("{:#}", Config::parse("[server]\nadress = \"x\"\n").expect_err("a typing mistake"));
        assert!(error.contains("adress") && error.contains("line 2"), "{error}");
        let error = format!("{:#}", Config::parse("[server]\naddress = \"home\"\n").expect_err("no address"));
        assert!(error.contains("server.address: 'home'"), "{error}");
    }

    #[test]
    fn the_environment_overrides() {
        let with = |name: &str, value: &str| {
            let variables = [(name.to_owned(), value.to_owned())].into_iter();
            env::overridden(Config::default(), variables).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(with("BOWERBIRD_SERVER__ADDRESS", "0.0.0.0:80").expect("set").server.address, "0.0.0.0:80");
        assert_eq!(with("BOWERBIRD_PARAMS__WALK__STEPS_MAX", "7").expect("set").params.walk.steps_max, 7);
        assert_eq!(
            with("BOWERBIRD_PARAMS__HOME__WEIGHTS", "[1,2,3,4,5,6,7,8]").expect("set").params.home.weights[5],
            6.0
        );
        assert!(!with("BOWERBIRD_PARAMS__GENERATORS__FRESH__ON", "false").expect("set").params.generators.fresh.on);
        assert_eq!(with("BOWERBIRD_TRAIN__EPOCHS", "3").expect("set").train.epochs, Some(3));
        assert_eq!(with("BOWERBIRD_LOG", "debug").expect("not ours"), Config::default());
        let error = with("BOWERBIRD_SERVER__ADRESS", "x").expect_err("no such key");
        assert!(error.contains("BOWERBIRD_SERVER__ADRESS") && error.contains("unknown field `adress`"), "{error}");
        let error = with("BOWERBIRD_PARAMS__SLATE_MAX", "many").expect_err("no number");
        assert!(error.contains("expects a whole number"), "{error}");
    }
}
