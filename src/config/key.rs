//! The keys: name, kind, default and meaning of each, once.
//!
//! The file, the environment, the flags, `hallmark config` and the README's table all follow from this list. A default is a text, read
//! by the same code as a user's; a key without one gets its value from the chain's preset or must be given.

/// What form a key's value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Text,
    /// A whole number between two bounds, both included.
    Number {
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// Several texts: a list in the file, separated by commas in a variable.
    List,
}

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file. The variable is `HALLMARK_` and the name in capitals; the flag, where there is one, has hyphens.
    pub name: &'static str,
    /// The form of its value.
    pub kind: Kind,
    /// The value when nothing else gives one.
    pub default: Option<&'static str>,
    /// What it decides, in a sentence without a full stop.
    pub doc: &'static str,
    /// Whether its values may hold a key or a password, so that no error repeats them.
    pub secret: bool,
}

impl Key {
    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// Its flag.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }
}

/// What every variable of ours starts with.
pub(super) const VARIABLE_PREFIX: &str = "HALLMARK_";

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default: Some(default), doc, secret: false }
}

const fn preset_key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, default: None, doc, secret: false }
}

const fn number(min: u64, max: u64) -> Kind {
    Kind::Number { min, max }
}

/// The largest number that the file format and both engines can hold.
const NUMBER_MAX: u64 = i64::MAX as u64;

pub(super) const CHAIN: Key =
    key("chain", Kind::Text, "base", "preset to follow, or `custom` for a registry of your own");
pub(super) const CHAIN_ID: Key =
    preset_key("chain_id", number(1, NUMBER_MAX), "EIP-155 number that the node must report");
pub(super) const RPC_URL: Key = Key {
    secret: true,
    ..preset_key(
        "rpc_url",
        Kind::List,
        "JSON-RPC endpoints (http, https, ws, wss), the preferred first; `check:URL` only compares, `follow:URL` only follows",
    )
};
pub(super) const DATABASE_URL: Key = Key {
    secret: true,
    ..key(
        "database_url",
        Kind::Text,
        "sqlite://hallmark-data/hallmark.db",
        "database: `sqlite://PATH` or `postgres://…`",
    )
};
pub(super) const LISTEN: Key =
    key("listen", Kind::Text, "127.0.0.1:8004", "address and port of the HTTP service");
pub(super) const HOST: Key = key(
    "host",
    Kind::Text,
    "auto",
    "DNS name, and port if it is not 443, in the DIDs of this service; `auto` is localhost and the port of `listen`",
);
pub(super) const OWNER_IN_DOCUMENTS: Key = key(
    "owner_in_documents",
    Kind::Text,
    "no",
    "whether an agent's DID document also names its owner: `yes` or `no`",
);
pub(super) const FOREIGN_DIDS: Key = key(
    "foreign_dids",
    Kind::Text,
    "yes",
    "whether documents of did:web identifiers of other hosts are fetched: `yes` or `no`",
);
pub(super) const PRIVATE_HOSTS: Key = key(
    "private_hosts",
    Kind::List,
    "",
    "DNS names that may be fetched from although their addresses are private",
);
pub(super) const REGISTRATION_FILES: Key = key(
    "registration_files",
    Kind::Text,
    "yes",
    "whether whoever follows fetches agents' registration files, and what those name: `yes` or `no`",
);
pub(super) const FILES_MAX_MIB: Key = key(
    "files_max_mib",
    number(1, 1_048_576),
    "4096",
    "most MiB of fetched files and documents that are kept; what would go beyond is not kept",
);
pub(super) const IPFS_GATEWAYS: Key = key(
    "ipfs_gateways",
    Kind::List,
    "https://trustless-gateway.link,https://ipfs.io",
    "IPFS gateways (https URLs) for registration files, the preferred first",
);
pub(super) const OPERATOR_TOKEN: Key = Key {
    secret: true,
    ..key(
        "operator_token",
        Kind::Text,
        "none",
        "token with which characters and invitations are made, at least 16 characters; `none` for nobody",
    )
};
pub(super) const TLS_CERTIFICATES: Key = key(
    "tls_certificates",
    Kind::List,
    "",
    "PEM files of authorities to trust beside this machine's, for nodes, hosts of did:web and hosts of registration files",
);
pub(super) const START_BLOCK: Key =
    preset_key("start_block", number(0, NUMBER_MAX), "first block to read");
pub(super) const IDENTITY_REGISTRY: Key =
    preset_key("identity_registry", Kind::Text, "address of the identity registry (the proxy)");
pub(super) const REPUTATION_REGISTRY: Key =
    key("reputation_registry", Kind::Text, "none", "address of the reputation registry, or `none`");
pub(super) const VALIDATION_REGISTRY: Key =
    key("validation_registry", Kind::Text, "none", "address of the validation registry, or `none`");
pub(super) const KNOWN_IMPLEMENTATIONS: Key = key(
    "known_implementations",
    Kind::List,
    "",
    "implementations to trust beside those the program knows",
);
pub(super) const EAS_CONTRACTS: Key = key(
    "eas_contracts",
    Kind::List,
    "",
    "contracts of the Ethereum Attestation Service (`eip155:…`) whose off-chain attestations are taken in; of the preset where its chain comes with one",
);
pub(super) const POLL_INTERVAL_MS: Key = key(
    "poll_interval_ms",
    number(10, 600_000),
    "1000",
    "pause before asking for a new head, in milliseconds",
);
pub(super) const RANGE_MAX: Key =
    key("range_max", number(1, 1_000_000), "10000", "most blocks in one request for logs");
