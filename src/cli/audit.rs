//! `hallmark audit`: checks the record, by itself or against the chain, and mends it where asked.
//!
//! Each check is a record of its own; so is each thing that was mended, or could not be. After mending everything is checked again, and
//! what is found then decides how the command ends.

use serde_json::json;

use super::args::AuditArgs;
use super::progress::Steps;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open};
use crate::app::{
    AgainstChain, Audited, Checked, Clock, Repair, Repaired, Sample, SystemClock, Told, Verdict,
    audit, audit_against_chain, repair,
};
use crate::chain::{ChainSource, FollowerOptions, LogFilter};
use crate::config::Config;
use crate::registry::KnownImplementations;
use crate::storage::{Database, StorageError};

/// So often a repair is followed by another at most.
const REPAIRS_MAX: u32 = 3;

/// What an audit works with.
struct Auditor<'a, S> {
    database: &'a Database,
    source: &'a S,
    filter: LogFilter,
    options: FollowerOptions,
    known: KnownImplementations,
    against_chain: Option<(Sample, usize)>,
}

pub(super) fn run(config: &Config, wanted: &AuditArgs, out: &mut Output) -> Result<Exit, CliError> {
    run_until_signal(async |mut stop| {
        let database = open::used_database(config).await?;
        let _lock = if wanted.repair { Some(lock(&database).await?) } else { None };
        let source = open::source(config)?;
        let auditor = Auditor {
            database: &database,
            source: &source,
            filter: open::filter(config),
            options: open::follower_options(config),
            known: open::known(config),
            against_chain: wanted.against_chain.then(|| (sample(wanted), wanted.batch.get())),
        };
        let done = tokio::select! {
            done = auditor.run(wanted.repair, out) => done?,
            _ = stop.wait_for(|stop| *stop) => {
                tracing::info!("stopped; nothing was changed that is not told above");
                return Ok(Exit::Failed);
            }
        };
        database.close().await;
        Ok(done)
    })?
}

async fn lock(database: &Database) -> Result<crate::storage::WriterLock, CliError> {
    database.lock_writer().await.map_err(|error| {
        let is_followed = matches!(error, StorageError::Followed);
        let hint = "stop the follower, repair, and start it again; an audit without --repair runs beside it";
        CliError::new(Exit::Failed, &error).with_hint(is_followed.then(|| hint.to_owned()))
    })
}

fn sample(wanted: &AuditArgs) -> Sample {
    if wanted.all {
        return Sample::All;
    }
    let seed = wanted.seed.unwrap_or_else(|| SystemClock.now().get());
    Sample::Drawn { count: wanted.sample.get(), seed }
}

impl<S: ChainSource> Auditor<'_, S> {
    async fn run(&self, mend: bool, out: &mut Output) -> Result<Exit, CliError> {
        let mut steps = Steps::new();
        let mut audited = self.audit(&mut |told| steps.hear(told)).await?;
        steps.clear();
        if let Some((Sample::Drawn { count, seed }, _)) = self.against_chain {
            out.record(&json!({ "sample": count, "seed": seed }), || {
                format!("sample {count}, drawn with --seed {seed}")
            })?;
        }
        tell(&audited, out)?;
        // What is put in may show what else is missing.
        for _ in 0..REPAIRS_MAX {
            if !mend || audited.suspects.is_empty() {
                break;
            }
            let mender = Repair {
                database: self.database,
                source: self.source,
                filter: &self.filter,
                options: &self.options,
                known: &self.known,
            };
            let told = &mut |told| steps.hear(told);
            let repaired = repair(&mender, &audited.suspects, told).await?;
            steps.clear();
            tell_repaired(&repaired, out)?;
            if repaired.done.is_empty() {
                break;
            }
            audited = self.audit(&mut |told| steps.hear(told)).await?;
            steps.clear();
            tell(&audited, out)?;
        }
        Ok(exit(audited.verdict()))
    }

    async fn audit(&self, told: &mut (dyn FnMut(Told) + Send)) -> Result<Audited, CliError> {
        let mut audited = audit(self.database, &self.known, told).await?;
        if let Some((sample, calls_per_batch)) = self.against_chain {
            let asked = AgainstChain {
                database: self.database,
                source: self.source,
                filter: &self.filter,
                options: &self.options,
                known: &self.known,
                sample,
                calls_per_batch,
            };
            audited.extend(audit_against_chain(&asked, told).await?);
        }
        Ok(audited)
    }
}

const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Sound => Exit::Done,
        Verdict::Wrong => Exit::Negative,
        Verdict::Unsaid => Exit::Failed,
    }
}

fn tell(audited: &Audited, out: &mut Output) -> Result<(), CliError> {
    for check in &audited.checks {
        out.record(&as_json(check), || as_text(check))?;
    }
    Ok(())
}

fn tell_repaired(repaired: &Repaired, out: &mut Output) -> Result<(), CliError> {
    for done in &repaired.done {
        out.record(&json!({ "mended": done }), || format!("mended {done}"))?;
    }
    for left in &repaired.left {
        out.record(&json!({ "left": left }), || format!("left   {left}"))?;
    }
    if repaired.done.is_empty() {
        let nothing = "nothing that the chain has otherwise was found";
        out.record(&json!({ "left": nothing }), || format!("left   {nothing}"))?;
    }
    Ok(())
}

fn as_json(check: &Checked) -> serde_json::Value {
    json!({
        "check": check.id,
        "rule": check.rule,
        "ok": check.verdict() == Verdict::Sound,
        "verdict": check.verdict().as_str(),
        "looked_at": check.looked_at,
        "offence_count": check.offence_count,
        "offences": check.offences,
        "unsaid": check.unsaid,
        "note": check.note,
    })
}

fn as_text(check: &Checked) -> String {
    let verdict = match check.verdict() {
        Verdict::Sound => "ok    ",
        Verdict::Wrong => "WRONG ",
        Verdict::Unsaid => "UNSAID",
    };
    let mut text = format!("{verdict} {}: {}", check.id, check.rule);
    let looked_at = check.looked_at.map(|count| format!("{count} looked at"));
    let aside: Vec<String> = looked_at.into_iter().chain(check.note.clone()).collect();
    if !aside.is_empty() {
        text.push_str(" (");
        text.push_str(&aside.join("; "));
        text.push(')');
    }
    let named = u64::try_from(check.offences.len()).unwrap_or(u64::MAX);
    let more = check.offence_count.saturating_sub(named);
    let more = (more > 0).then(|| format!("and {more} more"));
    let unsaid = check.unsaid.as_ref().map(|why| format!("could not say: {why}"));
    for line in check.offences.iter().cloned().chain(more).chain(unsaid) {
        text.push_str("\n         ");
        text.push_str(&line);
    }
    text
}
