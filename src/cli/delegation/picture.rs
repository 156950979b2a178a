//! A trace for people: the verdict in a line, each hop as a branch with what is known of it, and what is worth noting.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use alloy::primitives::B256;

use super::shown;
use crate::attest::verdict::Basis;
use crate::attest::wallet::SignedBy;
use crate::delegation::{
    CaseOptions, Hop, HopState, Standing, TraceDocument, TraceVerdict, Under, case,
};
use crate::tfd;
use crate::vocab::Position;

/// The whole picture.
pub(super) fn of(document: &TraceDocument, verdict: &TraceVerdict) -> String {
    let mut text = headline(document, verdict);
    let betas = betas(verdict);
    let mut buyers: BTreeMap<String, Vec<&Hop>> = BTreeMap::new();
    for hop in verdict.hops.iter().filter(|hop| hop.above.is_none()) {
        buyers.entry(beginning(hop)).or_default().push(hop);
    }
    // Writing into a text does not fail.
    for (buyer, first) in &buyers {
        let _ = write!(text, "\n\n{buyer}");
        for (index, hop) in first.iter().enumerate() {
            branch(&mut text, verdict, hop, &betas, "", index + 1 == first.len());
        }
    }
    if !verdict.notes.is_empty() {
        text += "\n";
        for noted in &verdict.notes {
            let place = noted.hop.map_or_else(String::new, |hop| format!("hop {hop}: "));
            let record = noted.record.map_or_else(String::new, |record| format!("  {record}"));
            let _ = write!(text, "\nnote: {place}{}{record}", noted.note.in_words());
        }
    }
    let words = words(verdict);
    if !words.is_empty() {
        text += "\n\nby the document's word, not checked against a chain or a host:";
        for word in &words {
            let _ = write!(text, "\n  {word}");
        }
    }
    shown(&text)
}

/// What was taken on the document's word: who spoke for whom, by which blocks, and what contracts answered.
fn words(verdict: &TraceVerdict) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for rest in &verdict.rests {
        let valid = &rest.valid;
        let (issuer, signer, right) = (&valid.issuer, &valid.signer, &valid.right);
        match &right.basis {
            Basis::Wallet { span, .. } => {
                let block = |at: Position, hash: Option<B256>| {
                    let hash = hash.map_or_else(|| "no hash".to_owned(), |hash| hash.to_string());
                    format!("block {} ({hash}), log entry {}", at.block_number, at.log_index)
                };
                let [began, ended] = rest.hashes;
                let to = span.to.map_or_else(String::new, |to| format!(" to {}", block(to, ended)));
                let from = block(span.from, began);
                words.insert(format!("{signer} was a wallet of {issuer} from {from}{to}"));
            }
            Basis::Document | Basis::Link => {
                let to = right.to.map_or_else(String::new, |to| format!(" to {to}"));
                words.insert(format!("{signer} spoke for {issuer} from {}{to}", right.from));
            }
            Basis::Itself | Basis::ServiceKey => {}
        }
        if let Some(block) = valid.signed_by.and_then(SignedBy::block) {
            words.insert(format!(
                "the contract {signer} took a signature for its own at block {block}"
            ));
        }
    }
    words
}

fn headline(document: &TraceDocument, verdict: &TraceVerdict) -> String {
    let (hops, records) = (verdict.hops.len(), document.envelopes.len());
    let mut text = match verdict.standing {
        Standing::Valid => "valid".to_owned(),
        Standing::Invalid => {
            let why = verdict.reason().map(|fault| fault.why.as_str()).unwrap_or_default();
            format!("invalid: {why}")
        }
        Standing::NeedsChain => {
            let first = verdict.unanswered.first();
            let why = first.map(|unanswered| unanswered.why.as_str()).unwrap_or_default();
            format!("needs the chain: {why}; if the account is a contract, a node has to be asked")
        }
    };
    let counts = format!("{}, {}", count(hops, "hop"), count(records, "envelope"));
    let _ = write!(text, "\n{counts}, checked at {}", verdict.checked_at);
    for as_of in &document.as_of {
        let block = &as_of.block;
        let _ = write!(
            text,
            "\nwallets on {} as of block {} ({})",
            as_of.chain, block.number, block.time
        );
    }
    let more = verdict.faults.len().saturating_sub(1);
    for fault in verdict.faults.iter().skip(1).take(10) {
        let _ = write!(text, "\nalso wrong: {}", fault.why);
    }
    if more > 10 {
        let _ = write!(text, "\nand {} more", more - 10);
    }
    text
}

