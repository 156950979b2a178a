//! Traces that do not hold, and documents that are none; each by one fault.
#![expect(clippy::too_many_lines, reason = "lists, one vector after the other")]

use hallmark::delegation::{
    Child, Grant, Inheritance, KeySpan, Kind, Record, Skill, Snapshots, Under,
};
use serde_json::{Value, json};

use super::super::build::*;
use super::Made;

pub(super) fn all() -> Vec<Made> {
    let mut all = signatures();
    all.extend(hops());
    all.extend(runs());
    all.extend(records());
    all.extend(documents());
    all
}

fn made(name: &'static str, about: &'static str, told: &'static str, built: &Builder) -> Made {
    Made { name, about, document: json!(built.document), told }
}

fn first() -> Under {
    Under::Buyer(buyer())
}

/// The usual grant of agent 1 to agent 2.
fn usual() -> Grant {
    grant(agent(1), agent(2), first(), START + 100)
}

/// A trace of one hop, changed before it is signed.
fn one(change: impl FnOnce(&mut Builder)) -> Builder {
    let mut built = Builder::new(3);
    change(&mut built);
    built
}

/// A trace of two hops: 1 to 2 to 3.
fn two(change: impl FnOnce(&mut Grant, &mut Grant)) -> Builder {
    let mut built = Builder::new(4);
    let (mut above, mut below) =
        (usual(), grant(agent(2), agent(3), Under::Grant(digest("")), START + 200));
    change(&mut above, &mut below);
    let (granted, _) = built.hire(above);
    if below.under == Under::Grant(digest("")) {
        below.under = Under::Grant(granted);
    }
    let signer = if below.issuer == agent(4) { 4 } else { 2 };
    let (parent, child) = (below.issuer.clone(), below.child.agent().unwrap().clone());
    let at = below.issued_at.get() + 10;
    let granted = built.sign_by(Record::Grant(Box::new(below)), signer);
    built.sign(acceptance(granted, parent, child, at));
    built
}

fn signatures() -> Vec<Made> {
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
            &super::valid::unanswered().0,
        ),
        made(
            "contract-said-no",
            "the chain was asked, and no contract takes the acceptance for its own",
            "by a contract of it",
            &super::valid::answered("unsigned"),
        ),
    ]
}

