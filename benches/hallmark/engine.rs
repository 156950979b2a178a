//! Where a run's database is: a SQLite file in a temporary folder, or a PostgreSQL that was named or is started for the run.
//!
//! A PostgreSQL of our own has the settings that it comes with (`fsync`, `synchronous_commit` and `full_page_writes` on), a unix socket,
//! and no network; Hallmark and the floor each get a fresh database in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::floor::sink::Sink;
use super::process::cpu_seconds_of_family;

/// An engine, and where its databases are.
pub(crate) enum Engine {
    Sqlite(TempDir),
    Named { url: String },
    Own(Cluster),
}

impl Engine {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::with_prefix("hallmark-bench").unwrap())
    }

    pub(crate) fn postgres(url: Option<String>) -> Self {
        match url {
            Some(url) => Self::Named { url },
            None => Self::Own(Cluster::start()),
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        if matches!(self, Self::Sqlite(_)) { "SQLite" } else { "PostgreSQL" }
    }

    pub(crate) fn durability(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "write-ahead log, synchronous = NORMAL, for both",
            Self::Named { .. } => "as the server has it, for both",
            Self::Own(_) => {
                "as installed: fsync, synchronous_commit, full_page_writes on, for both"
            }
        }
    }

    /// The URL of a fresh database of this name.
    pub(crate) async fn fresh(&self, name: &str) -> String {
        let server = match self {
            Self::Sqlite(folder) => {
                return format!("sqlite://{}", folder.path().join(format!("{name}.db")).display());
            }
            Self::Named { url } => url.clone(),
            Self::Own(cluster) => cluster.url("postgres"),
        };
        let name = format!("hallmark_bench_{name}");
        let mut sink = Sink::open(&server).await;
        sink.run(&format!("DROP DATABASE IF EXISTS {name}")).await;
        sink.run(&format!("CREATE DATABASE {name}")).await;
        sink.close().await;
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        url.into()
    }

    /// How large a database is, in MB, with its log.
    pub(crate) async fn size_mb(&self, url: &str) -> f64 {
        const MB: f64 = 1_048_576.0;
        if let Some(path) = url.strip_prefix("sqlite://") {
            let size = |path: String| std::fs::metadata(path).map_or(0, |file| file.len());
            return (size(path.to_owned()) + size(format!("{path}-wal"))) as f64 / MB;
        }
        let mut sink = Sink::open(url).await;
        let bytes = sink.number("SELECT pg_database_size(current_database())").await;
        sink.close().await;
        bytes as f64 / MB
    }

    /// Processor seconds of the server so far; zero where there is none of ours.
    pub(crate) fn cpu_s(&self) -> f64 {
        match self {
            Self::Own(cluster) => cpu_seconds_of_family(cluster.postmaster()),
            Self::Sqlite(_) | Self::Named { .. } => 0.0,
        }
    }
}

/// A PostgreSQL server of our own in a temporary folder, ended when dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: TempDir,
}

impl Cluster {
    fn start() -> Self {
        let programs = programs();
        let folder = TempDir::with_prefix("hallmark-bench").unwrap();
        let cluster = Self { programs, folder };
        let path = cluster.folder.path();
        if is_root() {
            run(Command::new("chown").arg("nobody").arg(path));
        }
        let data = path.join("data");
        cluster.run(
            "initdb",
            &[
                "-D",
                text(&data),
                "-U",
                "postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ],
        );
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories='{}'", path.display());
        let log = path.join("server.log");
        cluster.run(
            "pg_ctl",
            &["-D", text(&data), "-l", text(&log), "-s", "-w", "-o", &options, "start"],
        );
        cluster
    }

    fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder.path().display())
    }

    fn postmaster(&self) -> u32 {
        let path = self.folder.path().join("data/postmaster.pid");
        let file = std::fs::read_to_string(path).unwrap();
        file.lines().next().unwrap().trim().parse().unwrap()
    }

    /// PostgreSQL refuses to run as root.
    fn run(&self, program: &str, args: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "nobody", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(args).current_dir(self.folder.path()));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        self.run("pg_ctl", &["-D", text(&data), "-s", "-m", "immediate", "-w", "stop"]);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The newest installed version's programs, or those on the path.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_default()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(command: &mut Command) {
    let output = command.stdin(std::process::Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
