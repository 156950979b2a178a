//! Processes of the benchmark, and what they have cost.
//!
//! The benchmark starts itself anew for every part that is measured, so that time and memory are that part's alone. Costs are read
//! from `/proc`: this runs on Linux only. Processor time has a resolution of 10 ms.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;

/// The kernel counts processor time in hundredths of a second on every architecture that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process of ours, ended when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program with other arguments.
    pub(crate) fn start(args: &[String]) -> Self {
        let program = std::env::current_exe().expect("this program is somewhere");
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program that runs can be started");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, stdout }
    }

    /// The next line it prints; panics where it ends instead.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).expect("a pipe can be read");
        assert!(read > 0, "a part of the benchmark ended early; what it said stands above");
        line.trim_end().to_owned()
    }

    /// The report that it prints as its last line.
    pub(crate) fn report<T: DeserializeOwned>(mut self) -> T {
        let report = serde_json::from_str(&self.line()).expect("it is a report");
        assert!(self.child.wait().expect("it can be waited for").success());
        report
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor seconds that a process has used so far.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    ticks(id).map_or(0.0, |(own, _)| own / TICKS_PER_SECOND)
}

/// Processor seconds of a process, its children, and those of its children that have ended.
pub(crate) fn cpu_seconds_of_family(id: u32) -> f64 {
    let Some((own, ended)) = ticks(id) else { return 0.0 };
    let parent_is =
        |child: &u32| stat(*child).and_then(|fields| fields.get(1)?.parse().ok()) == Some(id);
    let living: f64 = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(parent_is)
        .filter_map(ticks)
        .map(|(own, ended)| own + ended)
        .sum();
    (own + ended + living) / TICKS_PER_SECOND
}

/// The resident memory of a process, in MB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    /// The most it ever held.
    pub(crate) peak: f64,
}

impl Memory {
    pub(crate) fn of(id: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it lives");
        let mb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is told");
            let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number");
            kib / 1024.0
        };
        Self { now: mb("VmRSS:"), peak: mb("VmHWM:") }
    }

    /// This process's.
    pub(crate) fn own() -> Self {
        Self::of(std::process::id())
    }
}

/// The machine, and how busy it is with other things: its figures mean little without them.
pub(crate) fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cores} cores ({model}), load average {load} at the start")
}

/// Own ticks, and those of children that have ended.
fn ticks(id: u32) -> Option<(f64, f64)> {
    let fields = stat(id)?;
    let field = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((field(11)? + field(12)?, field(13)? + field(14)?))
}

/// The fields of `/proc/ID/stat` after the program's name, which may hold anything.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}
