//! Fresh databases on both engines, and the macro that runs one test on each.
//!
//! SQLite is a file in a folder of its own. PostgreSQL is the server that `HALLMARK_TEST_POSTGRES_URL` names, as a superuser; each test
//! gets a database there, cloned from a template that is migrated once and named after the migrations' checksums, so that tests may
//! run in one process or in many. Without a server the PostgreSQL half fails; leaving it out takes `HALLMARK_TEST_WITHOUT_POSTGRES=1`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use alloy::primitives::{hex, keccak256};
use hallmark::storage::Database;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

const SERVER: &str = "HALLMARK_TEST_POSTGRES_URL";
const WITHOUT: &str = "HALLMARK_TEST_WITHOUT_POSTGRES";
/// Where SQLite's files are put, if not among other temporary files.
const FOLDER: &str = "HALLMARK_TEST_DATABASE_FOLDER";
/// Only one process at a time makes the template.
const LOCK_TEMPLATE: &str = "SELECT pg_advisory_lock(7521983763894625900)";
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Defines one test for each engine from one body, as `name::sqlite` and `name::postgres`.
///
/// The body takes a migrated `Database`, or a [`Fresh`] where it wants the URL.
macro_rules! on_both_engines {
    () => {};
    ($(#[$meta:meta])* async fn $name:ident($db:ident: Database) $body:block $($rest:tt)*) => {
        $crate::support::databases::on_both_engines! {
            $(#[$meta])*
            async fn $name(fresh: Fresh) {
                let $db = fresh.database().await;
                $body
            }
            $($rest)*
        }
    };
    ($(#[$meta:meta])* async fn $name:ident($fresh:ident: Fresh) $body:block $($rest:tt)*) => {
        $(#[$meta])*
        async fn $name($fresh: &$crate::support::databases::Fresh) $body

        mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name(&$crate::support::databases::Fresh::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(fresh) = $crate::support::databases::Fresh::postgres().await {
                    super::$name(&fresh).await;
                }
            }
        }
        $crate::support::databases::on_both_engines! { $($rest)* }
    };
}
pub(crate) use on_both_engines;

/// A migrated database that nobody else uses, gone when this is dropped.
pub(crate) struct Fresh {
    url: String,
    place: Place,
}

enum Place {
    Folder { folder: TempDir },
    Server { admin: Url, name: String },
}

impl Fresh {
    /// On SQLite: a copy of a file that is migrated once in each process.
    pub(crate) async fn sqlite() -> Self {
        static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
        let migrated = MIGRATED.get_or_init(|| async {
            let (fresh, file) = Self::folder();
            let database = fresh.database().await;
            database.migrate().await.unwrap();
            database.close().await;
            std::fs::read(file).unwrap()
        });
        let (fresh, file) = Self::folder();
        std::fs::write(file, migrated.await).unwrap();
        fresh
    }

    /// A place for a SQLite file, and the file, which is not there yet.
    fn folder() -> (Self, PathBuf) {
        let folder = setting(FOLDER).map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
        let file = folder.path().join("hallmark.db");
        let url = format!("sqlite://{}", file.display());
        (Self { url, place: Place::Folder { folder } }, file)
    }

    /// On PostgreSQL; `None` only where the tests were told to leave it out.
    pub(crate) async fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let admin = server()?;
        let template = template(&admin).await;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hallmark_test_{}_{count}", std::process::id());
        let mut conn = PgConnection::connect(admin.as_str()).await.unwrap();
        run(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut conn, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        conn.close().await.unwrap();
        Some(Self { url: of_server(&admin, &name), place: Place::Server { admin, name } })
    }

    /// Another one, on the same engine.
    pub(crate) async fn another(&self) -> Self {
        if self.is_sqlite() {
            return Self::sqlite().await;
        }
        Self::postgres().await.expect("there was a server for this one")
    }

    /// Takes everything out of it, the schema as well, as if no program had ever seen it. Nothing may have it open.
    pub(crate) async fn empty(&self) {
        let Place::Folder { folder } = &self.place else {
            return self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
        };
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }

    /// Its URL, for `--database-url` and for drivers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is on SQLite.
    pub(crate) const fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Folder { .. })
    }

    /// Makes it as empty as before any migration.
    pub(crate) async fn clear(&self) {
        match &self.place {
            Place::Folder { folder } => {
                for file in std::fs::read_dir(folder.path()).unwrap() {
                    std::fs::remove_file(file.unwrap().path()).unwrap();
                }
            }
            Place::Server { .. } => {
                self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            }
        }
    }

    /// Bytes as this engine writes them in a statement.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        if self.is_sqlite() { format!("x'{hex}'") } else { format!(r"'\x{hex}'::bytea") }
    }

    /// Runs statements past the program, to look at what it did or to break what it keeps.
    pub(crate) async fn execute(&self, sql: &str) {
        self.rows(sql).await;
    }

    /// The last column of what statements answer, which must be text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let shown = format!("{}: {sql}", self.url);
        let sql = AssertSqlSafe(sql.to_owned());
        let rows: Result<Vec<String>, sqlx::Error> = if self.is_sqlite() {
            let mut conn = SqliteConnection::connect(&self.url).await.unwrap();
            let rows = sqlx::raw_sql(sql).fetch_all(&mut conn).await;
            rows.and_then(|rows| rows.iter().map(|row| row.try_get(row.len() - 1)).collect())
        } else {
            let mut conn = PgConnection::connect(&self.url).await.unwrap();
            let rows = sqlx::raw_sql(sql).fetch_all(&mut conn).await;
            rows.and_then(|rows| rows.iter().map(|row| row.try_get(row.len() - 1)).collect())
        };
        rows.unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// Opens it, as the program does.
    pub(crate) async fn database(&self) -> Database {
        Database::open(&self.url).await.unwrap()
    }
}

