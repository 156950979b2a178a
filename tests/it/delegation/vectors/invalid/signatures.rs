//! Who signed, and when.
#![expect(clippy::too_many_lines, reason = "a list, one vector after the other")]

use super::*;

pub(super) fn all() -> Vec<Made> {
    let hired = |built: &mut Builder| {
        built.hire(usual());
    };
    vec![
        made(
            "rotated-away-wallet",
            "the parent signs by a wallet that it has rotated away",
            "at 2026-02-03T11:10:13Z; it did from 2026-02-03T11:08:33Z to 2026-02-03T11:09:23Z",
            &one(|built| {
                built.party(&agent(1)).wallets = vec![
                    span(1, START, Some(START + 50), "proven"),
                    span(9, START + 50, None, "proven"),
                ];
                hired(built);
            }),
        ),
        made(
            "wallet-not-yet",
            "the child accepts by a wallet that became its own only later",
            "at 2026-02-03T11:10:23Z; it did from 2026-02-03T11:11:53Z to 2026-02-04T12:08:34Z",
            &one(|built| {
                built.party(&agent(2)).wallets = vec![span(2, START + 200, None, "proven")];
                hired(built);
            }),
        ),
        made(
            "wallet-cleared-by-transfer",
            "the agent had been sold, and had no wallet",
            "to 2026-02-03T11:09:23Z",
            &one(|built| {
                built.party(&agent(1)).wallets =
                    vec![span(1, START, Some(START + 50), "registered")];
                hired(built);
            }),
        ),
        made(
            "forged-by-child",
            "the child signs a grant in its parent's name",
            "nor at any other time that is known",
            &one(|built| {
                let granted = built.sign_by(Record::Grant(Box::new(usual())), 2);
                built.sign(acceptance(granted, agent(1), agent(2), START + 110));
            }),
        ),
        made(
            "unknown-party",
            "the document says nothing of the wallets of the parent",
            "the document does not say who spoke for eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:1",
            &one(|built| {
                hired(built);
                built.document.parties.retain(|party| party.name != agent(1));
            }),
        ),
        made(
            "after-what-is-known",
            "the grant was signed after the block up to which the document knows wallets",
            "until 2026-02-04T12:08:33Z only",
            &one(|built| {
                let mut late = grant(agent(1), agent(2), first(), KNOWN + 10);
                late.expires_at = time(KNOWN + 1_000);
                built.hire(late);
            }),
        ),
        made(
            "from-the-future",
            "the grant was signed after it was checked",
            "which is yet to come; it was received at 2026-02-04T14:55:13Z",
            &one(|built| {
                let mut late = grant(agent(1), agent(2), first(), CHECKED + 1_000);
                late.expires_at = time(CHECKED + 10_000);
                built.hire(late);
            }),
        ),
        made(
            "changed-record",
            "a limit was raised after the grant was signed",
            "",
            &one(|built| {
                built.sign(usual());
                built.instead(|text| text.replace("120000000", "920000000"));
            }),
        ),
        made(
            "signature-of-another-record",
            "the signature is the one of an older grant",
            "",
            &one(|built| {
                let old = stated(
                    &Record::Grant(Box::new(grant(agent(1), agent(2), first(), START + 90)))
                        .typed()
                        .unwrap(),
                    1,
                );
                let mut new = stated(&Record::Grant(Box::new(usual())).typed().unwrap(), 1);
                new.signature = old.signature;
                built.add(new.to_value().to_string());
            }),
        ),
        made(
            "changed-proof",
            "the acceptance of a DID was changed after it was signed",
            "the signature is not that of the key over these bytes",
            &one(|built| {
                built.hire(grant(agent(1), name(COURIER), first(), START + 100));
                built.instead(|text| text.replace("hallmark.example", "hallmark2.example"));
            }),
        ),
        made(
            "key-that-ended",
            "the key of a DID had ended when it accepted",
            "to 2026-02-03T11:08:33Z",
            &one(|built| {
                built.party(&name(COURIER)).keys[0].to = Some(time(START));
                built.hire(grant(agent(1), name(COURIER), first(), START + 100));
            }),
        ),
        made(
            "another-key",
            "the document of the DID had another key under this name",
            "the signature is not that of the key over these bytes",
            &one(|built| {
                let other = built.party(&name(EVALUATOR)).keys[0].key.clone();
                let ed = judge().to_string();
                let ed = ed.strip_prefix("did:key:").unwrap().to_owned();
                assert_ne!(other, ed);
                built.party(&name(COURIER)).keys[0].key = ed;
                built.hire(grant(agent(1), name(COURIER), first(), START + 100));
            }),
        ),
        made(
            "key-is-not-there",
            "the document of the DID has no key of this name",
            "the document of did:web:courier.example has no key of this name",
            &one(|built| {
                built.party(&name(COURIER)).keys.clear();
                built.hire(grant(agent(1), name(COURIER), first(), START + 100));
            }),
        ),
        made(
            "contract-not-asked",
            "the acceptance may be a contract's: the chain has to be asked",
            "",
            &super::super::valid::unanswered().0,
        ),
        made(
            "contract-said-no",
            "the chain was asked, and no contract takes the acceptance for its own",
            "by a contract of it",
            &super::super::valid::answered("unsigned"),
        ),
    ]
}
