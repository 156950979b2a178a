//! Documents that are none.
#![expect(clippy::too_many_lines, reason = "a list, one vector after the other")]

use hallmark::delegation::Kind;

use super::*;

pub(super) fn all() -> Vec<Made> {
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
            "document-empty",
            "a document without an envelope",
            "`envelopes`: there are none, and a trace has at least one",
            |document| document["envelopes"] = json!([]),
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