impl Drop for Fresh {
    /// Drops a server's database also where the test failed, on a thread of its own since dropping cannot wait.
    fn drop(&mut self) {
        let Place::Server { admin, name } = &self.place else { return };
        let (admin, name) = (admin.clone(), name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut conn = PgConnection::connect(admin.as_str()).await?;
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
                conn.close().await
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            say(&format!("a test's database was not dropped: {error}"));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings, not the program's")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn server() -> Option<Url> {
    if let Some(url) = setting(SERVER) {
        return Some(url.parse().unwrap_or_else(|e| panic!("{SERVER} is not a URL: {e}")));
    }
    assert!(
        setting(WITHOUT).as_deref() == Some("1"),
        "no PostgreSQL to test on: run `./test`, which starts one, or name a server in {SERVER} \
         (to leave this half of the suite out, set {WITHOUT}=1)"
    );
    say(&format!("!!! NOT TESTED ON POSTGRESQL, because {WITHOUT}=1 !!!"));
    None
}

/// Straight to the stream: what a passing test prints is otherwise not shown.
fn say(text: &str) {
    // Nobody is left to be told where even this fails.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn of_server(admin: &Url, database: &str) -> String {
    let mut url = admin.clone();
    url.set_path(database);
    url.into()
}

/// The name of the migrated database that others are cloned from, which is made here if it is not there.
///
/// It takes its name when it is complete, so that a process that died while making it leaves nothing that looks like one.
async fn template(admin: &Url) -> String {
    let sums: Vec<u8> = MIGRATIONS.iter().flat_map(|m| m.checksum.iter().copied()).collect();
    let sum = hex::encode(&keccak256(sums)[..8]);
    let (name, unfinished) =
        (format!("hallmark_template_{sum}"), format!("hallmark_unfinished_{sum}"));
    let mut conn = PgConnection::connect(admin.as_str()).await.unwrap_or_else(|error| {
        panic!("cannot reach the server that {SERVER} names: {error}; run `./test`")
    });
    run(&mut conn, LOCK_TEMPLATE.to_owned()).await;
    let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut conn)
        .await
        .unwrap();
    if found.is_none() {
        run(&mut conn, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
        run(&mut conn, format!("CREATE DATABASE {unfinished} TEMPLATE template0")).await;
        let database = Database::open(&of_server(admin, &unfinished)).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await;
        run(&mut conn, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    conn.close().await.unwrap();
    name
}

async fn run(conn: &mut PgConnection, sql: String) {
    let shown = sql.clone();
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await {
        panic!("{shown}: {error}");
    }
}
