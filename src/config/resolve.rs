//! From layers to values: which preset applies, what is missing, and which layer has the last word on each key.
//!
//! A preset describes the canonical registries. Once `identity_registry` names another contract, the preset's other registries and
//! its start block say nothing about that one, so only its chain id and endpoint remain.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use serde_json::Value as Json;

use super::error::{ConfigError, nearest};
use super::key::{self, KEYS, Key, Kind};
use super::layer::{Layer, Raw, Source};
use super::value::{Setting, found};
use crate::registry::Deployment;
use crate::registry::deployments::DEPLOYMENTS;
use crate::vocab::{ChainId, shorten};

/// The word that asks for no preset.
const CUSTOM: &str = "custom";

/// A key with the value in force and where it came from.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The table that it stands in: `origin.NAME`; `None` for the others.
    pub table: Option<String>,
    /// Its value; secrets are masked.
    pub value: Json,
    /// The layer, as a user would name it: `default`, `preset base`, a path, a variable or a flag.
    pub source: String,
}

impl Entry {
    /// The key's name, with that of its table before it.
    pub fn name(&self) -> String {
        let plain = || self.key.name.to_owned();
        self.table.as_ref().map_or_else(plain, |table| format!("{table}.{}", self.key.name))
    }
}

/// The layers, lowest first, and what was taken from them so far.
pub(super) struct Resolver {
    layers: Vec<Layer>,
    /// The table that all keys stand in, if they do.
    table: Option<String>,
    entries: Vec<Entry>,
}

/// Which preset applies, and what is to be said where it leaves something open.
struct Choice {
    preset: Option<&'static Deployment>,
    place: String,
    why_incomplete: String,
}

impl Resolver {
    /// The layers with preset and defaults under them, and the name of the chain.
    pub(super) fn new(layers: Vec<Layer>) -> Result<(Self, String), ConfigError> {
        let mut resolver = Self { layers, table: None, entries: Vec::new() };
        let mut choice = resolver.choose()?;
        let own_registry = match (choice.preset, resolver.peek::<Address>(key::IDENTITY_REGISTRY)?)
        {
            (Some(preset), Some((address, source))) if address != preset.identity => {
                let place = source.place(&key::IDENTITY_REGISTRY);
                choice.why_incomplete = format!(
                    "`identity_registry` from {place} is not the registry of the preset `{}`",
                    preset.name
                );
                true
            }
            _ => false,
        };
        if let Some(preset) = choice.preset {
            resolver.layers.insert(0, preset_layer(preset, own_registry));
        }
        resolver.layers.insert(0, default_layer(KEYS));
        resolver.check_complete(choice.why_incomplete)?;
        let chain = choice.preset.map_or(CUSTOM, |preset| preset.name).to_owned();
        let value = Json::String(chain.clone());
        let (key, source) = (key::CHAIN, choice.place);
        resolver.entries.push(Entry { key, table: None, value, source });
        Ok((resolver, chain))
    }

    /// The value in force of a key. Its values in lower layers are checked too.
    pub(super) fn take<T: Setting>(&mut self, key: Key) -> Result<T, ConfigError> {
        let Some((value, source)) = self.peek::<T>(key)? else {
            let why = format!("`{}` has no default", key.name);
            return Err(ConfigError::Incomplete { why, missing: vec![key.name] });
        };
        let source = source.place(&key);
        let table = self.table.clone();
        self.entries.push(Entry { key, table, value: value.shown(), source });
        Ok(value)
    }

    /// What was taken, in the order of `keys`.
    pub(super) fn into_entries(mut self, keys: &[Key]) -> Vec<Entry> {
        self.entries.sort_by_key(|entry| keys.iter().position(|key| key.name == entry.key.name));
        self.entries
    }

    /// The tables of origins, by name, each with the source of its file.
    pub(super) fn origins(&self) -> Vec<(String, Layer)> {
        let tables = self.layers.iter().flat_map(|layer| {
            let of_layer =
                |values: &BTreeMap<_, _>| Layer::new(layer.source.clone(), values.clone());
            layer.origins.iter().map(move |(name, values)| (name.clone(), of_layer(values)))
        });
        tables.collect()
    }

    /// Values of one table, over the defaults of its keys.
    pub(super) fn of_table(name: String, values: Layer, keys: &[Key]) -> Self {
        Self { layers: vec![default_layer(keys), values], table: Some(name), entries: Vec::new() }
    }

    fn invalid(&self, key: &Key, source: &Source, problem: String) -> ConfigError {
        let error = ConfigError::invalid(key, source, problem);
        self.table.iter().fold(error, |error, table| error.within(table))
    }

    fn peek<T: Setting>(&self, key: Key) -> Result<Option<(T, &Source)>, ConfigError> {
        let mut last = None;
        for layer in &self.layers {
            if let Some(raw) = layer.values.get(key.name) {
                let value = check_bounds(key.kind, raw)
                    .and_then(|()| T::read(raw))
                    .map_err(|problem| self.invalid(&key, &layer.source, problem))?;
                last = Some((value, &layer.source));
            }
        }
        Ok(last)
    }

