//! The configuration's rules: layers, refusals, suggestions, secrets.

use std::fs;

use super::*;

fn pairs(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    list.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn load(file: &str, environment: &[(&str, &str)], flags: &Flags) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hallmark.toml");
    fs::write(&path, file).unwrap();
    Config::load_beside(&path, flags, pairs(environment))
}

fn from_file(file: &str) -> Result<Config, ConfigError> {
    load(file, &[], &Flags::default())
}

fn source(config: &Config, name: &str) -> String {
    config.entries().iter().find(|entry| entry.key.name == name).unwrap().source.clone()
}

/// The message and the hint, as one text.
fn refusal(result: Result<Config, ConfigError>) -> String {
    let error = result.expect_err("should be refused");
    format!("{error}; {}", error.hint().unwrap_or_default())
}

#[test]
fn nothing_said_is_base_with_its_canonical_registries() {
    let config =
        Config::load_beside(Path::new("no/such/file.toml"), &Flags::default(), []).unwrap();
    assert_eq!(config.chain, "base");
    assert_eq!(config.chain_id, ChainId(8453));
    assert_eq!(config.start_block, 41_663_783);
    assert_eq!(config.identity_registry.to_string(), "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432");
    assert_eq!(config.database_url.expose(), "sqlite://hallmark-data/hallmark.db");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8004");
    assert_eq!(source(&config, "start_block"), "preset base");
    assert_eq!(source(&config, "listen"), "default");
}

#[test]
fn the_host_of_dids_follows_the_port_until_it_is_named() {
    let host = |file: &str| from_file(file).unwrap().host.to_string();
    assert_eq!(host(""), "localhost%3A8004");
    assert_eq!(host("listen = \"0.0.0.0:9\""), "localhost%3A9");
    assert_eq!(host("host = \"Example.org\""), "example.org");
    assert_eq!(host("host = \"example.org:8443\""), "example.org%3A8443");
    for wrong in ["127.0.0.1:8004", "https://example.org", "example.org/x", "ex ample", "[::1]", ""]
    {
        let text = refusal(from_file(&format!("host = \"{wrong}\"")));
        assert!(text.contains("`host` from") && text.contains("DNS name"), "{text}");
    }
    assert!(from_file("owner_in_documents = \"yes\"").unwrap().owner_in_documents);
    assert!(refusal(from_file("owner_in_documents = \"on\"")).contains("`yes` or `no`"));
}

#[test]
fn every_key_is_listed_once_in_order_with_its_default_readable() {
    let config = from_file("").unwrap();
    let listed: Vec<_> = config.entries().iter().map(|entry| entry.key.name).collect();
    let known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(listed, known);
}

#[test]
fn each_layer_hides_the_one_below() {
    let file = "listen = \"127.0.0.1:1\"\nrange_max = 5\nstart_block = 7";
    let environment = [("HALLMARK_LISTEN", "127.0.0.1:2"), ("HALLMARK_START_BLOCK", "8")];
    let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
    let config = load(file, &environment, &flags).unwrap();
    assert_eq!((config.listen.port(), source(&config, "listen")), (3, "--listen".into()));
    assert_eq!(config.start_block, 8);
    assert_eq!(source(&config, "start_block"), "HALLMARK_START_BLOCK");
    assert_eq!(config.range_max.get(), 5);
    assert!(source(&config, "range_max").ends_with("hallmark.toml"));
}

#[test]
fn a_wrong_value_is_refused_also_where_a_higher_layer_hides_it() {
    let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
    let text = refusal(load("listen = \"localhost\"", &[], &flags));
    assert!(text.contains("`listen` from") && text.contains("`localhost`"), "{text}");
}

#[test]
fn unknown_keys_are_refused_with_the_one_that_was_meant() {
    for (file, environment, expected) in [
        ("rpc_ulr = \"x\"", vec![], "`rpc_ulr` in `"),
        ("rpc_ulr = \"x\"", vec![], "did you mean `rpc_url`?"),
        ("rpc-url = \"x\"", vec![], "did you mean `rpc_url`?"),
        ("[listen_address]\nport = 1", vec![], "unknown key `listen_address`"),
        ("", vec![("HALLMARK_RPC_URLS", "x")], "did you mean `HALLMARK_RPC_URL`?"),
        (
            "",
            vec![("HALLMARK_ZZZZZZZZ", "x")],
            "unknown key `HALLMARK_ZZZZZZZZ` in the environment",
        ),
    ] {
        let text = refusal(load(file, &environment, &Flags::default()));
        assert!(text.contains(expected), "{text} should contain {expected}");
    }
    let far = refusal(from_file("something_else_entirely = 1"));
    assert!(!far.contains("did you mean"), "{far}");
}