/// `1 hop`, `2 hops`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// How much each hop passes upwards, in words, where a report can be computed.
fn betas(verdict: &TraceVerdict) -> BTreeMap<String, String> {
    let options = CaseOptions { id: "trace".to_owned(), ..CaseOptions::default() };
    let report = case(verdict, options).and_then(|case| tfd::report(&case, None));
    let edges = report.map(|report| report.edges).unwrap_or_default();
    let told = edges.into_iter().filter(|edge| edge.carried_ppb.is_some()).map(|edge| {
        let tenths = (u64::from(edge.score.beta_ppb.get()) + 500_000) / 1_000_000;
        (edge.child, format!("passes up {}.{} %", tenths / 10, tenths % 10))
    });
    told.collect()
}

/// Where a trace begins.
fn beginning(hop: &Hop) -> String {
    match hop.grant.as_ref().map(|grant| &grant.under) {
        Some(Under::Buyer(buyer)) => format!("for {buyer}"),
        Some(Under::Grant(above)) => format!("under {above}, which is not here"),
        None => "by the child's word alone".to_owned(),
    }
}

fn branch(
    text: &mut String,
    verdict: &TraceVerdict,
    hop: &Hop,
    betas: &BTreeMap<String, String>,
    indent: &str,
    is_last: bool,
) {
    let (corner, line) = if is_last { ("`-", "  ") } else { ("|-", "| ") };
    let _ = write!(text, "\n{indent}{corner} {} {}", hop.number, hop.parent);
    let inner = format!("{indent}{line} ");
    let state = match hop.state {
        HopState::Accepted if hop.child.agent().is_none() => "granted",
        HopState::Accepted => "accepted",
        HopState::ClaimedByParent => "claimed by the parent alone",
        HopState::ClaimedByChild => "claimed by the child alone",
    };
    let _ = write!(text, "\n{inner}  hired {}: {state}", hop.child);
    let below: Vec<&Hop> =
        verdict.hops.iter().filter(|below| below.above == Some(hop.number)).collect();
    let bar = if below.is_empty() { "  " } else { "| " };
    for told in facts(hop, betas) {
        let _ = write!(text, "\n{inner}{bar}  {told}");
    }
    for (index, child) in below.iter().enumerate() {
        branch(text, verdict, child, betas, &inner, index + 1 == below.len());
    }
}

/// What is known of a hop, a line each.
fn facts(hop: &Hop, betas: &BTreeMap<String, String>) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(grant) = &hop.grant {
        facts
            .push(format!("{} until {}, grant {}", grant.task_class, grant.expires_at, hop.digest));
    }
    let counted = hop.interactions.counted;
    let mut watched = format!("{} interactions count", counted.counted);
    let left = hop.interactions.left_out.len();
    if left > 0 {
        let _ = write!(watched, ", {left} left out");
    }
    if let Some(beta) = betas.get(&hop.digest.to_string()) {
        let _ = write!(watched, "; {beta}");
    }
    facts.push(watched);
    if let Some((_, outcome)) = &hop.outcome {
        let result = serde_json::to_value(outcome.result).unwrap_or_default();
        let result = result.as_str().unwrap_or_default();
        facts.push(format!("{result} at {}, says {}", outcome.ended_at, outcome.issuer));
    }
    for (_, verdict) in &hop.verdicts {
        let ruling = serde_json::to_value(verdict.ruling).unwrap_or_default();
        let ruling = ruling.as_str().unwrap_or_default();
        facts.push(format!(
            "judged {ruling} by {}: {}",
            verdict.issuer,
            verdict.what.replace('\n', " ")
        ));
    }
    facts
}
