//! What is said of a run, and does not fit.

use hallmark::delegation::{Child, Snapshots};

use super::*;

pub(super) fn all() -> Vec<Made> {
    vec![
        made(
            "accepted-after-expiry",
            "the child accepts when the grant has expired",
            "and the grant expired at 2026-02-03T11:10:18Z",
            &one(|built| {
                let mut short = usual();
                short.expires_at = time(START + 105);
                built.hire(short);
            }),
        ),
        made(
            "accepted-before-granted",
            "the acceptance says an earlier time than the grant",
            "and the grant at 2026-02-03T11:10:13Z only",
            &one(|built| {
                let granted = built.sign(usual());
                built.sign(acceptance(granted, agent(1), agent(2), START + 99));
            }),
        ),
        made(
            "accepted-from-another",
            "the acceptance says that somebody else granted it",
            "it says that eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:3 granted it",
            &one(|built| {
                let granted = built.sign(usual());
                built.sign(acceptance(granted, agent(3), agent(2), START + 110));
            }),
        ),
        made(
            "ended-before-it-began",
            "the outcome says an end before the acceptance",
            "it says that the run ended at 2026-02-03T11:10:18Z, and it began at 2026-02-03T11:10:23Z",
            &one(|built| {
                let (granted, accepted) = built.hire(usual());
                built.sign(outcome(granted, agent(2), accepted, START + 105));
            }),
        ),
        made(
            "snapshot-of-another",
            "the snapshot in the parent's place is of the child",
            "and stands in the grant for eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:1",
            &one(|built| {
                let parent =
                    Some(built.sign(capability(Child::Agent(agent(2)), 500_000, START + 50)));
                built.hire(Grant { snapshots: Snapshots { parent, child: None }, ..usual() });
            }),
        ),
        made(
            "snapshot-of-other-tasks",
            "the snapshot is for another class of tasks",
            "it is for tasks of `translation`, and the grant for `research.report`",
            &one(|built| {
                let mut told = capability(Child::Agent(agent(1)), 500_000, START + 50);
                "translation".clone_into(&mut told.task_class);
                let parent = Some(built.sign(told));
                built.hire(Grant { snapshots: Snapshots { parent, child: None }, ..usual() });
            }),
        ),
        made(
            "snapshot-too-late",
            "the snapshot was signed after the grant",
            "and the grant at 2026-02-03T11:10:13Z already",
            &one(|built| {
                let told = capability(Child::Agent(agent(1)), 500_000, START + 101);
                let parent = Some(built.sign(told));
                built.hire(Grant { snapshots: Snapshots { parent, child: None }, ..usual() });
            }),
        ),
    ]
}
