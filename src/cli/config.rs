//! `hallmark config`: the configuration in force, and where each value came from.
//!
//! Secrets are masked before they come here. Every key is listed, so this is also the list of keys.

use serde_json::{Map, Value, json};

use super::{CliError, Exit, Output};
use crate::config::{Config, Entry};

pub(super) fn run(config: &Config, out: &mut Output) -> Result<Exit, CliError> {
    out.record(&as_json(config.entries()), || as_text(config.entries()))?;
    Ok(Exit::Done)
}

fn as_json(entries: &[Entry]) -> Value {
    let keys: Map<_, _> = entries
        .iter()
        .map(|entry| {
            let value =
                json!({ "value": entry.value, "source": entry.source, "doc": entry.key.doc });
            (entry.name(), value)
        })
        .collect();
    Value::Object(keys)
}

/// Three columns: key, value, source.
fn as_text(entries: &[Entry]) -> String {
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name(), plain(&entry.value), entry.source.as_str()))
        .collect();
    let width = |text: &str| text.chars().count();
    let name_width = rows.iter().map(|(name, _, _)| width(name)).max().unwrap_or(0);
    // One long list should not push every source off the screen.
    let value_width = rows.iter().map(|(_, value, _)| width(value)).max().unwrap_or(0).min(44);
    rows.iter()
        .map(|(name, value, source)| format!("{name:name_width$}  {value:value_width$}  {source}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