    /// The preset that `chain` names; where nobody names one, that of `chain_id`; else the first.
    fn choose(&self) -> Result<Choice, ConfigError> {
        let chain_id = self.peek::<u64>(key::CHAIN_ID)?;
        let Some((name, source)) = self.peek::<String>(key::CHAIN)? else {
            return Ok(choose_by_id(chain_id));
        };
        let place = source.place(&key::CHAIN);
        if name == CUSTOM {
            let why_incomplete = format!("`chain` from {place} is `{CUSTOM}`");
            return Ok(Choice { preset: None, place, why_incomplete });
        }
        let Some(preset) = Deployment::by_name(&name) else {
            let all: Vec<_> = preset_names().map(|name| format!("`{name}`")).collect();
            let meant = nearest(&name, preset_names())
                .map_or_else(String::new, |name| format!("did you mean `{name}`? "));
            let problem = format!(
                "there is no preset `{}`; {meant}there are {}",
                shorten(&name),
                all.join(", ")
            );
            return Err(ConfigError::invalid(&key::CHAIN, source, problem));
        };
        if let Some((number, source)) = chain_id.filter(|(number, _)| *number != preset.chain.0) {
            return Err(ConfigError::OtherChain {
                from: source.place(&key::CHAIN_ID),
                chain_id: ChainId(number),
                preset: preset.name,
                expected: preset.chain,
            });
        }
        let why_incomplete = format!("the preset `{}` does not give every value", preset.name);
        Ok(Choice { preset: Some(preset), place, why_incomplete })
    }

    /// A registry without a preset, or of a preset without an endpoint, must be described in full.
    fn check_complete(&self, why: String) -> Result<(), ConfigError> {
        let needed = [key::CHAIN_ID, key::IDENTITY_REGISTRY, key::START_BLOCK, key::RPC_URL];
        let is_set =
            |key: &Key| self.layers.iter().any(|layer| layer.values.contains_key(key.name));
        let missing: Vec<_> =
            needed.iter().filter(|key| !is_set(key)).map(|key| key.name).collect();
        if missing.is_empty() { Ok(()) } else { Err(ConfigError::Incomplete { why, missing }) }
    }
}

fn choose_by_id(chain_id: Option<(u64, &Source)>) -> Choice {
    let Some((number, source)) = chain_id else {
        return Choice {
            preset: key::CHAIN.default.and_then(Deployment::by_name),
            place: Source::Default.place(&key::CHAIN),
            why_incomplete: "the default preset does not give every value".to_owned(),
        };
    };
    let place = source.place(&key::CHAIN_ID);
    Choice {
        preset: DEPLOYMENTS.iter().find(|preset| preset.chain.0 == number),
        why_incomplete: format!(
            "the chain {} from {place} has no complete preset",
            ChainId(number)
        ),
        place,
    }
}

/// What `chain` can be.
fn preset_names() -> impl Iterator<Item = &'static str> {
    DEPLOYMENTS.iter().map(|preset| preset.name).chain([CUSTOM])
}

fn check_bounds(kind: Kind, raw: &Raw) -> Result<(), String> {
    let Kind::Number { min, max } = kind else {
        return Ok(());
    };
    let fits = match raw {
        Raw::Integer(number) => u64::try_from(*number).is_ok_and(|n| min <= n && n <= max),
        Raw::Text(_) | Raw::List(_) | Raw::Other(_) => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("expected a whole number from {min} to {max}, found {}", found(raw)))
    }
}

fn default_layer(keys: &[Key]) -> Layer {
    let values = keys
        .iter()
        .filter_map(|key| key.default.map(|text| (key.name, Raw::from_text(key.kind, text))))
        .collect();
    Layer::new(Source::Default, values)
}

fn preset_layer(preset: &'static Deployment, own_registry: bool) -> Layer {
    let mut values = BTreeMap::new();
    let mut set = |key: Key, text: Option<String>| {
        if let Some(text) = text {
            values.insert(key.name, Raw::from_text(key.kind, &text));
        }
    };
    set(key::CHAIN_ID, Some(preset.chain.0.to_string()));
    set(key::RPC_URL, preset.rpc_url.map(str::to_owned));
    set(key::EAS_CONTRACTS, preset.eas().map(|contract| contract.to_string()));
    if !own_registry {
        set(key::IDENTITY_REGISTRY, Some(preset.identity.to_string()));
        set(key::REPUTATION_REGISTRY, Some(preset.reputation.to_string()));
        set(key::VALIDATION_REGISTRY, Some(preset.validation.to_string()));
        set(key::START_BLOCK, Some(preset.start_block.to_string()));
    }
    Layer::new(Source::Preset(preset.name), values)
}
