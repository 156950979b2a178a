//! Who held the agents of a trace, and when, by the chain's word.

use std::collections::BTreeSet;

use crate::app::rekey::followed;
use crate::delegation::{Control, ControlBy};
use crate::identity::{EvidencedSpan, SpanCause, TimelineRef};
use crate::storage::{StorageError, Tx};
use crate::vocab::{AccountId, Subject, UnixSeconds};

/// So many spans of an agent's owner, and of its wallet, are looked at.
const SPANS_MAX: u32 = 1_000;

/// By which accounts names were held: owners and wallets of agents, and accounts by themselves.
pub(super) async fn control_of(
    tx: &mut Tx,
    names: &BTreeSet<Subject>,
) -> Result<Vec<Control>, StorageError> {
    let Some(registry) = followed(tx).await? else { return Ok(Vec::new()) };
    let mut control = Vec::new();
    for name in names {
        match name {
            Subject::Account(account) => control.push(Control {
                name: name.clone(),
                account: *account,
                by: ControlBy::Itself,
                from: UnixSeconds::EPOCH,
                to: None,
            }),
            Subject::Agent(agent) if agent.registry == registry => {
                for timeline in [TimelineRef::Owner(agent.id), TimelineRef::Wallet(agent.id)] {
                    let spans = tx.timeline(timeline, None, SPANS_MAX).await?;
                    control
                        .extend(spans.iter().filter_map(|span| held(name, span, registry.chain)));
                }
            }
            Subject::Agent(_) | Subject::Did(_) | Subject::Platform { .. } => {}
        }
    }
    Ok(control)
}

fn held(name: &Subject, span: &EvidencedSpan, chain: crate::vocab::ChainId) -> Option<Control> {
    let address = span.record.value.account()?;
    let by = match (span.record.timeline, span.record.cause) {
        (TimelineRef::Owner(_), _) => ControlBy::Owner,
        (_, Some(SpanCause::Proven)) => ControlBy::ProvenWallet,
        _ => ControlBy::RegisteredWallet,
    };
    let to = match span.to {
        Some(to) => Some(to.time?),
        None => None,
    };
    Some(Control {
        name: name.clone(),
        account: AccountId { chain, address },
        by,
        from: span.from.time?,
        to,
    })
}