pub(super) const RANGE_CONCURRENCY: Key =
    key("range_concurrency", number(1, 64), "4", "most requests for logs at a time");
pub(super) const RPC_TIMEOUT_S: Key =
    key("rpc_timeout_s", number(1, 600), "20", "time for one JSON-RPC request, in seconds");
pub(super) const TOPICS: Key = key(
    "topics",
    Kind::Text,
    "all",
    "logs to ask for: `all` of the registries, or only those of `known` events",
);
pub(super) const KEY_FILE: Key = key(
    "key_file",
    Kind::Text,
    "hallmark-data/keys.json",
    "file of the service's signing keys, which its owner alone may read",
);
pub(super) const KEY_PASSPHRASE: Key = Key {
    secret: true,
    ..key(
        "key_passphrase",
        Kind::Text,
        "none",
        "passphrase under which private keys are sealed in that file, or `none`",
    )
};
pub(super) const SIGNING_KEY: Key = Key {
    secret: true,
    ..key(
        "signing_key",
        Kind::Text,
        "none",
        "private key that signs, as a secret Multikey, where it is not to stand in that file; or `none`",
    )
};
pub(super) const LAG_LIMIT_S: Key = key(
    "lag_limit_s",
    number(1, 86_400),
    "60",
    "age of the last block, in seconds, above which the service is not ready",
);
pub(super) const REQUEST_TIMEOUT_S: Key =
    key("request_timeout_s", number(1, 600), "10", "time for one HTTP request, in seconds");
pub(super) const REQUEST_BODY_MAX: Key =
    key("request_body_max", number(1_024, 67_108_864), "262144", "largest request body, in bytes");
pub(super) const RATE_LIMIT_PER_S: Key = key(
    "rate_limit_per_s",
    number(0, 1_000_000),
    "50",
    "requests a second for one client address; 0 is no limit",
);
pub(super) const RATE_LIMIT_BURST: Key = key(
    "rate_limit_burst",
    number(1, 1_000_000),
    "200",
    "requests at once for one client address after a pause",
);
pub(super) const LOG: Key =
    key("log", Kind::Text, "info", "log filter, such as `info` or `warn,hallmark=debug`");
pub(super) const LOG_FORMAT: Key = key("log_format", Kind::Text, "text", "`text` or `json`");

/// The tables of origins, `[origin.NAME]`: a key that has no value of its own.
pub(super) const ORIGIN: Key =
    preset_key("origin", Kind::Text, "a table for each origin of records, `[origin.NAME]`");

pub(super) const ORIGIN_TOKEN: Key = Key {
    secret: true,
    ..key(
        "token",
        Kind::Text,
        "none",
        "token with which the origin posts records, at least 16 characters; `none` for no posting",
    )
};
pub(super) const ORIGIN_SIGNERS: Key = key(
    "keys",
    Kind::List,
    "",
    "keys (DID URLs) and accounts (`eip155:…`) whose signature is the origin's own word",
);
pub(super) const ORIGIN_PLUGINS: Key =
    key("plugins", Kind::List, "", "plugins that are registered with the origin, by their ids");
pub(super) const ORIGIN_RELAY_URL: Key = key(
    "relay_url",
    Kind::Text,
    "none",
    "where the origin's relay is read: an https URL, or http to one of `private_hosts`",
);
pub(super) const ORIGIN_GAMES: Key =
    key("games", Kind::List, "", "games whose relay is followed, by their ids");
pub(super) const ORIGIN_CHAIN: Key =
    key("chain", Kind::Text, "none", "chain of bare addresses in its records, such as `eip155:10`");
pub(super) const ORIGIN_NOTE_MAX: Key =
    key("note_max", number(0, 100_000), "200", "most characters in a note by an agent");
pub(super) const ORIGIN_PER_ROUND_MAX: Key = key(
    "per_round_max",
    number(0, 1_000_000),
    "3",
    "most records by an agent of one subject in one round",
);

/// The keys of an origin's table, in the order in which they are listed.
pub const ORIGIN_KEYS: &[Key] = &[
    ORIGIN_TOKEN,
    ORIGIN_SIGNERS,
    ORIGIN_PLUGINS,
    ORIGIN_RELAY_URL,
    ORIGIN_GAMES,
    ORIGIN_CHAIN,
    ORIGIN_NOTE_MAX,
    ORIGIN_PER_ROUND_MAX,
];

/// Every key, in the order in which they are listed.
pub const KEYS: &[Key] = &[
    CHAIN,
    CHAIN_ID,
    RPC_URL,
    DATABASE_URL,
    LISTEN,
    HOST,
    OWNER_IN_DOCUMENTS,
    FOREIGN_DIDS,
    PRIVATE_HOSTS,
    REGISTRATION_FILES,
    FILES_MAX_MIB,
    IPFS_GATEWAYS,
    OPERATOR_TOKEN,
    TLS_CERTIFICATES,
    START_BLOCK,
    IDENTITY_REGISTRY,
    REPUTATION_REGISTRY,
    VALIDATION_REGISTRY,
    KNOWN_IMPLEMENTATIONS,
    EAS_CONTRACTS,
    POLL_INTERVAL_MS,
    RANGE_MAX,
    RANGE_CONCURRENCY,
    RPC_TIMEOUT_S,
    TOPICS,
    KEY_FILE,
    KEY_PASSPHRASE,
    SIGNING_KEY,
    LAG_LIMIT_S,
    REQUEST_TIMEOUT_S,
    REQUEST_BODY_MAX,
    RATE_LIMIT_PER_S,
    RATE_LIMIT_BURST,
    LOG,
    LOG_FORMAT,
];
