//! Who may import whom, and which names may stand where: ARCHITECTURE's table as data, and the test that holds it.
//!
//! A new line in one of the tables is the rare kind of change: it is explained in its commit. The last tests feed the checker small
//! wrong files, because a checker that finds nothing proves nothing.

pub(crate) mod source;

use std::collections::BTreeSet;

use source::{Named, Source, rust_files};

/// The modules below the line: nothing in them waits, fails from outside, or reads a clock.
const CORE: &[&str] =
    &["vocab", "registry", "identity", "did", "attest", "rekey", "tfd", "delegation", "project"];
/// The modules that may wait.
const OUTSIDE: &[&str] = &["chain", "intake", "plugin", "storage", "app", "api", "demo", "cli"];
/// Word for "every module".
const ANY: &[&str] = &["*"];

/// A module, and which others it may import, beside itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("vocab", &[]),
    ("registry", &["vocab"]),
    ("identity", &["vocab", "registry"]),
    ("did", &["vocab", "registry", "identity"]),
    ("attest", &["vocab", "registry", "did"]),
    ("rekey", &["vocab", "identity", "did", "attest"]),
    ("tfd", &["vocab"]),
    ("delegation", &["vocab", "identity", "did", "attest", "tfd"]),
    ("project", &["vocab", "identity", "attest", "rekey", "tfd", "delegation"]),
    ("chain", &["vocab"]),
    ("intake", &["vocab", "attest"]),
    ("plugin", &["vocab", "attest", "project"]),
    ("storage", CORE),
    (
        "app",
        &[
            "vocab",
            "registry",
            "identity",
            "did",
            "attest",
            "rekey",
            "tfd",
            "delegation",
            "project",
            "chain",
            "intake",
            "plugin",
            "storage",
        ],
    ),
    (
        "api",
        &[
            "vocab",
            "registry",
            "identity",
            "did",
            "attest",
            "rekey",
            "tfd",
            "delegation",
            "project",
            "storage",
            "intake",
            "app",
        ],
    ),
    ("config", &["vocab", "registry", "did"]),
    ("demo", &["vocab", "registry"]),
    ("cli", ANY),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// A name that may stand only in some modules, and why. The longest name that fits decides.
struct Fenced {
    name: &'static str,
    only_in: &'static [&'static str],
    why: &'static str,
    /// Whether a unit test may name it anywhere.
    free_in_tests: bool,
}

