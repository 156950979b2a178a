//! The layers as they were written: the file, the environment and the flags, each key still a raw value.
//!
//! Names are checked here, values in [`value`](super::value). Variables that start with `HALLMARK_TEST_` belong to the tests and are
//! passed over, and so is an empty variable: it is how a compose file says "not set".

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::key::{KEYS, Key, Kind, ORIGIN, ORIGIN_KEYS, VARIABLE_PREFIX};
use super::{Flags, key};
use crate::vocab::shorten;

const FILE_BYTES_MAX: u64 = 1 << 20;
const FILE_VARIABLE: &str = "HALLMARK_CONFIG";
const TEST_PREFIX: &str = "HALLMARK_TEST_";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Default,
    Preset(&'static str),
    File(PathBuf),
    Environment,
    Flag,
}

impl Source {
    /// The words for it in listings and errors.
    pub(super) fn place(&self, key: &Key) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Preset(name) => format!("preset {name}"),
            Self::File(path) => path.display().to_string(),
            Self::Environment => key.variable(),
            Self::Flag => key.flag(),
        }
    }
}

/// A value as its layer holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    List(Vec<String>),
    /// Something no key can be, by its name.
    Other(&'static str),
}

impl Raw {
    /// A value from plain text, as a variable, a flag or a default has it.
    pub(super) fn from_text(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Number { .. } => crate::vocab::canonical_u64(text)
                .and_then(|number| i64::try_from(number).ok())
                .map_or_else(|| Self::Text(text.to_owned()), Self::Integer),
            Kind::List => Self::List(
                text.split(',')
                    .map(|item| item.trim().to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            ),
        }
    }

    fn from_toml(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Integer(number) => Self::Integer(number),
            toml::Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    toml::Value::String(text) => Some(text),
                    _ => None,
                })
                .collect::<Option<_>>()
                .map_or(Self::Other("a list of other things than texts"), Self::List),
            toml::Value::Float(_) => Self::Other("a number with a fraction"),
            toml::Value::Boolean(_) => Self::Other("a boolean"),
            toml::Value::Datetime(_) => Self::Other("a time"),
            toml::Value::Table(_) => Self::Other("a table"),
        }
    }
}

/// Raw values by key name.
type Values = BTreeMap<&'static str, Raw>;

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) values: Values,
    /// The table of each origin, by the origin's name; only a file has any.
    pub(super) origins: BTreeMap<String, Values>,
}

impl Layer {
    /// A layer of keys outside the tables.
    pub(super) const fn new(source: Source, values: Values) -> Self {
        Self { source, values, origins: BTreeMap::new() }
    }
}

/// The file, the environment and the flags, lowest first.
pub(super) fn read(
    default_file: &Path,
    flags: &Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Layer>, ConfigError> {
    let (environment, named_file) = environment_layer(environment)?;
    let file = match (&flags.config, &named_file) {
        (Some(path), _) => Some(required_file(path, "--config")?),
        (None, Some(path)) => Some(required_file(path, FILE_VARIABLE)?),
        (None, None) => {
            read_file(default_file)?.map(|text| file_layer(default_file, &text)).transpose()?
        }
    };
    Ok(file.into_iter().chain([environment, flag_layer(flags)]).collect())
}

fn required_file(path: &Path, named_by: &'static str) -> Result<Layer, ConfigError> {
    let text =
        read_file(path)?.ok_or_else(|| ConfigError::NoFile { path: path.to_owned(), named_by })?;
    file_layer(path, &text)
}

/// The text of a file; `None` where there is no such file.
fn read_file(path: &Path) -> Result<Option<String>, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_BYTES_MAX) {
        return Err(failed(std::io::Error::other("it is larger than a mebibyte")));
    }
    Ok(Some(text))
}

fn file_layer(path: &Path, text: &str) -> Result<Layer, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        ConfigError::Syntax {
            path: path.to_owned(),
            line: text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1,
            problem: error.message().to_owned(),
        }
    })?;
    let source = Source::File(path.to_owned());
    let place = format!("`{}`", path.display());
    let (mut values, mut origins) = (Values::new(), BTreeMap::new());
    for (name, value) in table {
        if name == ORIGIN.name {
            origins = origin_tables(&source, value)?;
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            let known = KEYS.iter().map(|key| key.name).chain([ORIGIN.name]);
            return Err(ConfigError::unknown(&name, place, known));
        };
        values.insert(key.name, Raw::from_toml(value));
    }
    Ok(Layer { origins, ..Layer::new(source, values) })
}

/// The tables `[origin.NAME]`.
fn origin_tables(
    source: &Source,
    value: toml::Value,
) -> Result<BTreeMap<String, Values>, ConfigError> {
    let no_table = || {
        let problem = "expected a table for each origin, such as `[origin.coordination-games]`";
        ConfigError::invalid(&ORIGIN, source, problem.to_owned())
    };
    let toml::Value::Table(tables) = value else { return Err(no_table()) };
    let mut origins = BTreeMap::new();
    for (origin, table) in tables {
        let toml::Value::Table(table) = table else { return Err(no_table()) };
        let mut values = Values::new();
        for (name, value) in table {
            let Some(key) = ORIGIN_KEYS.iter().find(|key| key.name == name) else {
                let table =
                    format!("`[origin.{}]` of `{}`", shorten(&origin), source.place(&ORIGIN));
                let known = ORIGIN_KEYS.iter().map(|key| key.name);
                return Err(ConfigError::unknown(&name, table, known));
            };
            values.insert(key.name, Raw::from_toml(value));
        }
        origins.insert(origin, values);
    }
    Ok(origins)
}

/// The layer, and the file that a variable names.
fn environment_layer(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Layer, Option<PathBuf>), ConfigError> {
    let mut values = BTreeMap::new();
    let mut file = None;
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
            continue;
        };
        if name.starts_with(TEST_PREFIX) || value.is_empty() {
            continue;
        }
        if name == FILE_VARIABLE {
            file = Some(PathBuf::from(value));
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            let known: Vec<_> = KEYS.iter().map(Key::variable).collect();
            let known = known.iter().map(String::as_str).chain([FILE_VARIABLE]);
            return Err(ConfigError::unknown(name, "the environment".to_owned(), known));
        };
        let Some(text) = value.to_str() else {
            let problem = "the value is not UTF-8".to_owned();
            return Err(ConfigError::invalid(key, &Source::Environment, problem));
        };
        values.insert(key.name, Raw::from_text(key.kind, text.trim()));
    }
    Ok((Layer::new(Source::Environment, values), file))
}

fn flag_layer(flags: &Flags) -> Layer {
    let mut values = BTreeMap::new();
    let single = [
        (key::CHAIN, &flags.chain),
        (key::DATABASE_URL, &flags.database_url),
        (key::LISTEN, &flags.listen),
        (key::START_BLOCK, &flags.start_block),
    ];
    for (key, value) in single {
        if let Some(text) = value {
            values.insert(key.name, Raw::from_text(key.kind, text));
        }
    }
    if !flags.rpc_url.is_empty() {
        values.insert(key::RPC_URL.name, Raw::List(flags.rpc_url.clone()));
    }
    Layer::new(Source::Flag, values)
}
