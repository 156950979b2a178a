//! No statement reads a whole table that grows, and no page is sorted after the fact.
//!
//! The statements are taken out of the sources of storage, so that none can be left out. SQLite plans by the figures
//! of its migration, so this is what it does; PostgreSQL is asked what it does where it may not scan, and weighs what it finds in the
//! tables later.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::databases::Fresh;

/// Tables that stay small, and the names they go by in statements.
const SMALL: [&str; 17] = [
    // What was found by an index, cut at a limit and counted.
    "counted",
    "record_progress",
    "posting_progress",
    "plugin",
    // Read from its beginning, one row at a time.
    "rekey_pending",
    "_sqlx_migrations",
    "file_progress",
    "rewriting",
    "chain",
    "registry",
    "r",
    "chain_tag",
    "reorg",
    "finding",
    "CONSTANT",
    "c",
    "\"*SELECT*\"",
];
/// Questions about all agents, which take the first or the last of them in order.
const ALL_AGENTS: [&str; 2] = ["AGENTS_AT", "HIGHEST_SUBJECT"];
/// What forgets or counts everything reads everything.
const WHOLE: [&str; 7] = [
    "SPANS_DELETE",
    "EVERYTHING",
    "SOURCES_COUNT",
    "CONTENT_BYTES",
    "EDGES_EVERYTHING",
    "BETAS_EVERYTHING",
    "BETA_AT",
];
/// Its statements read whole tables, and say so.
const AUDIT: &str = "audit.rs";

/// A plan for any values, made without reading whole tables and without joins that do.
const POSTGRES_MAY_NOT: &str = "
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off";

struct Statement {
    name: String,
    sql: String,
}

/// The string literals of a piece of source; none of ours holds an escape.
fn literals(source: &str) -> Vec<&str> {
    source.split('"').skip(1).step_by(2).collect()
}

fn between<'a>(source: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    source.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

fn sources() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage");
    let mut sources: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with(AUDIT))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    sources.sort();
    sources
}

/// Every statement that stands in a constant, with what its macro puts before it.
fn statements() -> Vec<Statement> {
    let sources = sources();
    let beginnings: Vec<(&str, &str)> = sources
        .iter()
        .flat_map(|source| between(source, "macro_rules! ", "\n}\n"))
        .filter_map(|text| Some((text.split(' ').next()?, *literals(text).first()?)))
        .collect();
    let mut found = Vec::new();
    for source in &sources {
        for text in between(source, "\nconst ", ";\n") {
            let name = text.split(':').next().unwrap();
            let beginning = beginnings
                .iter()
                .find(|(of, _)| text.contains(&format!("{of}!(")))
                .map_or("", |(_, beginning)| *beginning);
            for literal in literals(text) {
                let sql = format!("{beginning}{literal}").trim().to_owned();
                let is_statement =
                    ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|w| sql.starts_with(w));
                if is_statement && !sql.contains("advisory_") {
                    found.push(Statement { name: name.to_owned(), sql });
                }
            }
        }
    }
    found
}

/// What the engine says that statements of storage would do wrong; `explain` returns lines that are.
fn report(wrong: &[(Statement, Vec<String>)]) {
    let mut text = String::new();
    for (statement, lines) in wrong.iter().filter(|(_, lines)| !lines.is_empty()) {
        writeln!(text, "{}:\n  {}", statement.name, lines.join("\n  ")).unwrap();
    }
    assert!(text.is_empty(), "{text}");
}

fn scans_of_sqlite(statement: &Statement, plan: &[String]) -> Vec<String> {
    let is_of_all_agents = ALL_AGENTS.contains(&statement.name.as_str());
    let is_wrong = |line: &&String| {
        // There are a few kinds of spans: one of them is as good as the whole table.
        let by_kind = line.contains("(kind=?)") && line.contains(" PRIMARY KEY ")
            || line.contains("(kind=? AND subject>?)");
        let scans = line
            .strip_prefix("SCAN ")
            .is_some_and(|rest| !SMALL.contains(&rest.split(' ').next().unwrap()));
        scans
            || (by_kind && !is_of_all_agents)
            || line.contains("AUTOMATIC")
            || line.contains("TEMP B-TREE")
    };
    plan.iter().filter(is_wrong).cloned().collect()
}

fn scans_of_postgres(plan: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, line) in plan.iter().enumerate() {
        let words: Vec<_> = line.split_whitespace().collect();
        let of_table = words.iter().position(|word| *word == "on").and_then(|on| words.get(on + 1));
        let reads = line.contains(" Scan") && of_table.is_some_and(|table| !SMALL.contains(table));
        // An index that is read from end to end has no condition, which otherwise is the node's first line.
        let is_sought = plan.get(index + 1).is_some_and(|next| next.contains("Index Cond:"));
        if (reads && !is_sought) || line.contains("Sort") {
            wrong.push(line.clone());
        }
    }
    wrong
}

#[test]
fn statements_are_found_in_the_sources() {
    let statements = statements();
    assert!(statements.len() > 40, "only {} were found", statements.len());
    for name in ["SPAN_AT", "EVENTS_UNDECODED", "AGENTS_AT", "REVERT", "TAG_SET"] {
        assert!(statements.iter().any(|statement| statement.name == name), "{name}");
    }
}

#[tokio::test]
async fn no_statement_scans_on_sqlite() {
    let sqlite = Fresh::sqlite().await;
    let mut wrong = Vec::new();
    for statement in statements() {
        let plan = sqlite.rows(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).await;
        let lines = scans_of_sqlite(&statement, &plan);
        wrong.push((statement, lines));
    }
    wrong.retain(|(statement, _)| !WHOLE.contains(&statement.name.as_str()));
    report(&wrong);
}

#[tokio::test]
async fn no_statement_scans_on_postgres() {
    let Some(postgres) = Fresh::postgres().await else { return };
    let mut wrong = Vec::new();
    for statement in statements() {
        let parameters = (1..=25).rfind(|n| statement.sql.contains(&format!("${n}"))).unwrap_or(0);
        // What an UPDATE takes from a list of values has no type of its own.
        let types = match statement.name.as_str() {
            "SPAN_CLOSE" => "(text, text, bytea, bigint, bigint, bigint, bigint, text)",
            "PARTY_UPDATE" => {
                "(bigint, bigint, bigint, bigint, bigint, text, text, bigint, text, bigint, bigint, bigint)"
            }
            "PARTY_SETTLE" | "OF_RECORDS" => "(bigint, bigint, bigint, bigint)",
            _ => "",
        };
        let nulls = match parameters {
            0 => String::new(),
            count => format!("({})", vec!["NULL"; count].join(", ")),
        };
        let explain = format!(
            "{POSTGRES_MAY_NOT}; PREPARE asked{types} AS {}; EXPLAIN (COSTS OFF) EXECUTE asked{nulls}",
            statement.sql
        );
        let plan = postgres.rows(&explain).await;
        wrong.push((statement, scans_of_postgres(&plan)));
    }
    wrong.retain(|(statement, _)| !WHOLE.contains(&statement.name.as_str()));
    report(&wrong);
}