#[test]
fn variables_of_others_of_the_tests_and_empty_ones_are_passed_over() {
    let environment = [
        ("PATH", "/bin"),
        ("HALLMARK_TEST_POSTGRES_URL", "postgres:///x"),
        ("HALLMARK_START_BLOCK", ""),
    ];
    let config = load("", &environment, &Flags::default()).unwrap();
    assert_eq!(config.start_block, 41_663_783);
}

#[test]
fn values_of_a_wrong_form_are_refused_by_key_and_source() {
    for (file, expected) in [
        ("range_max = \"10\"", "`range_max` from"),
        ("range_max = \"10\"", "expected a whole number from 1 to 1000000, found `10`"),
        ("range_max = 0", "found `0`"),
        ("range_max = 1.5", "a number with a fraction"),
        ("start_block = -1", "found `-1`"),
        ("topics = \"some\"", "expected `all` or `known`, found `some`"),
        ("topics = true", "a boolean"),
        ("log = \"hallmark=loud\"", "a log filter"),
        ("listen = 8004", "an IP address and a port"),
        ("identity_registry = \"0x8004\"", "40 hex digits, found `0x8004`"),
        ("validation_registry = \"0x0000000000000000000000000000000000000000\"", "zero address"),
        ("known_implementations = [1]", "a list of other things than texts"),
        ("eas_contracts = [\"0x4200000000000000000000000000000000000021\"]", "with its chain"),
        ("eas_contracts = [\"eip155:10:0x0000000000000000000000000000000000000000\"]", "zero"),
        ("rpc_url = []", "expected 1 to 16 URLs, found 0"),
        ("rpc_url = \"ftp://host/\"", "http://, https://, ws:// or wss://"),
        ("database_url = \"mysql://host/\"", "`sqlite://PATH` or `postgres://"),
        ("database_url = \"sqlite://\"", "`sqlite://PATH` or `postgres://"),
        ("chain = \"bse\"", "did you mean `base`?"),
        ("a = 1\nb = = 2", "line 2"),
        ("chain_id = 1\nchain = \"base\"", "the preset `base` is eip155:8453"),
    ] {
        let text = refusal(from_file(file));
        assert!(text.contains(expected), "{file}: {text} should contain {expected}");
    }
}

#[test]
fn a_file_that_is_named_must_exist() {
    let flags = Flags { config: Some("no/such.toml".into()), ..Flags::default() };
    let text = refusal(load("", &[], &flags));
    assert!(text.contains("`no/such.toml`") && text.contains("--config"), "{text}");
    let text = refusal(load("", &[("HALLMARK_CONFIG", "no/such.toml")], &Flags::default()));
    assert!(text.contains("HALLMARK_CONFIG"), "{text}");
}

#[test]
fn a_custom_registry_is_described_in_full_or_told_what_is_missing() {
    let text = refusal(from_file("chain = \"custom\"\nstart_block = 1"));
    assert!(text.contains("`chain_id`, `identity_registry`, `rpc_url`"), "{text}");
    assert!(!text.contains("`start_block`"), "{text}");

    let text = refusal(from_file("chain_id = 31337"));
    assert!(text.contains("eip155:31337"), "{text}");

    let file = "chain_id = 31337\nstart_block = 0\nrpc_url = \"http://127.0.0.1:8545\"\n\
                identity_registry = \"0x00000000000000000000000000000000000000aa\"";
    let config = from_file(file).unwrap();
    assert_eq!((config.chain.as_str(), config.chain_id), ("custom", ChainId(31337)));
    assert_eq!(config.reputation_registry, None);
}

#[test]
fn a_preset_without_a_public_endpoint_asks_for_one() {
    let text = refusal(from_file("chain = \"ethereum\""));
    assert!(text.contains("`ethereum`") && text.contains("must be set too: `rpc_url`"), "{text}");
    let config = from_file("chain = \"ethereum\"\nrpc_url = \"https://node.example/\"").unwrap();
    assert_eq!((config.chain_id, config.start_block), (ChainId(1), 24_339_871));
}

#[test]
fn a_chain_that_comes_with_eas_has_its_contract() {
    let of = |file: &str| -> Vec<String> {
        let config = from_file(file).unwrap();
        config.eas_contracts.iter().map(ToString::to_string).collect()
    };
    let contract = "0x4200000000000000000000000000000000000021";
    assert_eq!(of(""), [format!("eip155:8453:{contract}")]);
    // Another registry on the chain changes nothing of it.
    let own = "identity_registry = \"0x00000000000000000000000000000000000000aa\"\nstart_block = 5";
    assert_eq!(of(own), [format!("eip155:8453:{contract}")]);
    assert_eq!(of("eas_contracts = []"), [""; 0]);
    let two = [format!("eip155:8453:{contract}"), format!("eip155:10:{contract}")];
    assert_eq!(of(&format!("eas_contracts = [\"{}\", \"{}\"]", two[0], two[1])), two);
    let ethereum = "chain = \"ethereum\"\nrpc_url = \"https://node.example/\"";
    assert_eq!(of(ethereum), [""; 0]);
}

