//! Tests of `kept`: one hop of kept records, whatever is there of it.

use serde_json::json;

use super::*;
use crate::attest::TypedRecord;

const PARENT: &str = "did:web:parent.example";
const CHILD: &str = "did:web:child.example";
const STRANGER: &str = "did:web:stranger.example";

fn kept(mut record: serde_json::Value, schema: &str, issuer: &str, minute: u32) -> Kept {
    record["schema"] = json!(format!("hallmark/{schema}/1"));
    record["issuer"] = json!(issuer);
    record["issued_at"] = json!(format!("2026-02-03T11:{minute:02}:00Z"));
    let typed = TypedRecord::from_value(record).unwrap();
    Kept { digest: typed.digest(), record: Record::read(&typed).unwrap(), holds: true }
}

fn grant(under: &serde_json::Value, action: &str, minute: u32) -> Kept {
    let digest = crate::delegation::Specification::digest_of(&[json!("short")], None).unwrap();
    kept(
        json!({
            "child": { "agent": CHILD }, "under": under, "task_class": "work",
            "specification": { "conditions": ["short"], "author": "parent", "digest": digest },
            "scope": { "actions": [action] }, "expires_at": "2026-02-03T12:00:00Z",
            "may_delegate": true, "inheritance": "none",
        }),
        "grant",
        PARENT,
        minute,
    )
}

fn accepted(grant: &Kept, issuer: &str, parent: &str) -> Kept {
    kept(json!({ "grant": grant.digest, "parent": parent }), "acceptance", issuer, 10)
}

fn kinds(found: &KeptHop) -> Vec<&str> {
    found.findings.iter().map(|finding| finding.kind.as_str()).collect()
}

#[test]
fn a_hop_weighs_what_its_records_say_in_any_order() {
    let granted = grant(&json!({ "buyer": "did:web:buyer.example" }), "read", 5);
    let taken = accepted(&granted, CHILD, PARENT);
    let seen = |event: &str, previous: &Kept, minute| {
        let event = Digest::of(event.as_bytes());
        let body = json!({
            "grant": granted.digest, "previous": previous.digest, "kind": "monitoring", "event": event,
        });
        kept(body, "interaction", PARENT, minute)
    };
    let first = seen("one", &taken, 11);
    let second = seen("two", &first, 12);
    let judges = Judges::default();
    let alone = kept_hop(granted.digest, vec![taken.clone()], &judges).unwrap();
    assert_eq!(
        (alone.hop.state, alone.inputs, alone.is_active()),
        (HopState::ClaimedByChild, None, false)
    );
    let one_sided = kept_hop(granted.digest, vec![granted.clone()], &judges).unwrap();
    assert_eq!(one_sided.hop.state, HopState::ClaimedByParent);
    let all = vec![second, taken.clone(), first, granted.clone()];
    let found = kept_hop(granted.digest, all, &judges).unwrap();
    let inputs = found.inputs.unwrap();
    assert_eq!((inputs.chars, inputs.interactions, inputs.capability_ppm), (9, 2, None));
    assert_eq!((found.is_active(), found.findings.len(), found.is_disputed), (true, 0, false));
    // An acceptance that turns out not to be the child's word is none.
    let undone = vec![granted.clone(), Kept { holds: false, ..taken }];
    let found = kept_hop(granted.digest, undone, &judges).unwrap();
    assert_eq!((found.hop.state, kinds(&found)), (HopState::ClaimedByParent, vec!["signature"]));
    assert_eq!(kept_hop(Digest::of(b"another"), vec![granted], &judges), None);
}

#[test]
fn what_records_say_against_each_other_is_found_and_what_is_missing_is_not() {
    let above = grant(&json!({ "buyer": "did:web:buyer.example" }), "read", 5);
    let below = grant(&json!({ "grant": above.digest }), "write", 20);
    let judges = Judges::default();
    let missing = kept_hop(below.digest, vec![below.clone()], &judges).unwrap();
    assert_eq!(kinds(&missing), [""; 0], "the grant above may yet come");
    let found = kept_hop(below.digest, vec![below.clone(), above.clone()], &judges).unwrap();
    assert_eq!(kinds(&found), ["stranger", "widens"]);
    assert_eq!((found.hop.above, found.is_active()), (None, false), "it hangs nowhere");
    assert!(found.findings[0].detail.starts_with(PARENT), "{}", found.findings[0].detail);
    // Of the hop above nothing is told here.
    let of_above = kept_hop(above.digest, vec![below, above.clone()], &judges).unwrap();
    assert_eq!(kinds(&of_above), [""; 0]);
    let other = accepted(&above, CHILD, "did:web:somebody.example");
    let stranger = accepted(&above, STRANGER, PARENT);
    let says = |issuer: &str, ruling: &str, minute| {
        let body = json!({
            "grant": above.digest, "ruling": ruling, "what": "late", "detected_at": "2026-02-03T11:20:00Z",
        });
        kept(body, "verdict", issuer, minute)
    };
    let Record::Grant(granted) = &above.record else { unreachable!("it is a grant") };
    let judges = Judges::of([granted.as_ref()]);
    let mut records = vec![above.clone(), other, stranger];
    records.extend([says(PARENT, "failed", 30), says(STRANGER, "failed", 31)]);
    let found = kept_hop(above.digest, records.clone(), &judges).unwrap();
    let mut told = kinds(&found);
    told.sort_unstable();
    let expected =
        ["accepted_by_stranger", "contradiction", "judged_by_party", "judged_by_stranger"];
    assert_eq!(told, expected);
    assert!(!found.is_disputed, "neither a party's judgement nor a stranger's is a dispute");
    records.push(says("did:web:buyer.example", "failed", 32));
    assert!(kept_hop(above.digest, records.clone(), &judges).unwrap().is_disputed);
    records.push(says("did:web:buyer.example", "dismissed", 33));
    assert!(!kept_hop(above.digest, records, &judges).unwrap().is_disputed, "taken back");
}
