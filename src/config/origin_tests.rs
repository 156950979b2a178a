//! Tables of origins: what they hold, what is refused and by which name, and that no secret is shown.

use super::super::resolve::Entry;
use super::super::{Flags, KEYS};
use super::*;

const TOKEN: &str = "SECRET-SECRET-SECRET";
const ADDRESS: &str = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
/// From the test vectors of did:key.
const KEY: &str = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";

fn load(file: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hallmark.toml");
    std::fs::write(&path, file).unwrap();
    Config::load_beside(&path, &Flags::default(), [])
}

fn refusal(file: &str) -> String {
    let error = load(file).expect_err(file);
    format!("{error}; {}", error.hint().unwrap_or_default())
}

#[test]
fn a_table_is_an_origin_with_typed_values() {
    let file = format!(
        "private_hosts = [\"localhost\"]\n\
         [origin.coordination-games]\n\
         token = \"{TOKEN}\"\n\
         keys = [\"did:web:games.example#key-1\", \"eip155:10:{ADDRESS}\"]\n\
         plugins = [\"trust-projector-tragedy\"]\n\
         relay_url = \"http://localhost:8787/v1\"\n\
         games = [\"5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e\"]\n\
         chain = \"eip155:11155420\"\n\
         note_max = 500\n\
         [origin.other]\n"
    );
    let config = load(&file).unwrap();
    let [games, other] = config.origins.as_slice() else { panic!("{:?}", config.origins) };
    assert_eq!(games.name.as_str(), "coordination-games");
    assert_eq!(games.token.as_ref().unwrap().expose(), TOKEN);
    let keys: Vec<_> = games.keys.iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["did:web:games.example#key-1", &format!("eip155:10:{ADDRESS}")]);
    assert!(matches!(games.keys.as_slice(), [OriginKey::Method(_), OriginKey::Account(_)]));
    assert_eq!(games.plugins, ["trust-projector-tragedy"]);
    assert_eq!(games.relay_url.as_ref().unwrap().as_str(), "http://localhost:8787/v1/");
    assert_eq!(games.chain, Some(ChainId(11_155_420)));
    assert_eq!((games.note_max, games.per_round_max, games.games.len()), (500, 3, 1));
    let nothing = OriginConfig {
        name: "other".parse().unwrap(),
        token: None,
        keys: Vec::new(),
        plugins: Vec::new(),
        relay_url: None,
        games: Vec::new(),
        chain: None,
        note_max: 200,
        per_round_max: 3,
    };
    assert_eq!(*other, nothing);
    assert_eq!(load("").unwrap().origins, []);
}

#[test]
fn origins_are_listed_behind_the_other_keys_without_their_tokens() {
    let file = format!("[origin.games]\ntoken = \"{TOKEN}\"\nchain = \"10\"");
    let config = load(&file).unwrap();
    let table = Some("origin.games".to_owned());
    let listed: Vec<&Entry> =
        config.entries().iter().skip(KEYS.len()).filter(|e| e.table == table).collect();
    let names: Vec<_> = listed.iter().map(|entry| entry.name()).collect();
    let expected: Vec<_> = ORIGIN_KEYS.iter().map(|k| format!("origin.games.{}", k.name)).collect();
    assert_eq!(names, expected);
    assert_eq!(config.entries().len(), KEYS.len() + ORIGIN_KEYS.len());
    let sources: Vec<_> = listed.iter().map(|entry| entry.source.as_str()).collect();
    assert!(sources[0].ends_with("hallmark.toml") && sources[1] == "default", "{sources:?}");
    assert!(!format!("{config:?}").contains("SECRET"));
    assert_eq!(listed[5].value, "eip155:10");
    // A key of an origin is none of the program's, whatever its name.
    assert_eq!((config.chain.as_str(), config.is_default("chain")), ("base", true));
}

#[test]
fn what_is_wrong_in_a_table_is_refused_by_its_whole_name() {
    let of = |lines: &str| format!("[origin.games]\n{lines}");
    for (file, expected) in [
        (of("relay_ulr = \"x\""), "unknown key `relay_ulr` in `[origin.games]` of `"),
        (of("relay_ulr = \"x\""), "did you mean `relay_url`?"),
        ("[origins.games]".to_owned(), "did you mean `origin`?"),
        ("origin = 1".to_owned(), "`origin` from"),
        ("[origin]\ngames = 1".to_owned(), "expected a table for each origin"),
        ("[origin.Games]".to_owned(), "`Games` is not an origin's name"),
        (of("token = \"SECRET\""), "`origin.games.token` from"),
        (of("token = 1"), "16 to 512 printable"),
        (of("keys = [\"did:web:a.example\"]"), "`origin.games.keys` from"),
        (of("keys = [\"did:web:a.example\"]"), "fragment of a key"),
        (of(&format!("keys = [\"{ADDRESS}\"]")), "fragment of a key"),
        (of("keys = [\"did:web:a#k\", \"did:web:a#k\"]"), "`did:web:a#k` stands there twice"),
        (
            of("keys = [\"did:key:z6MkgamesPLACE#z6MkgamesPLACE\"]"),
            "`did:key:z6MkgamesPLACE#z6MkgamesPLACE` is no key",
        ),
        (
            of(&format!("keys = [\"did:key:{KEY}#key-1\"]")),
            &format!("a did:key has one key, `did:key:{KEY}#{KEY}`"),
        ),
        (of("keys = 1"), "expected a list of texts, found `1`"),
        (of("plugins = [\"\"]"), "1 to 256 printable"),
        (of("games = [\"g\"]"), "`origin.games.games` from"),
        (of("games = [\"g\"]"), "set `relay_url` too"),
        (of("games = [\"..\"]"), "1 to 256 printable"),
        (of("relay_url = \"ftp://a.example\""), "`origin.games.relay_url` from"),
        (of("relay_url = \"https://127.0.0.1/\""), "with a DNS name"),
        (of("relay_url = \"https://a.example/?key=SECRET\""), "without credentials, query"),
        (of("relay_url = \"https://u:SECRET@a.example/\""), "found credentials"),
        (of("relay_url = \"http://a.example/\""), "add `a.example` to it"),
        (of("relay_url = \"http://localhost:1/\""), "add `localhost` to it"),
        (of("chain = \"base\""), "`none` or a chain such as `eip155:10`, found `base`"),
        (of("note_max = -1"), "from 0 to 100000, found `-1`"),
        (of("per_round_max = \"3\""), "`origin.games.per_round_max` from"),
        (
            format!("operator_token = \"{TOKEN}\"\n{}", of(&format!("token = \"{TOKEN}\""))),
            "it is `operator_token` too",
        ),
        (
            format!("[origin.a]\ntoken = \"{TOKEN}\"\n[origin.b]\ntoken = \"{TOKEN}\""),
            "`origin.b.token` from",
        ),
        (
            "[origin.a]\nkeys = [\"did:web:a#k\"]\n[origin.b]\nkeys = [\"did:web:a#k\"]".to_owned(),
            "`did:web:a#k` stands under `origin.a` too",
        ),
    ] {
        let text = refusal(&file);
        assert!(text.contains(expected), "{file}: {text} should contain {expected}");
        assert!(!text.contains("SECRET"), "{text}");
    }
}