#[test]
fn a_chain_id_alone_finds_its_preset() {
    let config = from_file("chain_id = 84532").unwrap();
    assert_eq!((config.chain.as_str(), config.start_block), ("base-sepolia", 37_174_254));
}

/// The canonical start block may lie after another registry's first agents, so it must not be taken for it.
#[test]
fn another_registry_on_a_preset_chain_does_not_inherit_the_start_block() {
    let own = "identity_registry = \"0x00000000000000000000000000000000000000aa\"\n";
    let text = refusal(from_file(own));
    assert!(text.contains("must be set too: `start_block`"), "{text}");
    let config = from_file(&format!("{own}start_block = 5")).unwrap();
    assert_eq!(config.reputation_registry, None);
    assert_eq!(config.rpc_url.len(), 1);
}

#[test]
fn one_address_is_not_two_registries() {
    let file = "reputation_registry = \"0x8004A169FB4a3325136EB29fA0ceB6D2e539a432\"";
    let text = refusal(from_file(file));
    assert!(text.contains("`reputation_registry` and `identity_registry`"), "{text}");
}

#[test]
fn secrets_are_neither_listed_nor_repeated_in_errors() {
    let flags = Flags {
        rpc_url: vec!["https://user:SECRET@node.example:8443/v2/SECRET?key=SECRET".into()],
        database_url: Some("postgres://hallmark:SECRET@db.example/SECRET".into()),
        ..Flags::default()
    };
    let config = load("", &[], &flags).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(
        shown.contains("https://node.example:8443/…") && shown.contains("postgres://db.example/…")
    );
    assert!(config.rpc_url.iter().any(|url| url.expose().as_str().contains("SECRET")));

    for file in [
        "rpc_url = \"htps://node.example/SECRET\"",
        "rpc_url = [\"SECRET\"]",
        "database_url = \"SECRET\"",
        "database_url = \"mysql://u:SECRET@host/\"",
        "rpc_url = \"https://node.example/SECRET",
    ] {
        let text = refusal(from_file(file));
        assert!(!text.contains("SECRET"), "{text}");
    }
}

#[test]
fn endpoints_have_roles_in_every_layer() {
    let expected = [
        (RpcRole::Both, "https://a.example/v2/key"),
        (RpcRole::Check, "https://b.example/"),
        (RpcRole::Follow, "wss://c.example/"),
    ];
    let all = ["https://a.example/v2/key", "check:https://b.example", "follow:wss://c.example"];
    let file = format!("rpc_url = {all:?}");
    let joined = all.join(", ");
    let flags =
        Flags { rpc_url: all.iter().map(|url| (*url).to_owned()).collect(), ..Flags::default() };
    for config in [
        from_file(&file).unwrap(),
        load("", &[("HALLMARK_RPC_URL", &joined)], &Flags::default()).unwrap(),
        load("", &[], &flags).unwrap(),
    ] {
        let read: Vec<_> =
            config.rpc_url.iter().map(|url| (url.role(), url.expose().as_str())).collect();
        assert_eq!(read, expected);
        let shown = format!("{config:?}");
        assert!(shown.contains("check:https://b.example"), "{shown}");
        assert!(!shown.contains("v2"), "{shown}");
    }
}

#[test]
fn lists_of_endpoints_that_make_no_sense_are_refused() {
    let text = refusal(from_file("rpc_url = [\"check:https://b.example\"]"));
    assert!(text.contains("`rpc_url` from") && text.contains("to be followed"), "{text}");
    let text =
        refusal(from_file("rpc_url = [\"https://b.example/k\", \"check:https://b.example/k\"]"));
    assert!(text.contains("check:https://b.example/…") && text.contains("twice"), "{text}");
    let text = refusal(from_file("rpc_url = [\"verify:https://b.example/SECRET\"]"));
    assert!(text.contains("`check:` or `follow:`") && !text.contains("SECRET"), "{text}");
}

#[test]
fn a_rate_of_zero_is_no_limit() {
    assert_eq!(from_file("rate_limit_per_s = 0").unwrap().rate_limit, None);
    let limit = from_file("").unwrap().rate_limit.unwrap();
    assert!(limit.burst >= limit.per_s);
}
