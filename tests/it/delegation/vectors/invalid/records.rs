//! Records that are none.
#![expect(clippy::too_many_lines, reason = "a list, one vector after the other")]

use hallmark::delegation::Skill;

use super::*;

pub(super) fn all() -> Vec<Made> {
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
            "envelope 0: `colour`: unknown field `colour`, expected one of `schema`, `issuer`, `issued_at`, `child`, `under`, `task_class`, `specification`, `scope`, `expires_at`, `may_delegate`, `inheritance`, `snapshots`, `judges`, `required_ppm`, `nonce`, `about`",
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
            "unordered-judges",
            "the judges of a grant are not in their order",
            "envelope 0: `judges`: names stand in ascending order of their bytes, each once",
            &with("judges", json!([buyer(), judge()].map(|name| name.to_string()))),
        ),
        made(
            "judge-in-its-own-cause",
            "the child is a judge of its own run",
            "envelope 0: `judges[0]`: who sets to work, or is set to work, judges nobody",
            &with("judges", json!([agent(2)])),
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
