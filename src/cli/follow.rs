//! Following the chain, as `hallmark follow` and as one half of `hallmark`.
//!
//! Registration files are fetched beside it, and what the chain says of agents is taken into the log, in the same process: whoever follows
//! is the one that writes.
//! A node that cannot be reached is waited for, since it may come back; a node of another chain, or a registry that is not there, is not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::progress::Display;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, open};
use crate::app::{AppError, ChainRecords, Followed, Following, Rekeyer, SystemClock};
use crate::chain::{Providers, RpcSource};
use crate::config::Config;
use crate::storage::Database;

/// How long to wait before a node that could not be reached is tried again.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    run_until_signal(async |stop| {
        let (database, _) = open::checked_database(config).await?;
        let _lock = database.lock_writer().await?;
        let source = Arc::new(open::source(config)?);
        // On the heap: the future of a whole follower is large.
        Box::pin(follow(config, &database, source, stop, |_| {})).await?;
        database.close().await;
        Ok(Exit::Done)
    })?
}

/// Follows until told to stop; `hear` is told what happens.
pub(super) async fn follow(
    config: &Config,
    database: &Database,
    source: Arc<Providers<RpcSource>>,
    mut stop: watch::Receiver<bool>,
    mut hear: impl FnMut(&Followed<'_>),
) -> Result<(), AppError> {
    let mut display = Display::new();
    let mut tell = |event: Followed<'_>| {
        display.hear(&event);
        hear(&event);
    };
    let following = loop {
        match open(config, database, &source).await {
            Ok(following) => break following,
            Err(error) if error.is_transient() => tell(Followed::Trouble { error: &error }),
            Err(error) => return Err(error),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    };
    let told = async move {
        // A sender that is gone means the same: nobody waits any more.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let files = open::file_keeper(config, database);
    let kept = async {
        match &files {
            Some(files) => files.keep().await,
            None => std::future::pending().await,
        }
    };
    let records = open::records(config, database);
    let rekeyer = Rekeyer::new(database.clone(), config.host.clone(), Arc::new(SystemClock));
    let taken = ChainRecords::new(records);
    // Boxed, as the follower itself is.
    let (kept, taken) = (Box::pin(kept), Box::pin(taken.keep()));
    let relays = open::relay_keeper(config, database);
    let relayed = Box::pin(async {
        match &relays {
            Some(relays) => relays.keep().await,
            None => std::future::pending().await,
        }
    });
    let looked_up = Box::pin(rekeyer.run(std::future::pending()));
    tokio::select! {
        followed = following.run(told, tell) => followed,
        () = kept => Ok(()),
        () = taken => Ok(()),
        () = relayed => Ok(()),
        () = looked_up => Ok(()),
    }
}

async fn open(
    config: &Config,
    database: &Database,
    source: &Arc<Providers<RpcSource>>,
) -> Result<Following<Providers<RpcSource>>, AppError> {
    let ingest = open::ingest(config, database.clone());
    let (filter, options) = (open::filter(config), open::follower_options(config));
    Following::open(Arc::clone(source), ingest, filter, options, open::may_lack_code(config)).await
}
