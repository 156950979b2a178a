//! Feedback and validations: each is there once, numbered without gaps, and what follows on it has something to follow on.
//!
//! Events are read in the order of what they share: agent, client and number of a feedback, or a request's hash. Neighbours in that
//! order are all that is ever needed. Feedback in forms before January 2026 carries no number; where there is any, numbers prove nothing.

use alloy::primitives::{Address, B256, U256};

use super::suspects::FeedbackGap;
use super::{Checked, Suspects, Told};
use crate::storage::{StorageError, ThreadEvent, Tx};
use crate::vocab::AgentId;

/// So many events are read at once.
const PER_PAGE: u32 = 10_000;

/// Agent, client and number, out of a thread of feedback.
type Feedback = (AgentId, Address, u64);

fn feedback_of(thread: &[u8]) -> Option<Feedback> {
    let (agent, rest) = thread.split_first_chunk::<32>()?;
    let (client, rest) = rest.split_first_chunk::<20>()?;
    let index = u64::from_be_bytes(*<&[u8; 8]>::try_from(rest).ok()?);
    Some((AgentId(U256::from_be_bytes(*agent)), Address::from(client), index))
}

/// The running state: what came before in the order of threads.
struct Walk<'a> {
    suspects: &'a mut Suspects,
    dense: Checked,
    followed: Checked,
    /// The last number of a client on an agent that was seen.
    last: Option<Feedback>,
    /// The events of the thread at hand.
    group: Vec<ThreadEvent>,
}

