//! A trace document that somebody brings, judged by what the document says and by what is known here.
//!
//! A document's spans are its maker's word. Those of agents that are followed here are replaced by their timelines, so that a forged span
//! proves nothing to whoever asks this service, and so that envelopes alone are enough where all who signed are known here.

use super::knowledge::know_agents;
use super::{AttributionError, checked_apart};
use crate::app::Records;
use crate::app::rekey::followed;
use crate::delegation::{PARTIES_MAX, Standing, TraceDocument, TraceVerdict, verify_trace};
use crate::storage::Tags;
use crate::vocab::RegistryRef;

/// What was found of a document.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict, with the wallets of agents as they are known here.
    pub verdict: TraceVerdict,
    /// Whether the document holds by its own word.
    pub by_its_word: Standing,
    /// As of which state wallets were looked up; `None` where no chain is followed.
    pub as_of: Option<(RegistryRef, Tags, u64)>,
}

impl Records {
    /// Judges a document.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judge(&self, document: TraceDocument) -> Result<Judged, AttributionError> {
        let (document, names) = checked_apart(move || {
            let names: Vec<_> = document.names().into_iter().take(PARTIES_MAX).collect();
            (document, names)
        })
        .await?;
        let mut tx = self.database.begin_read().await?;
        let mut ours = document.clone();
        know_agents(&mut tx, &mut ours, &names, &self.host).await?;
        let as_of = match followed(&mut tx).await? {
            Some(registry) => Some((registry, tx.tags().await?, tx.log_size().await?)),
            None => None,
        };
        drop(tx);
        let now = self.clock.now();
        let checked = checked_apart(move || {
            let by_its_word = verify_trace(&document, now).standing;
            // Blocks of the document that are not ours make it one that cannot be true together with what is known here.
            match ours.check() {
                Ok(()) => (verify_trace(&ours, now), by_its_word),
                Err(error) => {
                    let mut verdict = verify_trace(&document, now);
                    verdict.contradict(&error.to_string());
                    (verdict, by_its_word)
                }
            }
        });
        let (verdict, by_its_word) = checked.await?;
        Ok(Judged { verdict, by_its_word, as_of })
    }
}
