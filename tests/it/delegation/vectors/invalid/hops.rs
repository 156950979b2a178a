//! What a hop may not do, of the one above it and by itself.
#![expect(clippy::too_many_lines, reason = "a list, one vector after the other")]

use hallmark::delegation::Inheritance;

use super::*;

pub(super) fn all() -> Vec<Made> {
    vec![
        made(
            "widens-actions",
            "a grant allows an action that the one above does not",
            "the action `delete:all` is not within the scope above",
            &two(|_, below| below.scope.actions.insert(0, "delete:all".to_owned())),
        ),
        made(
            "widens-resources",
            "a grant names a resource outside of the scope above",
            "the resource `https://elsewhere.example/` is not within the scope above",
            &two(|_, below| {
                below.scope.resources = Some(vec!["https://elsewhere.example/".to_owned()]);
            }),
        ),
        made(
            "drops-resources",
            "a grant names no resources, and the one above does",
            "it does not say on which resources, and the scope above does",
            &two(|_, below| below.scope.resources = None),
        ),
        made(
            "drops-limit",
            "a grant has no limit where the one above has one",
            "it has no limit of `usdc`, and the scope above has 120000000",
            &two(|_, below| below.scope.limits.clear()),
        ),
        made(
            "raises-limit",
            "a grant has a higher limit than the one above",
            "its limit of `usdc` is 120000001, and that of the scope above 120000000",
            &two(|_, below| {
                below
                    .scope
                    .limits
                    .insert("usdc".to_owned(), hallmark::delegation::Amount(120_000_001));
            }),
        ),
        made(
            "outlives",
            "a grant lasts a second longer than the one above",
            "it expires at 2026-02-04T01:01:54Z, and the grant above at 2026-02-04T01:01:53Z",
            &two(|_, below| below.expires_at = time(START + 50_001)),
        ),
        made(
            "may-not-delegate",
            "a child delegates on that may not",
            "the grant above does not allow to delegate on",
            &two(|above, _| above.may_delegate = false),
        ),
        made(
            "ends-inheritance",
            "a grant takes off conditions that bind everybody below",
            "the conditions above bind everybody below (`inheritance` is `full`), and it ends that",
            &two(|above, _| above.inheritance = Inheritance::Full),
        ),
        made(
            "granted-after-expiry",
            "a grant is signed when the one above has expired",
            "and the grant above expired at 2026-02-03T11:11:43Z",
            &two(|above, below| {
                above.expires_at = time(START + 190);
                below.expires_at = time(START + 260);
            }),
        ),
        made(
            "granted-too-early",
            "a grant is signed before the one above was accepted",
            "and the grant above was taken at 2026-02-03T11:10:23Z only",
            &two(|_, below| below.issued_at = time(START + 105)),
        ),
        made(
            "granted-by-another",
            "a grant under another's grant",
            "and the grant above was to eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:2",
            &two(|_, below| below.issuer = agent(4)),
        ),
        made(
            "grant-above-missing",
            "the grant above is not in the document",
            "is not in the document",
            &two(|_, below| below.under = Under::Grant(digest("somewhere else"))),
        ),
        made(
            "granted-after-the-run",
            "a grant is signed when the run above had ended",
            "and the run above had ended at 2026-02-03T11:11:03Z",
            &one(|built| {
                let (above, accepted) = built.hire(usual());
                built.sign(outcome(above, agent(2), accepted, START + 150));
                built.hire(grant(agent(2), agent(3), Under::Grant(above), START + 200));
            }),
        ),
        made(
            "65-hops",
            "one hop more than are followed",
            "it is more than 64 hops from the buyer",
            &long(),
        ),
    ]
}

fn long() -> Builder {
    let mut built = Builder::new(66);
    let mut under = first();
    for hop in 1..=65 {
        let hire = grant(agent(hop), agent(hop + 1), under, START + 20 * u64::from(hop));
        under = Under::Grant(built.hire(hire).0);
    }
    built
}
