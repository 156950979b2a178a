//! Traces that hold.
#![expect(clippy::too_many_lines, reason = "lists, one vector after the other")]

use alloy::signers::SignerSync as _;
use hallmark::delegation::{
    Acceptance, Answer, Child, InteractionKind, Party, Record, Skill, Under, WalletSpan,
};
use hallmark::tfd::Author;
use hallmark::vocab::Digest;
use serde_json::json;

use super::super::build::*;
use super::Made;

pub(super) fn all() -> Vec<Made> {
    let chain = |hops: u8| {
        let mut built = Builder::new(hops + 1);
        built.chain(hops);
        built
    };
    let made = |name, about, built: Builder| {
        let document = json!(built.document);
        Made { name, about, document, told: "" }
    };
    vec![
        made(
            "one-hop",
            "one delegation with everything that there is: snapshots, acceptance, interactions, outcome, verdict",
            chain(1),
        ),
        made("three-hops", "a chain of three, each grant under the one above", chain(3)),
        made("ten-hops", "a chain of ten", chain(10)),
        made(
            "every-form",
            "every form of envelope: typed data, text, proof inside, JWT, DSSE",
            every_form(),
        ),
        made(
            "skill",
            "a skill stands where a child stands, with both receipts by its parent",
            skill(),
        ),
        made(
            "rotated-in-time",
            "a wallet is rotated between two grants, each signed by the one of its time",
            rotated(),
        ),
        made(
            "claimed-by-parent",
            "the child never accepted: the hop carries nothing",
            claimed_by_parent(),
        ),
        made(
            "claimed-by-child",
            "a child accepts a grant that is not there: the hop carries nothing",
            claimed_by_child(),
        ),
        made(
            "other-grant",
            "the child accepted another grant than the one that is shown",
            replayed(),
        ),
        made(
            "widest-within",
            "a grant below with the very scope, expiry and limits of the one above",
            widest(),
        ),
        made("returning-agent", "an agent is hired by the one that it hired", returning()),
        made("several-buyers", "two traces in one document, for two buyers", several()),
        made(
            "signed-nonsense",
            "the child accepts from somebody else and before it was asked, and both say an end before the beginning: noted, and left out",
            nonsense(),
        ),
        made("fork", "the child tells a second, shorter story of the run", fork()),
        made(
            "late-interactions",
            "interactions that say a time after the run's end, and some that follow on its last",
            late(),
        ),
        made(
            "reviewed-specification",
            "the child wrote the specification, and the parent signed that it reviewed it",
            reviewed(),
        ),
        made(
            "contract-wallet",
            "a contract signed, and the document says at which block it said so (ERC-1271)",
            answered("erc1271"),
        ),
        made("linked-wallet", "an account that a DID was linked to accepts in its name", linked()),
    ]
}

fn first() -> Under {
    Under::Buyer(buyer())
}

/// An agent hires a courier, which hires a key.
fn every_form() -> Builder {
    let mut built = Builder::new(2);
    let courier = name(COURIER);
    let (above, _) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    let (middle, _) =
        built.hire(grant(agent(2), courier.clone(), Under::Grant(above), START + 200));
    built.hire(grant(courier, judge(), Under::Grant(middle), START + 300));
    built.sign(capability(Child::Agent(agent(1)), 700_000, START + 50));
    // A snapshot that no grant names belongs to no hop.
    built
}

fn skill() -> Builder {
    let mut built = Builder::new(3);
    let mut hire = grant(agent(1), agent(2), first(), START + 100);
    hire.child = Child::Skill(Skill { digest: digest("skill"), publisher: Some(agent(3)) });
    hire.may_delegate = false;
    let granted = built.sign(hire);
    let mut met = interaction(granted, agent(1), granted, "inputs", START + 110);
    met.kind = InteractionKind::InputsMet;
    let met = built.sign(met);
    let mut validated = interaction(granted, agent(1), met, "output", START + 120);
    validated.kind = InteractionKind::OutputValidated;
    let last = built.sign(validated);
    built.sign(outcome(granted, agent(1), last, START + 130));
    built
}

fn rotated() -> Builder {
    let mut built = Builder::new(3);
    built.party(&agent(1)).wallets =
        vec![span(1, START, Some(START + 150), "registered"), span(7, START + 150, None, "proven")];
    built.hire(grant(agent(1), agent(2), first(), START + 100));
    let second = grant(agent(1), agent(3), first(), START + 200);
    let granted = built.sign_by(Record::Grant(Box::new(second)), 7);
    built.sign(acceptance(granted, agent(1), agent(3), START + 210));
    built
}

fn claimed_by_parent() -> Builder {
    let mut built = Builder::new(2);
    built.sign(grant(agent(1), agent(2), first(), START + 100));
    built
}

