//! Files as they are in use, and files that nobody should ever meet.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::registry::file::{FILE_MAX, Located, Place, ipfs, locate};

const REGISTRY: &str = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

fn file(value: &Value) -> RegistrationFile {
    read(value.to_string().as_bytes()).unwrap()
}

fn agent(id: u64) -> AgentRef {
    let registry = AccountId::parse(REGISTRY, ChainId(0)).unwrap();
    let registry = RegistryRef { chain: registry.chain, address: registry.address };
    AgentRef { registry, id: AgentId::from(id) }
}

/// The example of the standard, shortened.
fn example() -> Value {
    json!({
        "type": TYPE,
        "name": "myAgentName",
        "description": "A natural language description of the agent",
        "image": "https://example.com/agentimage.png",
        "services": [
            { "name": "web", "endpoint": "https://web.agentxyz.com/" },
            { "name": "A2A", "endpoint": "https://agent.example/.well-known/agent-card.json", "version": "0.3.0" },
            { "name": "MCP", "endpoint": "https://mcp.agent.eth/", "version": "2025-06-18" },
            { "name": "OASF", "endpoint": "ipfs://QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o", "skills": [], "domains": [] },
            { "name": "ENS", "endpoint": "vitalik.eth", "version": "v1" },
            { "name": "DID", "endpoint": "did:method:foobar", "version": "v1" },
            { "name": "email", "endpoint": "mail@myagent.com" },
        ],
        "x402Support": false,
        "active": true,
        "registrations": [{ "agentId": 22, "agentRegistry": REGISTRY }],
        "supportedTrust": ["reputation", "crypto-economic", "tee-attestation"],
    })
}

#[test]
fn the_example_of_the_standard_has_no_flaw() {
    let file = file(&example());
    assert_eq!(file.flaws_as_of(agent(22), None), []);
    assert_eq!(file.name.as_deref(), Some("myAgentName"));
    assert_eq!((file.active, file.x402_support), (Some(true), Some(false)));
    assert_eq!(file.supported_trust.len(), 3);
    let shown: Vec<_> = file.services.iter().map(|s| (s.name.as_str(), s.uri.is_some())).collect();
    let expected = [
        ("web", true),
        ("A2A", true),
        ("MCP", true),
        ("OASF", true),
        ("ENS", false),
        ("DID", true),
        ("email", true),
    ];
    assert_eq!(shown, expected);
    assert_eq!(file.dids().collect::<Vec<_>>(), ["did:method:foobar"]);
    assert_eq!(file.domains(), ["web.agentxyz.com", "agent.example", "mcp.agent.eth"]);
    assert!(file.names(agent(22)) && !file.names(agent(23)));
}

/// The example with one change: what is read of it, and what is said of it.
fn with(change: &dyn Fn(&mut Value)) -> (RegistrationFile, Vec<String>) {
    let mut value = example();
    change(&mut value);
    let file = file(&value);
    let flaws = file.flaws_as_of(agent(22), None);
    let said = flaws.iter().map(|flaw| format!("{}: {}", flaw.kind.as_str(), flaw.detail));
    let said = said.collect();
    (file, said)
}

#[test]
fn names_of_drafts_are_read_and_said() {
    let renamed = |from: &'static str, to: &'static str| {
        move |value: &mut Value| {
            let members = value.as_object_mut().unwrap();
            let moved = members.remove(from).unwrap();
            members.insert(to.to_owned(), moved);
        }
    };
    let (file, flaws) = with(&renamed("services", "endpoints"));
    assert_eq!((file.services.len(), flaws.len()), (7, 1), "{flaws:?}");
    let (file, flaws) = with(&renamed("x402Support", "x402support"));
    assert_eq!((file.x402_support, flaws.len()), (Some(false), 1), "{flaws:?}");
    let (file, flaws) = with(&renamed("supportedTrust", "supportedTrusts"));
    assert_eq!((file.supported_trust.len(), flaws.len()), (3, 1), "{flaws:?}");
    let (file, flaws) = with(&|v| v["x402Support"] = json!({ "enabled": true }));
    assert_eq!((file.x402_support, flaws.len()), (Some(true), 1), "{flaws:?}");
    let (file, flaws) = with(&|v| v["active"] = json!("true"));
    assert_eq!((file.active, flaws.len()), (Some(true), 1), "{flaws:?}");
}