/// Walks all threads; `unnumbered` feedback is none of them.
pub(super) async fn checks(
    tx: &mut Tx,
    unnumbered: u64,
    suspects: &mut Suspects,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<[Checked; 2], StorageError> {
    let of = tx.event_count().await?;
    let mut walk = Walk {
        suspects,
        dense: Checked::new(
            "feedback-dense",
            "feedback is numbered from 1 without gaps, for each agent and client",
        ),
        followed: Checked::new(
            "follow-ups-have-origins",
            "what follows on a feedback or a validation follows on one that is held",
        ),
        last: None,
        group: Vec::new(),
    };
    if unnumbered > 0 {
        let why = format!("{unnumbered} feedbacks carry no number, in a form before January 2026");
        walk.dense.unsaid = Some(why.clone());
        walk.followed.unsaid = Some(why);
        return Ok([walk.dense, walk.followed]);
    }
    let mut after = None;
    let mut done = 0_u64;
    loop {
        let page = tx.threads_after(after.as_ref(), PER_PAGE).await?;
        let Some(last) = page.last().cloned() else { break };
        done += u64::try_from(page.len()).unwrap_or_default();
        for event in page {
            if walk.group.first().is_some_and(|first| first.thread != event.thread) {
                walk.close();
            }
            // Anybody may answer a feedback any number of times: the first answer tells as much as all of them.
            if walk.group.last().is_none_or(|l| l.name != event.name) || is_single(&event.name) {
                walk.group.push(event);
            }
        }
        after = Some(last);
        told(Told { doing: "reading feedback and validations", done, of });
    }
    walk.close();
    Ok([walk.dense, walk.followed])
}

/// Whether there is one at most in a thread.
fn is_single(name: &str) -> bool {
    matches!(name, "NewFeedback" | "FeedbackRevoked" | "ValidationRequest")
}

impl Walk<'_> {
    /// Judges the thread at hand.
    fn close(&mut self) {
        let group = std::mem::take(&mut self.group);
        let Some(first) = group.first() else { return };
        if let Some(feedback) = feedback_of(&first.thread) {
            self.feedback(feedback, &group);
        } else if let Ok(hash) = B256::try_from(first.thread.as_slice()) {
            let what = format!("validation {hash}");
            let is_there = self.follow_ups(&group, "ValidationRequest", &what);
            if !is_there {
                self.suspects.request(hash);
            }
        }
    }

    fn feedback(&mut self, (agent, client, index): Feedback, group: &[ThreadEvent]) {
        let what = format!("feedback {index} of agent {agent} by {client}");
        if !self.follow_ups(group, "NewFeedback", &what) {
            // Its number is missing among those of its client, which is said when the next one comes.
            self.suspects.feedback_gap(FeedbackGap { agent, client, first: index, last: index });
            return;
        }
        self.dense.look(1);
        let before = match self.last {
            Some((a, c, last)) if a == agent && c == client => last,
            Some(_) | None => 0,
        };
        let (first, last) = (before.saturating_add(1), index.saturating_sub(1));
        if first <= last {
            let numbers =
                if first == last { format!("{first}") } else { format!("{first} to {last}") };
            self.dense
                .offend(format!("feedback {numbers} of agent {agent} by {client} is missing"));
            self.suspects.feedback_gap(FeedbackGap { agent, client, first, last });
        } else if index == 0 {
            self.dense.offend(format!("{what} is numbered 0"));
            self.suspect(group);
        }
        self.last = Some((agent, client, index));
    }

    /// Whether a thread has its origin; what stands in it is held against it.
    fn follow_ups(&mut self, group: &[ThreadEvent], origin: &str, what: &str) -> bool {
        let origin_at = group.iter().find(|event| event.name == origin).map(|event| event.at);
        let before = self.followed.offence_count;
        let mut last: Option<&ThreadEvent> = None;
        for event in group {
            let twice = last.is_some_and(|last| last.name == event.name) && is_single(&event.name);
            last = Some(event);
            let (name, block) = (&event.name, event.at.block_number);
            if twice {
                self.followed.offend(format!("{what} has a second {name}, at block {block}"));
            }
            if event.name == origin {
                continue;
            }
            self.followed.look(1);
            match origin_at {
                None => {
                    self.followed
                        .offend(format!("{what} is missing, but has a {name} at block {block}"));
                }
                Some(at) if event.at < at => {
                    self.followed
                        .offend(format!("{what} has a {name} before it, at block {block}"));
                }
                Some(_) => {}
            }
        }
        if self.followed.offence_count > before {
            self.suspect(group);
        }
        origin_at.is_some()
    }

    fn suspect(&mut self, group: &[ThreadEvent]) {
        for event in group {
            self.suspects.block(event.at.block_number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RegistryEvent;
    use crate::vocab::Position;

    fn walk(events: &[(&str, u64, u64, u64)]) -> (Vec<String>, Vec<String>, Suspects) {
        let mut suspects = Suspects::default();
        let mut walk = Walk {
            suspects: &mut suspects,
            dense: Checked::new("dense", ""),
            followed: Checked::new("followed", ""),
            last: None,
            group: Vec::new(),
        };
        for (name, agent, index, block) in events {
            let event = RegistryEvent::FeedbackRevoked {
                agent: (*agent).into(),
                client: Address::repeat_byte(7),
                index: *index,
            };
            let thread = event.thread().unwrap().to_vec();
            if walk.group.first().is_some_and(|first| first.thread != thread) {
                walk.close();
            }
            let at = Position::new(*block, 0);
            walk.group.push(ThreadEvent { thread, name: (*name).to_owned(), at });
        }
        walk.close();
        (walk.dense.offences, walk.followed.offences, suspects)
    }

    const CLIENT: &str = "0x0707070707070707070707070707070707070707";

    #[test]
    fn numbers_have_no_gaps_within_an_agent() {
        let sound = [("NewFeedback", 1, 1, 5), ("NewFeedback", 1, 2, 6), ("NewFeedback", 2, 1, 7)];
        assert_eq!(walk(&sound), (vec![], vec![], Suspects::default()));
        let (dense, followed, suspects) =
            walk(&[("NewFeedback", 1, 2, 5), ("NewFeedback", 1, 5, 6), ("NewFeedback", 2, 1, 7)]);
        assert_eq!(
            dense,
            [
                format!("feedback 1 of agent 1 by {CLIENT} is missing"),
                format!("feedback 3 to 4 of agent 1 by {CLIENT} is missing"),
            ]
        );
        assert_eq!((followed.len(), suspects.feedback.len()), (0, 2));
    }

    #[test]
    fn what_follows_needs_an_origin_before_it() {
        let (dense, followed, suspects) = walk(&[
            ("FeedbackRevoked", 1, 1, 9),
            ("NewFeedback", 1, 1, 5),
            ("ResponseAppended", 1, 1, 4),
            ("ResponseAppended", 2, 1, 8),
        ]);
        assert_eq!(dense, [""; 0]);
        assert_eq!(
            followed,
            [
                format!(
                    "feedback 1 of agent 1 by {CLIENT} has a ResponseAppended before it, at block 4"
                ),
                format!(
                    "feedback 1 of agent 2 by {CLIENT} is missing, but has a ResponseAppended at block 8"
                ),
            ]
        );
        assert_eq!(suspects.feedback.len(), 1);
        assert!(suspects.blocks.contains(&4) && suspects.blocks.contains(&8));
    }
}