fn claimed_by_child() -> Builder {
    let mut built = Builder::new(3);
    built.hire(grant(agent(1), agent(2), first(), START + 100));
    built.sign(acceptance(digest("not there"), agent(1), agent(3), START + 110));
    built
}

fn replayed() -> Builder {
    let mut built = Builder::new(2);
    built.sign(grant(agent(1), agent(2), first(), START + 100));
    built.sign(acceptance(digest("an older grant"), agent(1), agent(2), START + 110));
    built
}

fn widest() -> Builder {
    let mut built = Builder::new(3);
    let (above, _) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    built.hire(grant(agent(2), agent(3), Under::Grant(above), START + 110));
    built
}

fn returning() -> Builder {
    let mut built = Builder::new(3);
    let (above, _) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    let (middle, _) = built.hire(grant(agent(2), agent(1), Under::Grant(above), START + 200));
    built.hire(grant(agent(1), agent(3), Under::Grant(middle), START + 300));
    built
}

fn several() -> Builder {
    let mut built = Builder::new(3);
    let (one, _) = built.hire(grant(agent(1), agent(3), first(), START + 100));
    let other = Under::Buyer(name("did:web:other-buyer.example"));
    built.hire(grant(agent(2), agent(3), other, START + 100));
    built.sign(verdict(one, START + 30_000));
    built
}

fn fork() -> Builder {
    let mut built = Builder::new(2);
    let (granted, accepted) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    let one = built.sign(interaction(granted, agent(1), accepted, "one", START + 120));
    built.sign(interaction(granted, agent(1), one, "two", START + 130));
    built.sign(interaction(granted, agent(2), accepted, "other", START + 125));
    built
}

fn late() -> Builder {
    let mut built = Builder::new(2);
    let (granted, accepted) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    let one = built.sign(interaction(granted, agent(1), accepted, "one", START + 120));
    let two = built.sign(interaction(granted, agent(1), one, "two", START + 6_000));
    built.sign(outcome(granted, agent(2), two, START + 5_000));
    built.sign(interaction(granted, agent(1), two, "three", START + 6_100));
    built
}

fn reviewed() -> Builder {
    let mut built = Builder::new(2);
    let mut hire = grant(agent(1), agent(2), first(), START + 100);
    hire.specification.author = Author::Child;
    let (granted, accepted) = built.hire(hire);
    let mut review = interaction(granted, agent(1), accepted, "review", START + 120);
    review.kind = InteractionKind::SpecificationReview;
    built.sign(review);
    built
}

/// Agent 2's wallet is a contract, whose owner is the key of 9.
pub(super) fn unanswered() -> (Builder, Digest) {
    let mut built = Builder::new(2);
    let contract = account(200);
    let only = span(200, START, None, "proven");
    built.party(&agent(2)).wallets = vec![only];
    let granted = built.sign(grant(agent(1), agent(2), first(), START + 100));
    let taken: Acceptance = acceptance(granted, agent(1), agent(2), START + 110);
    let typed = Record::Acceptance(Box::new(taken)).typed().unwrap();
    let mut made = stated(&typed, 9);
    made.account = contract;
    let signature = wallet(9).sign_hash_sync(&made.digest()).unwrap();
    made.signature = signature.as_bytes().to_vec().into();
    let text = made.to_value().to_string();
    let digest = digest(&text);
    built.add(text);
    (built, digest)
}

/// The same, with what the chain said when it was asked.
pub(super) fn answered(signed_by: &str) -> Builder {
    let (mut built, envelope) = unanswered();
    let at = place(START + 120);
    built.document.answers = vec![Answer {
        envelope,
        signed_by: signed_by.to_owned(),
        block: at.block.unwrap(),
        hash: at.hash.unwrap(),
    }];
    built
}

fn linked() -> Builder {
    let mut built = Builder::new(1);
    let ada = name("did:web:hallmark.example:character:ada");
    let link = WalletSpan {
        account: account(5).to_string(),
        from: hallmark::delegation::At::time(time(START)),
        to: None,
        cause: "link".to_owned(),
    };
    let (as_of, keys) = (Some(time(KNOWN)), Vec::new());
    built.document.parties.push(Party { name: ada.clone(), as_of, wallets: vec![link], keys });
    let granted = built.sign(grant(agent(1), ada.clone(), first(), START + 100));
    let taken = acceptance(granted, agent(1), ada, START + 110);
    built.sign_by(Record::Acceptance(Box::new(taken)), 5);
    built
}

fn nonsense() -> Builder {
    let mut built = Builder::new(3);
    let (granted, accepted) = built.hire(grant(agent(1), agent(2), first(), START + 100));
    built.sign(acceptance(granted, agent(1), agent(2), START + 90));
    built.sign(acceptance(granted, agent(3), agent(2), START + 105));
    built.sign(outcome(granted, agent(2), accepted, START + 5_000));
    for party in [1, 2] {
        built.sign(outcome(granted, agent(party), accepted, START + 50));
    }
    built
}
