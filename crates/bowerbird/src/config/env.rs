//! `BOWERBIRD_SERVER__ADDRESS=0.0.0.0:80` sets `address` in `[server]`; two underscores step into a section.

use super::Config;
use anyhow::{Context, Result, bail};
use toml::{Table, Value};

const PREFIX: &str = "BOWERBIRD_";

/// The configuration with every value set that `variables` name.
pub(crate) fn overridden(config: Config, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
    let mut table = Table::try_from(&config).context("cannot write the configuration down")?;
    let mut set = Vec::new();
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains("__")) else { continue };
        let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        put(&mut table, &path, &text).with_context(|| format!("environment variable {name}"))?;
        set.push(name);
    }
    if set.is_empty() {
        return Ok(config);
    }
    table.try_into().with_context(|| format!("environment variable {}", set.join(" or ")))
}

fn put(table: &mut Table, path: &[String], text: &str) -> Result<()> {
    let (first, rest) = path.split_first().context("names no key")?;
    match table.get_mut(first) {
        Some(Value::Table(inner)) if !rest.is_empty() => put(inner, rest, text),
        Some(_) if !rest.is_empty() => bail!("`{first}` is a value, not a section"),
        Some(slot) => {
            *slot = typed(slot, text)?;
            Ok(())
        }
        // A key that has no value yet; one that does not exist is refused when the whole is read.
        None if rest.is_empty() => {
            table.insert(first.clone(), parsed(text).unwrap_or_else(|| Value::String(text.to_owned())));
            Ok(())
        }
        None => bail!("there is no section `{first}`"),
    }
}

/// `text` as a value of the type that the key has now.
fn typed(now: &Value, text: &str) -> Result<Value> {
    let value = match now {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Integer(_) => Value::Integer(text.parse().context("expects a whole number")?),
        Value::Float(_) => Value::Float(text.parse().context("expects a number")?),
        Value::Boolean(_) => Value::Boolean(text.parse().context("expects true or false")?),
        Value::Array(_) => parsed(text).filter(Value::is_array).context("expects a list like [1, 2]")?,
        Value::Table(_) => bail!("is a section, not a value"),
        Value::Datetime(_) => bail!("cannot be set from the environment"),
    };
    Ok(value)
}

fn parsed(text: &str) -> Option<Value> {
    let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
    table.get("value").cloned()
}
