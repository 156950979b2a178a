//! The two schemas are twins: the same files, tables, columns and indexes, and the same rule for what may be absent.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::databases::Fresh;

const COLUMNS_SQLITE: &str = "
    SELECT t.name || '.' || c.name || ' ' || c.type
           || CASE WHEN c.\"notnull\" = 1 THEN ' not null' ELSE '' END
           || CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const COLUMNS_POSTGRES: &str = "
    SELECT c.table_name || '.' || c.column_name || ' '
           || CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB'
                               ELSE upper(c.data_type) END
           || CASE WHEN c.is_nullable = 'NO' THEN ' not null' ELSE '' END
           || COALESCE(' key ' || k.ordinal_position, '')
    FROM information_schema.columns c
    LEFT JOIN information_schema.key_column_usage k
      ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name
    WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '\\_sqlx%'";
/// Indexes that were made by name, with their text in one form: `CREATE … INDEX name ON table (…) WHERE …`.
const INDEXES_SQLITE: &str =
    "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
const INDEXES_POSTGRES: &str = "
    SELECT indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey'";

fn files(folder: &str) -> BTreeSet<String> {
    fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn both_engines_have_the_same_migrations() {
    assert_eq!(files("sqlite"), files("postgres"));
    assert!(!files("sqlite").is_empty());
}

#[tokio::test]
async fn both_engines_have_the_same_columns() {
    let Some(postgres) = Fresh::postgres().await else { return };
    let sqlite = Fresh::sqlite().await;
    let set = |rows: Vec<String>| rows.into_iter().collect::<BTreeSet<_>>();
    let columns = set(sqlite.rows(COLUMNS_SQLITE).await);
    assert!(columns.contains("span.subject TEXT not null key 2"), "{columns:?}");
    assert_eq!(columns, set(postgres.rows(COLUMNS_POSTGRES).await));
}

#[tokio::test]
async fn both_engines_have_the_same_indexes() {
    let Some(postgres) = Fresh::postgres().await else { return };
    let sqlite = Fresh::sqlite().await;
    // PostgreSQL writes the schema, the method, types and parentheses out.
    let plain = |rows: Vec<String>| -> BTreeSet<String> {
        rows.into_iter()
            .map(|sql| {
                let sql = sql.replace(" ON public.", " ON ").replace(" USING btree", "");
                sql.replace('"', "").replace("::text", "").replace(['(', ')'], " ")
            })
            .map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let indexes = plain(sqlite.rows(INDEXES_SQLITE).await);
    assert!(indexes.iter().any(|sql| sql.starts_with("CREATE UNIQUE INDEX span_open ON span")));
    assert_eq!(indexes, plain(postgres.rows(INDEXES_POSTGRES).await));
}

#[tokio::test]
async fn every_table_of_sqlite_is_strict() {
    let sqlite = Fresh::sqlite().await;
    let lax = "SELECT name FROM pragma_table_list
               WHERE schema = 'main' AND type = 'table' AND strict = 0
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    assert_eq!(sqlite.rows(lax).await, [""; 0]);
}

#[tokio::test]
async fn every_text_of_postgres_sorts_by_bytes() {
    let Some(postgres) = Fresh::postgres().await else { return };
    let otherwise = "SELECT table_name || '.' || column_name FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'
                       AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'";
    assert_eq!(postgres.rows(otherwise).await, [""; 0]);
}
