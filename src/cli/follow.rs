//! `hallmark follow`: keeps the database in step with the chain, without serving it.

use std::sync::Arc;

use tokio::sync::watch;

use super::progress::Display;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, open};
use crate::app::{AppError, Following};
use crate::config::Config;
use crate::storage::Database;

pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    run_until_signal(async |stop| {
        let database = open::database(config).await?;
        Box::pin(follow(config, &database, stop)).await?;
        database.close().await;
        Ok(Exit::Done)
    })?
}

/// Follows until told to stop.
pub(super) async fn follow(
    config: &Config,
    database: &Database,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CliError> {
    let source = Arc::new(open::source(config)?);
    let ingest = open::ingest(config, database.clone());
    let following =
        Following::open(source, ingest, open::filter(config), open::follower_options(config))
            .await?;
    let mut display = Display::new();
    let told = async move {
        // A sender that is gone means the same: nobody waits any more.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let followed: Result<(), AppError> =
        Box::pin(following.run(told, |event| display.hear(&event))).await;
    Ok(followed?)
}