const fn fenced(name: &'static str, only_in: &'static [&'static str], why: &'static str) -> Fenced {
    Fenced { name, only_in, why, free_in_tests: false }
}

const fn waits(name: &'static str) -> Fenced {
    Fenced {
        name,
        only_in: OUTSIDE,
        why: "the core does no I/O and never waits",
        free_in_tests: true,
    }
}

const SHARED_OUT: &str = "work may be shared out, where all of it is gathered again";
const NO_ENVIRONMENT: &str = "`config` is the only reader of the environment";
const HTTP: &str = "HTTP types appear only in `api`, and in the demo's loopback node";
const KEYS: &str = "keys and their curves appear only in `did` and `attest`";
const ABI: &str = "ABI coding appears only in `registry`, and in the demo's contracts";
const PROVIDERS: &str = "RPC providers and transports appear only in `chain`";

const FENCES: &[Fenced] = &[
    fenced("sqlx", &["storage"], "SQL appears only in `storage`"),
    fenced("axum", &["api", "demo"], HTTP),
    fenced("tower_http", &["api", "demo"], HTTP),
    fenced("utoipa", &["api"], HTTP),
    fenced("utoipa_axum", &["api"], HTTP),
    fenced("governor", &["api"], HTTP),
    fenced("hyper_util", &["api"], HTTP),
    fenced("alloy", &["chain"], PROVIDERS),
    fenced("alloy::primitives", ANY, "they are the words of the field"),
    fenced("alloy::consensus", &["chain", "demo"], PROVIDERS),
    // The demo's tests read its answers by the types that clients use.
    Fenced { name: "alloy::rpc::types", only_in: &["chain"], why: PROVIDERS, free_in_tests: true },
    fenced("alloy::sol_types", &["registry", "demo"], ABI),
    fenced("alloy::sol", &["registry", "demo"], ABI),
    fenced("tower", &["chain", "api"], PROVIDERS),
    fenced("reqwest", &["chain", "intake"], PROVIDERS),
    fenced("rustls", &["chain"], "one place chooses the cryptography provider"),
    fenced("argon2", &["attest"], KEYS),
    fenced("chacha20poly1305", &["attest"], KEYS),
    fenced("getrandom", &["app"], "randomness is brought along by `app`"),
    fenced("rustls_platform_verifier", &["chain"], "one place says whom to trust"),
    fenced("tokio_tungstenite", &["chain"], PROVIDERS),
    fenced("bs58", &["did", "attest"], KEYS),
    fenced("ed25519_dalek", &["did", "attest"], KEYS),
    fenced("k256", &["did", "attest"], KEYS),
    fenced("p256", &["did", "attest"], KEYS),
    fenced("secp256k1", &["attest"], KEYS),
    fenced("wasmtime", &["plugin"], "the sandbox is `plugin`"),
    fenced("wit_component", &["plugin"], "the sandbox is `plugin`"),
    fenced("clap", &["cli"], "arguments are read only by `cli`"),
    fenced("indicatif", &["cli"], "only `cli` speaks to a terminal"),
    fenced("tracing_subscriber", &["cli", "config"], "logging is set up by `cli`"),
    fenced("toml", &["config"], "`config` is the only reader of its file"),
    fenced("strsim", &["config"], "suggestions are made by `config`"),
    fenced(
        "flate2",
        &["demo", "registry"],
        "only the recorded chain and files of agents are packed",
    ),
    fenced("cid", &["registry"], "identifiers of content are read where files are"),
    fenced("metrics_exporter_prometheus", &["api", "cli"], "metrics are shown by `api`"),
    waits("tokio"),
    waits("futures_util"),
    waits("tracing"),
    waits("metrics"),
    fenced("std::env", &["config"], NO_ENVIRONMENT),
    fenced("std::time::SystemTime", &["app"], "`app::clock` holds the one clock"),
    waits("std::time::Instant"),
    Fenced {
        name: "std::fs",
        only_in: &["chain", "intake", "plugin", "storage", "app", "api", "demo", "cli", "config"],
        why: "the core does no I/O",
        free_in_tests: true,
    },
    waits("std::net"),
    waits("std::process"),
    waits("std::thread"),
    // Work that is shared out and gathered again is a function still, whoever does which part of it.
    fenced("std::thread::scope", ANY, SHARED_OUT),
    fenced("std::thread::Builder", ANY, SHARED_OUT),
    fenced("std::thread::available_parallelism", ANY, SHARED_OUT),
    fenced("std::net::SocketAddr", ANY, "an address is a value"),
    fenced("std::process::ExitCode", &["cli", "main"], "exit codes belong to `cli`"),
];

fn is_listed(list: &[&str], name: &str) -> bool {
    list == ANY || list.contains(&name)
}

/// What is wrong with one file of `src`, each as `path:line: rule`.
fn check(file: &Source) -> Vec<String> {
    let module = file.module();
    let own = module[0];
    let mut wrong = Vec::new();
    let mut say = |named: &Named, rule: &str| {
        wrong.push(format!(
            "{}:{}: `{}`: {rule}",
            file.path,
            named.line,
            named.segments.join("::")
        ));
    };
    let Some((_, may_import)) = LAYERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("{}:1: the module `{own}` is not in the table of layers", file.path)];
    };
    for named in file.paths() {
        if let Some(other) = imported(&named, module.len()).filter(|other| *other != own) {
            if !LAYERS.iter().any(|(name, _)| *name == other) {
                say(&named, "not a module of the table of layers");
            } else if !is_listed(may_import, other) {
                say(&named, &format!("`{own}` may not import `{other}`"));
            }
        }
        let fence = fence(&named).filter(|fence| !is_listed(fence.only_in, own));
        if let Some(fence) = fence.filter(|fence| !(named.in_tests && fence.free_in_tests)) {
            say(&named, fence.why);
        }
    }
    if CORE.contains(&own) {
        for named in file.keyword("async").iter().chain(&file.keyword("await")) {
            say(named, "the core never waits");
        }
    }
    wrong
}

/// The module of ours that a path leads to, from a file `depth` modules deep. Enough `super`s lead to the root as `crate` does.
fn imported(named: &Named, depth: usize) -> Option<&str> {
    let first = named.segments[0].as_str();
    let ups = named.segments.iter().take_while(|segment| *segment == "super").count();
    let depth = depth + usize::from(named.in_tests);
    let rest = match first {
        "crate" | "hallmark" => 1,
        "super" if ups >= depth => ups,
        _ => return None,
    };
    named.segments.get(rest).map(String::as_str)
}

/// The longest fenced name that a path begins with.
fn fence(named: &Named) -> Option<&'static Fenced> {
    FENCES
        .iter()
        .filter(|fence| {
            let parts: Vec<_> = fence.name.split("::").collect();
            named.segments.len() >= parts.len()
                && parts.iter().zip(&named.segments).all(|(a, b)| a == b)
        })
        .max_by_key(|fence| fence.name.len())
}

#[test]
fn imports_point_down_and_names_stay_in_their_modules() {
    let files = rust_files("src");
    let wrong: Vec<_> = files.iter().flat_map(|path| check(&Source::read(path))).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(files.len() > 10, "found only {} files", files.len());
}

