//! Between the types of `project` and those of the interface, which the runtime's macro makes of the WIT file.

use crate::attest::IssuerClass;
use crate::project::{
    Basis, Draft, DraftSignal, Finality, Issuer, Kind, Recent, RecentEvidence, Stance, Tally, View,
};

/// What the macro makes.
mod made {
    wasmtime::component::bindgen!({ path: "projectors/wit", world: "projector" });
}

pub(super) use made::ProjectorPre;
use made::hallmark::projector::types as wit;

fn class(class: Option<IssuerClass>) -> wit::IssuerClass {
    match class {
        None => wit::IssuerClass::Unknown,
        Some(IssuerClass::Agent) => wit::IssuerClass::Agent,
        Some(IssuerClass::Plugin) => wit::IssuerClass::Plugin,
        Some(IssuerClass::System) => wit::IssuerClass::System,
    }
}

pub(super) fn view(view: &View) -> wit::View {
    wit::View {
        agent: view.agent.to_string(),
        wallet: view.wallet.clone(),
        is_wallet_proven: view.is_wallet_proven,
        wallet_agents: view.wallet_agents,
        block: view.block,
        time: view.time.get(),
        log_size: view.log_size,
        game: view.game.clone(),
        viewer: view.viewer.clone(),
        parameters: view.parameters.clone(),
        total: view.total,
        provisional: view.provisional,
        issuers: view.issuers.iter().map(issuer).collect(),
        kinds: view.kinds.iter().map(kind).collect(),
        tallies: view.tallies.iter().map(tally).collect(),
        recent: view.recent.iter().map(recent).collect(),
    }
}

fn issuer(issuer: &Issuer) -> wit::Issuer {
    wit::Issuer {
        name: issuer.name.clone(),
        class: class(issuer.class),
        agent: issuer.agent.clone(),
        voice: issuer.voice,
        is_kin: issuer.is_kin,
        standing: issuer.standing.map(|standing| wit::Standing {
            received: standing.received,
            voices: standing.voices,
            given: standing.given,
        }),
    }
}

fn kind(kind: &Kind) -> wit::Kind {
    wit::Kind {
        claim: kind.claim.clone(),
        count: kind.count,
        issuers: kind.issuers,
        voices: kind.voices,
        games: kind.games,
        first: kind.times.0.get(),
        last: kind.times.1.get(),
    }
}

fn tally(tally: &Tally) -> wit::Tally {
    wit::Tally {
        claim: tally.claim.clone(),
        words: tally.words.clone(),
        issuer: tally.issuer,
        count: tally.count,
        games: tally.games,
        first: tally.times.0.get(),
        last: tally.times.1.get(),
        last_seq: tally.last_seq,
    }
}

fn recent(recent: &Recent) -> wit::Attestation {
    wit::Attestation {
        seq: recent.seq,
        digest: recent.digest.clone(),
        issuer: recent.issuer,
        claim: recent.claim.clone(),
        data: recent.data.clone(),
        note: recent.note.clone(),
        confidence: recent.confidence,
        origin: recent.origin.clone(),
        game: recent.game.clone(),
        round: recent.round,
        said_at: recent.said_at.get(),
        is_dated: recent.is_dated,
        basis: match recent.basis {
            Basis::Signed => wit::Basis::Signed,
            Basis::Issued => wit::Basis::Issued,
            Basis::Origin => wit::Basis::Origin,
            Basis::Relay => wit::Basis::Relay,
            Basis::Chain => wit::Basis::Chain,
        },
        finality: match recent.finality {
            Finality::Provisional => wit::Finality::Provisional,
            Finality::Safe => wit::Finality::Safe,
            Finality::Final => wit::Finality::Final,
        },
        is_withdrawn: recent.is_withdrawn,
        evidence: recent.evidence.iter().map(evidence).collect(),
    }
}

fn evidence(evidence: &RecentEvidence) -> wit::Evidence {
    wit::Evidence {
        kind: evidence.kind.clone(),
        id: evidence.id.clone(),
        visibility: if evidence.is_public {
            wit::Visibility::Public
        } else {
            wit::Visibility::ViewerVisible
        },
        round: evidence.round,
        relay_index: evidence.relay_index,
        summary: evidence.summary.clone(),
    }
}

pub(super) fn draft(card: wit::Card) -> Draft {
    Draft {
        headline: card.headline,
        summary: card.summary,
        signals: card.signals.into_iter().map(signal).collect(),
        caveats: card.caveats,
        evidence: card.evidence,
    }
}

fn signal(signal: wit::Signal) -> DraftSignal {
    DraftSignal {
        label: signal.label,
        stance: match signal.stance {
            wit::Stance::Positive => Stance::Positive,
            wit::Stance::Negative => Stance::Negative,
            wit::Stance::Informational => Stance::Informational,
            wit::Stance::Unknown => Stance::Unknown,
        },
        summary: signal.summary,
        stance_text: signal.stance_text,
        confidence: signal.confidence,
        source: signal.source.and_then(|source| match source {
            wit::IssuerClass::Unknown => None,
            wit::IssuerClass::Agent => Some(IssuerClass::Agent),
            wit::IssuerClass::Plugin => Some(IssuerClass::Plugin),
            wit::IssuerClass::System => Some(IssuerClass::System),
        }),
        games: signal.games,
        issuers: signal.issuers,
        evidence: signal.evidence,
    }
}