/// One oddity at a time: what is read all the same, and what is said of it.
#[test]
fn files_in_use_are_read_as_they_are_meant() {
    let id = |id: Value| move |v: &mut Value| v["registrations"][0]["agentId"] = id.clone();
    let registry =
        |text: String| move |v: &mut Value| v["registrations"][0]["agentRegistry"] = json!(text);
    for (change, names, says) in [
        (
            Box::new(|v: &mut Value| v["type"] = json!(TYPE_OF_DRAFTS)) as Box<dyn Fn(&mut Value)>,
            true,
            "draft",
        ),
        (Box::new(|v| v["type"] = json!("x")), true, "`type` is `x`"),
        (Box::new(|v| v["type"] = json!(1)), true, "`type` is no text"),
        (Box::new(|v| v["name"] = json!(["x"])), true, "`name` is no text"),
        (Box::new(|v| v["supportedTrust"] = json!(1)), true, "`supportedTrust` is no list"),
        (Box::new(|v| v["services"] = json!({})), true, "`services` is no list"),
        (
            Box::new(|v| v["services"][0] = json!("https://a.example")),
            true,
            "service 1 has no name",
        ),
        (Box::new(|v| v["services"][0]["endpoint"] = json!("javascript:x")), true, "file-endpoint"),
        (
            Box::new(|v| v["services"] = json!(vec![v["services"][0].clone(); 40])),
            true,
            "40 services",
        ),
        (Box::new(id(json!("22"))), true, "text and not a number"),
        (Box::new(id(json!(null))), false, "before the agent was minted"),
        (Box::new(id(json!(22.5))), false, "no whole number"),
        (Box::new(id(json!(-1))), false, "no whole number"),
        (Box::new(id(json!("022"))), false, "no whole number"),
        (
            Box::new(id(json!(23))),
            false,
            "and not this one: eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:23",
        ),
        (Box::new(registry(REGISTRY.replace("8453", "1"))), false, "and not this one"),
        (
            Box::new(registry("0x8004A169FB4a3325136EB29fA0ceB6D2e539a432".to_owned())),
            false,
            "names no registry",
        ),
        (Box::new(registry("solana:5eykt:abc".to_owned())), false, "no agent as its own"),
        (Box::new(|v| v["registrations"] = json!([])), false, "no agent as its own"),
        (Box::new(|v| v["registrations"] = json!("x")), false, "`registrations` is no list"),
    ] {
        let (file, flaws) = with(&*change);
        assert_eq!(file.names(agent(22)), names, "{says}: {flaws:?}");
        assert!(flaws.iter().any(|flaw| flaw.contains(says)), "{says}: {flaws:?}");
    }
    // The letter case of an address means nothing.
    for text in [REGISTRY.to_lowercase(), format!("EIP155:8453:{}", REGISTRY[12..].to_uppercase())]
    {
        let (file, flaws) = with(&registry(text));
        assert!(file.names(agent(22)) && flaws.is_empty(), "{flaws:?}");
    }
}

#[test]
fn a_wallet_that_only_the_file_names_is_said() {
    let mut value = example();
    value["services"] = json!([{
        "name": "agentWallet",
        "endpoint": "eip155:8453:0x1111111111111111111111111111111111111111"
    }]);
    let file = file(&value);
    let same =
        AccountId::parse("0x1111111111111111111111111111111111111111", ChainId(8453)).unwrap();
    let other =
        AccountId::parse("0x2222222222222222222222222222222222222222", ChainId(8453)).unwrap();
    assert_eq!(file.flaws_as_of(agent(22), Some(same)), []);
    for wallet in [Some(other), None] {
        let kinds: Vec<_> = file.flaws_as_of(agent(22), wallet).iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [FlawKind::Wallet]);
    }
}

#[test]
fn what_is_shown_of_a_file_is_bounded() {
    let (long, short) = ("\u{202e}x\u{1b}".repeat(3_000), "\u{202e}x\u{1b}".repeat(30));
    let mut value = example();
    for name in ["name", "description", "type"] {
        value[name] = json!(long);
    }
    value["supportedTrust"] = json!(vec![short.clone(); 100]);
    value["registrations"] = json!(vec![json!({ "agentId": short, "agentRegistry": short }); 100]);
    value["services"] = json!(vec![json!({ "name": short, "endpoint": short }); 100]);
    let file = file(&value);
    assert_eq!(file.name.unwrap().chars().count(), NAME_MAX);
    assert_eq!(file.description.unwrap().chars().count(), DESCRIPTION_MAX);
    assert_eq!((file.services.len(), file.registrations.len()), (32, 0));
    assert_eq!(file.flaws.len(), FLAWS_MAX);
    let too_large = vec![b' '; FILE_MAX + 1];
    assert_eq!(read(&too_large).unwrap_err().kind, FlawKind::TooLarge);
    for flaw in file.flaws {
        assert!(flaw.detail.chars().count() <= 300);
        assert!(!flaw.detail.contains(['\u{1b}', '\u{202e}']), "{}", flaw.detail);
    }
}

/// Pieces that files and URIs are made of, to be put together in ways that nobody thought of.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "data:",
            "application/json",
            ";base64",
            ";enc=gzip",
            ",",
            "e30=",
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            "services",
            "endpoints",
            "registrations",
            "agentId",
            "agentRegistry",
            "null",
            "1e400",
            "https://",
            "ipfs://",
            "Qm",
            "bafy",
            "%",
            "%00",
            "\\u0000",
            "\\ud800",
            "\u{1f4dc}",
            "a.example",
            "eip155:8453:0x",
            "did:web:",
            "type",
            "\"name\":\"DID\",\"endpoint\":\"did:x:",
            "\n",
            "\0",
            "/../",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the bytes are, they are read or something is said of them, within the bounds.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in pieces()) {
        if let Ok(Located { place, .. }) = locate(&bytes) {
            match place {
                Place::Inline(file) => {
                    prop_assert!(file.len() <= FILE_MAX);
                    let _ = read(&file).map(|file| file.flaws_as_of(agent(1), None));
                }
                Place::Ipfs(path) => prop_assert!(ipfs::prove(&path, &bytes).is_err()),
                Place::Web(url) => prop_assert_eq!(url.scheme(), "https"),
                Place::Nowhere => {}
            }
        }
        let file = [b"{".as_slice(), &bytes, b"}"].concat();
        for file in [bytes, file] {
            if let Ok(file) = read(&file) {
                prop_assert!(file.flaws.len() <= FLAWS_MAX);
                let _ = (file.domains(), file.dids().count());
            }
        }
    }

    /// The same for what a gateway may answer.
    #[test]
    fn any_archive_proves_nothing_by_accident(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let root = ipfs::IpfsPath::parse("QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o").unwrap();
        prop_assert!(ipfs::prove(&root, &bytes).is_err());
    }
}