/// An import table with a cycle would allow what it is there to prevent.
#[test]
fn the_table_of_layers_has_no_cycle() {
    let mut settled = BTreeSet::new();
    while settled.len() < LAYERS.len() {
        let before = settled.len();
        for (name, may_import) in LAYERS {
            if *may_import == ANY || may_import.iter().all(|other| settled.contains(other)) {
                settled.insert(*name);
            }
        }
        assert!(settled.len() > before, "the rest lies on a cycle; settled so far: {settled:?}");
    }
}

#[test]
fn the_checker_bites() {
    for (path, text, expected) in [
        (
            "src/vocab/x.rs",
            "use crate::storage::Database;",
            "src/vocab/x.rs:1: `crate::storage::Database`: `vocab` may not import `storage`",
        ),
        (
            "src/vocab/x.rs",
            "fn f() {\n    crate::app::go();\n}",
            "src/vocab/x.rs:2: `crate::app::go`",
        ),
        (
            "src/chain/x.rs",
            "use crate::{\n    vocab::{ChainId, Span},\n    identity,\n};",
            "src/chain/x.rs:3: `crate::identity`: `chain` may not import `identity`",
        ),
        ("src/api/x.rs", "use crate::config::Config;", "`api` may not import `config`"),
        ("src/chain/x.rs", "use super::super::storage::Tx;", "`chain` may not import `storage`"),
        ("src/chain/mod.rs", "use super::app;", "`chain` may not import `app`"),
        (
            "src/chain/mod.rs",
            "#[cfg(test)]\nmod tests {\n    use super::super::app::go;\n}",
            "src/chain/mod.rs:3",
        ),
        ("src/shed/x.rs", "", "the module `shed` is not in the table"),
        ("src/vocab/x.rs", "use crate::shed::Tool;", "not a module of the table"),
        ("src/app/x.rs", "use sqlx::query;", "SQL appears only in `storage`"),
        ("src/app/x.rs", "#[derive(sqlx::FromRow)]\nstruct X;", "src/app/x.rs:1: `sqlx::FromRow`"),
        ("src/app/x.rs", "use sqlx;", "SQL appears only"),
        ("src/app/x.rs", "use sqlx as s;", "SQL appears only"),
        ("src/app/x.rs", "let x = ::sqlx::query(sql);", "SQL appears only"),
        ("src/app/x.rs", "use axum::Json;", "HTTP types appear only"),
        (
            "src/app/x.rs",
            "use alloy::{primitives::B256, rpc::client::RpcClient};",
            "`alloy::rpc::client::RpcClient`: RPC providers",
        ),
        (
            "src/identity/x.rs",
            "async fn f() {}",
            "src/identity/x.rs:1: `async`: the core never waits",
        ),
        ("src/identity/x.rs", "use tokio::sync::watch;", "never waits"),
        ("src/identity/x.rs", "let x = std::fs::read(path);", "no I/O"),
        ("src/api/x.rs", "let x = std::env::var(\"X\");", "only reader of the environment"),
        ("src/api/x.rs", "let x = std::time::SystemTime::now();", "the one clock"),
    ] {
        let wrong = check(&Source::new(path, text));
        assert!(
            wrong.len() == 1 && wrong[0].contains(expected),
            "{text}: {wrong:?} should be {expected}"
        );
    }
}

#[test]
fn what_only_looks_wrong_is_left_alone() {
    for (path, text) in [
        (
            "src/vocab/x.rs",
            "// use crate::storage::Database;\n/* crate::app::x /* sqlx::y */ sqlx::z */",
        ),
        (
            "src/vocab/x.rs",
            "const A: &str = \"crate::storage::Tx \\\" sqlx::query\"; const B: char = '\"';",
        ),
        ("src/vocab/x.rs", "const A: &str = r#\"crate::storage::Tx \" sqlx::query\"#;"),
        (
            "src/vocab/x.rs",
            "fn f<'a>(x: &'a str) -> &'a str { x }\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fs;\n}",
        ),
        ("src/vocab/x.rs", "use super::account::ChainId;\nuse crate::vocab::Span;"),
        ("src/chain/x.rs", "use alloy::rpc::client::RpcClient;\nuse alloy::primitives::B256;"),
        ("src/vocab/x.rs", "let y = my_sqlx::query(a.sqlx::<u8>(), a::sqlx::b);"),
        ("src/app/x.rs", "use std::net::SocketAddr;\nuse crate::storage::Tx as axum;"),
        ("src/cli/x.rs", "use crate::{app, api, storage::Database};"),
    ] {
        let wrong = check(&Source::new(path, text));
        assert!(wrong.is_empty(), "{text}: {wrong:?}");
    }
}
