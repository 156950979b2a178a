//! `hallmark invite`: invitations, one a line. Only their hashes are kept, so this is the one time they are seen.

use std::num::NonZeroU32;

use serde_json::json;

use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open};
use crate::app::{Characters, SystemClock};
use crate::config::Config;

/// The most that are made at once.
const COUNT_MAX: u32 = 1_000;
/// A year.
const HOURS_MAX: u32 = 366 * 24;

/// Makes invitations.
pub(super) fn run(
    config: &Config,
    count: NonZeroU32,
    hours: NonZeroU32,
    out: &mut Output,
) -> Result<Exit, CliError> {
    for (name, value, max) in
        [("--count", count.get(), COUNT_MAX), ("--hours", hours.get(), HOURS_MAX)]
    {
        if value > max {
            let error = std::io::Error::other(format!("{name} is {value}, and {max} at most"));
            return Err(CliError::new(Exit::Usage, &error));
        }
    }
    run_until_signal(async |_| {
        let database = open::existing_database(config).await?;
        let verbs = Characters {
            database: &database,
            clock: &SystemClock,
            host: &config.host,
            operator: None,
            contracts: None,
        };
        let made = verbs.invite(count.get(), u64::from(hours.get()) * 3_600).await;
        database.close().await;
        for invitation in made.map_err(|error| CliError::new(Exit::Failed, &error))? {
            let text = invitation.expose();
            out.record(&json!({ "invitation": text }), || text.to_owned())?;
        }
        Ok(Exit::Done)
    })?
}