fn hops() -> Vec<Made> {
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

fn runs() -> Vec<Made> {
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

/// An envelope of something that is no record, or of none of this kind, signed all the same.
fn raw(value: Value) -> Builder {
    let typed = hallmark::attest::TypedRecord::from_value(value).unwrap();
    let mut built = Builder::new(2);
    built.add(stated(&typed, 1).to_value().to_string());
    built
}

fn records() -> Vec<Made> {
    let with = |name: &str, value: Value| {
        let mut grant = Record::Grant(Box::new(usual())).to_value().unwrap();
        grant[name] = value;
        raw(grant)
    };
    let without = |name: &str| {
        let mut grant = Record::Grant(Box::new(usual())).to_value().unwrap();
        grant.as_object_mut().unwrap().remove(name);
        raw(grant)
    };
    let skill = json!({ "skill": Skill { digest: digest("skill"), publisher: None } });
    let mut spec = json!(usual().specification);
    spec["conditions"][0]["value"] = json!(2_000.5);
    let mut other_spec = json!(usual().specification);
    other_spec["digest"] = json!(digest("another"));
    let mut scope = json!(usual().scope);
    scope["actions"] = json!(["write:report", "read:*"]);
    vec![
        made(
            "unknown-field",
            "a grant with a field that is not known",
            "envelope 0: `colour`: unknown field `colour`, expected one of `schema`, `issuer`, `issued_at`, `child`, `under`, `task_class`, `specification`, `scope`, `expires_at`, `may_delegate`, `inheritance`, `snapshots`, `required_ppm`, `nonce`, `about`",
            &with("colour", json!("red")),
        ),
        made(
            "missing-field",
            "a grant without an expiry",
            "envelope 0: `record`: missing field `expires_at`",
            &without("expires_at"),
        ),
        made(
            "null-field",
            "a grant with a field that is null",
            "envelope 0: `nonce`: leave out what is null, empty or has its default",
            &with("nonce", json!(null)),
        ),
        made(
            "unknown-kind",
            "a record of a kind that is not known",
            "envelope 0: `schema`: `hallmark/gift/1` is none of `hallmark/grant/1`, `hallmark/acceptance/1`, `hallmark/interaction/1`, `hallmark/outcome/1`, `hallmark/capability/1`, `hallmark/verdict/1`",
            &with("schema", json!("hallmark/gift/1")),
        ),
        made(
            "expires-before-it-is-signed",
            "a grant that had expired when it was signed",
            "envelope 0: `expires_at`: it is not after `issued_at`",
            &with("expires_at", json!(time(START + 100))),
        ),
        made(
            "to-itself",
            "an agent sets itself to work",
            "envelope 0: `child.agent`: it is the issuer: nobody sets itself to work",
            &with("child", json!({ "agent": agent(1) })),
        ),
        made(
            "skill-delegates",
            "a skill that may delegate on",
            "envelope 0: `may_delegate`: a skill sets nobody to work",
            &with("child", skill),
        ),
        made(
            "fraction",
            "a condition with a number that is not whole",
            "envelope 0: `specification.conditions[0]`: the number 2000.5 is not whole, from -2^53 to 2^53",
            &with("specification", spec),
        ),
        made(
            "other-specification-digest",
            "the specification is not the one of its digest",
            "",
            &with("specification", other_spec),
        ),
        made(
            "unordered-scope",
            "the entries of a scope are not in their order",
            "envelope 0: `scope.actions`: entries stand in ascending order of their bytes, each once",
            &with("scope", scope),
        ),
        made(
            "capability-out-of-range",
            "a capability of more than all",
            "envelope 0: `required_ppm`: 1000001 is not within 0 to 1000000",
            &with("required_ppm", json!(1_000_001)),
        ),
        made(
            "negative-capability",
            "a capability of less than nothing",
            "envelope 0: `required_ppm`: invalid value: integer `-1`, expected u32",
            &with("required_ppm", json!(-1)),
        ),
        made(
            "no-record",
            "an envelope that is none",
            "envelope 0: this is no signed envelope; send a credential with a `proof`, a JWT, an envelope of DSSE, an attestation of EAS, or a record with `type`, `account` and `signature`",
            &one(|built| built.add("{}".to_owned())),
        ),
        made(
            "two-keys",
            "an envelope with a key that stands twice",
            "envelope 0: the key `type` stands twice in one object: leave one of them out",
            &one(|built| {
                built.sign(usual());
                built.instead(|text| text.replacen('{', "{\"type\":\"eip712\",", 1));
            }),
        ),
    ]
}

fn documents() -> Vec<Made> {
    let hired = || {
        one(|built| {
            built.hire(usual());
        })
    };
    let changed = |change: fn(&mut Value)| {
        let mut document = json!(hired().document);
        change(&mut document);
        document
    };
    let made = |name, about, told, change: fn(&mut Value)| Made {
        name,
        about,
        document: changed(change),
        told,
    };
    assert_eq!(Kind::ALL.len(), 6);
    let _ = |key: KeySpan| key;
    vec![
        made(
            "document-other-schema",
            "a document of another version",
            "`schema`: it must be `hallmark/trace/1`",
            |document| document["schema"] = json!("hallmark/trace/2"),
        ),
        made(
            "document-unknown-field",
            "a document with a field that is not known",
            "`colour`: unknown field `colour`, expected one of `schema`, `as_of`, `envelopes`, `parties`, `answers`",
            |document| document["colour"] = json!("red"),
        ),
        made(
            "document-two-parties",
            "a party stands twice",
            "`parties[1].name`: the party is there already",
            |document| document["parties"][1] = document["parties"][0].clone(),
        ),
        made(
            "document-overlapping-spans",
            "an agent has two wallets at once",
            "`parties[0].wallets[1]`: it begins before the span before it ended",
            |document| {
                let span = document["parties"][0]["wallets"][0].clone();
                document["parties"][0]["wallets"].as_array_mut().unwrap().push(span);
            },
        ),
        made(
            "document-two-hashes",
            "a block has two hashes",
            "`parties[0].wallets[0].from`: block 41700000 has another hash or time elsewhere in the document",
            |document| {
                document["as_of"][0]["block"]["number"] = json!(BLOCK);
                document["as_of"][0]["block"]["time"] = json!(time(START));
            },
        ),
        made(
            "document-times-go-back",
            "a later block is older",
            "`parties[0].wallets[0].from`: blocks of the document are not in the order of their times",
            |document| document["as_of"][0]["block"]["time"] = json!(time(START - 10)),
        ),
        made(
            "document-span-after-as-of",
            "a span begins after the block up to which wallets are known",
            "`parties[0].wallets[0]`: it begins or ends after the block of `as_of`",
            |document| {
                document["as_of"][0]["block"]["number"] = json!(BLOCK - 1);
                document["as_of"][0]["block"]["time"] = json!(time(START - 2));
            },
        ),
        made(
            "document-no-as-of",
            "nothing says until when wallets are known",
            "`parties[0].wallets`: the document has no `as_of` of eip155:8453, so it does not say until when this is known",
            |document| document["as_of"] = json!([]),
        ),
        made(
            "document-account-in-lower-case",
            "an account without its capitals",
            "`parties[0].wallets[0].account`: write it as `eip155:8453:0x…`, the address with its EIP-55 capitals",
            |document| {
                let account = &mut document["parties"][0]["wallets"][0]["account"];
                *account = json!(account.as_str().unwrap().to_lowercase());
            },
        ),
        made(
            "document-key-of-another",
            "a key under the name of another DID",
            "`parties[3].keys[0].method`: it is no method of this DID",
            |document| document["parties"][3]["keys"][0]["method"] = json!("did:web:b.example#one"),
        ),
    ]
}
