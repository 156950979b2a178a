//! Which identifiers name the same, who says so, and whether the other side agrees.
//!
//! A link is a statement about two identifiers during a span. Each side of it either says so, by something that can be looked up, or is
//! silent. A link is *true both ways* if both sides say so. That an agent's registry names a wallet is one side; the wallet's own signature
//! over that very agent is the other. A wallet that was only registered, or that a contract answered with, has said nothing.
//!
//! The links of an agent are a function of its timelines, and of what was seen of its file and of those whom it names. Those that rest on
//! challenges are the concern of whoever keeps them.

use super::agent::WalletFact;
use super::claims::Claims;
use super::pkh;
use super::syntax::Did;
use super::version::DID_KEY;
use super::web::{Local, WebDid, WebHost};
use crate::identity::{SpanCause, SpanRecord, TimelineRef, Value};
use crate::vocab::{AccountId, AgentRef, Position, Span, UnixSeconds};

/// What kind of name the other one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// The registration itself, CAIP-19.
    Registration,
    /// The holder of the registration's token.
    Owner,
    /// The account that the registry names as the agent's wallet.
    Wallet,
    /// Another DID that the subject names.
    Did,
    /// A domain that an endpoint of the subject lies in.
    Domain,
}

impl LinkKind {
    /// All kinds, in the order in which links of one position stand.
    pub const ALL: [Self; 5] =
        [Self::Registration, Self::Owner, Self::Wallet, Self::Did, Self::Domain];

    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Owner => "owner",
            Self::Wallet => "wallet",
            Self::Did => "did",
            Self::Domain => "domain",
        }
    }
}

/// How a link was proven, by the stronger of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The registry holds it; nobody signed for it.
    Registered,
    /// The contract was asked and answered so.
    Observed,
    /// The account signed for it, and the registry checked the signature.
    Signature,
    /// The owner wrote it into the registry's metadata.
    Metadata,
    /// A registration file says so.
    File,
    /// The account signed a challenge (CAIP-122).
    Siwe,
    /// The document of the DID names the agent.
    Document,
    /// The domain's `/.well-known/agent-registration.json` names the agent.
    Domain,
    /// Whoever manages the character wrote it into its record.
    Record,
}

impl Proof {
    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Observed => "observed",
            Self::Signature => "signature",
            Self::Metadata => "metadata",
            Self::File => "file",
            Self::Siwe => "siwe",
            Self::Document => "document",
            Self::Domain => "domain",
            Self::Record => "record",
        }
    }
}

/// That two identifiers name the same during a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Of which kind `object` is.
    pub kind: LinkKind,
    /// The DID whose document claims it.
    pub subject: String,
    /// The other name.
    pub object: String,
    /// When it held.
    pub span: Span,
    /// What says so on the subject's side; `None` where it is silent.
    pub subject_says: Option<Proof>,
    /// What says so on the object's side; `None` where it is silent.
    pub object_says: Option<Proof>,
}

impl Link {
    /// Whether both sides say so.
    #[must_use]
    pub const fn is_both_ways(&self) -> bool {
        self.subject_says.is_some() && self.object_says.is_some()
    }

    /// How it was proven: by what the object says, else by what the subject says. That a document or a domain agrees makes a link true
    /// both ways and proves no more than what it agrees with.
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        match self.object_says {
            None | Some(Proof::Document | Proof::Domain) => self.subject_says,
            proven => proven,
        }
    }
}

/// The link that one span of an agent's timelines is; `None` for a span that names nobody, and for other timelines.
///
/// `host` is where the agent's DID is served.
#[must_use]
pub fn of_agent(agent: AgentRef, host: &WebHost, record: &SpanRecord) -> Option<Link> {
    let subject = Local::Agent(agent.registry.chain, agent.id).did(host);
    let account = || {
        let address = record.value.account()?;
        Some(pkh::did(AccountId { chain: agent.registry.chain, address }))
    };
    let named = match record.cause {
        Some(SpanCause::Observed) => Proof::Observed,
        _ => Proof::Registered,
    };
    let (kind, object, subject_says, object_says) = match record.timeline {
        TimelineRef::Wallet(_) => {
            let signed = (record.cause == Some(SpanCause::Proven)).then_some(Proof::Signature);
            (LinkKind::Wallet, account()?, named, signed)
        }
        // Whoever holds the token was not asked whether it wants to.
        TimelineRef::Owner(_) => (LinkKind::Owner, account()?, named, None),
        TimelineRef::Metadata(..) => {
            let did = named_did(&record.value)?;
            if did == subject {
                // The document names its registration by what it is made of; here the registration names the document.
                (LinkKind::Registration, agent.caip19(), Proof::Registered, Some(Proof::Metadata))
            } else {
                (LinkKind::Did, did, Proof::Metadata, None)
            }
        }
        TimelineRef::Uri(_)
        | TimelineRef::Approved(_)
        | TimelineRef::Operator(..)
        | TimelineRef::Implementation(_) => return None,
    };
    let (subject_says, span) = (Some(subject_says), record.span);
    Some(Link { kind, subject, object, span, subject_says, object_says })
}

/// Which sides say that an agent is a character's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Together {
    /// The agent does: the entry `did` of its metadata, which only who controls it can write, names the character.
    pub agent_says: bool,
    /// The character does: a wallet that is linked to it has signed for the agent, which takes the wallet's key both times.
    pub character_says: bool,
}

/// Which sides say that an agent belongs to a character of this host, at one moment.
///
/// `metadata` is the agent's entry `did`. A wallet that the registry merely names for the agent says nothing for the character: it never
/// agreed to be that agent's wallet.
#[must_use]
pub fn together(
    metadata: Option<&Value>,
    wallet: Option<&WalletFact>,
    character: (&WebHost, &str),
    linked: &[AccountId],
) -> Together {
    let (host, handle) = character;
    let names = metadata.and_then(named_did).and_then(|text| {
        let web = WebDid::parse(&Did::parse(&text).ok()?).ok()?;
        Local::of(&web).filter(|_| web.host == *host)
    });
    let signed = wallet.filter(|wallet| wallet.is_proven());
    Together {
        agent_says: names == Some(Local::Character(handle.to_owned())),
        character_says: signed.is_some_and(|wallet| linked.contains(&wallet.account)),
    }
}

/// The DID in a metadata entry, if it is the one for DIDs and holds one.
fn named_did(value: &Value) -> Option<String> {
    let Value::Entry { key, value } = value else { return None };
    let text = std::str::from_utf8(value).ok().filter(|_| key.as_ref() == DID_KEY)?;
    Did::parse(text).ok().map(|did| did.to_string())
}

/// The links that an agent's file makes during a span of its URI, by what was known at a time: to the DIDs and the domains that it names.
#[must_use]
pub fn of_file(
    agent: AgentRef,
    host: &WebHost,
    claims: &Claims,
    span: Span,
) -> Vec<(Link, Option<UnixSeconds>)> {
    let subject = Local::Agent(agent.registry.chain, agent.id).did(host);
    let link = |kind, object, object_says| Link {
        kind,
        subject: subject.clone(),
        object,
        span,
        subject_says: Some(Proof::File),
        object_says,
    };
    let own = claims.names_document.then(|| {
        let link = Link {
            subject_says: Some(Proof::Registered),
            ..link(LinkKind::Registration, agent.caip19(), Some(Proof::File))
        };
        (link, None)
    });
    let dids = claims.dids.iter().filter(|named| named.by == Proof::File).map(|named| {
        let says = (named.agrees == Some(true)).then_some(Proof::Document);
        (link(LinkKind::Did, named.did.clone(), says), named.checked_at)
    });
    let domains = claims.domains.iter().map(|named| {
        let says = (named.agrees == Some(true)).then_some(Proof::Domain);
        (link(LinkKind::Domain, format!("https://{}", named.domain), says), named.checked_at)
    });
    own.into_iter().chain(dids).chain(domains).collect()
}

/// The link between an agent and its registration, from its mint to its end. The document names the registration; whether the
/// registration names the document is another link, where the agent's metadata says so.
#[must_use]
pub fn registration(
    agent: AgentRef,
    host: &WebHost,
    minted: Position,
    ended: Option<Position>,
) -> Link {
    Link {
        kind: LinkKind::Registration,
        subject: Local::Agent(agent.registry.chain, agent.id).did(host),
        object: agent.caip19(),
        span: Span { from: minted, to: ended },
        subject_says: Some(Proof::Registered),
        object_says: None,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};

    use super::*;
    use crate::vocab::{AgentId, ChainId, RegistryRef};

    const AGENT: AgentRef = AgentRef {
        registry: RegistryRef { chain: ChainId(8453), address: Address::repeat_byte(0x11) },
        id: AgentId(alloy::primitives::U256::ZERO),
    };

    fn link(timeline: TimelineRef, value: Value, cause: SpanCause) -> Option<Link> {
        let span = Span { from: Position::new(7, 1), to: None };
        let record = SpanRecord { timeline, value, span, cause: Some(cause), ended_by: None };
        of_agent(AGENT, &WebHost::parse("a.example").unwrap(), &record)
    }

    #[test]
    fn a_wallet_agrees_only_by_its_own_signature() {
        let account = || Value::Account(Address::repeat_byte(0xaa));
        let (wallet, owner) = (TimelineRef::Wallet(AGENT.id), TimelineRef::Owner(AGENT.id));
        for (timeline, cause, both, proof) in [
            (wallet, SpanCause::Proven, true, Proof::Signature),
            (wallet, SpanCause::Registered, false, Proof::Registered),
            (wallet, SpanCause::Observed, false, Proof::Observed),
            (owner, SpanCause::Transfer, false, Proof::Registered),
            (owner, SpanCause::Registered, false, Proof::Registered),
        ] {
            let link = link(timeline, account(), cause).unwrap();
            assert_eq!((link.is_both_ways(), link.proof()), (both, Some(proof)), "{cause:?}");
            assert_eq!(link.subject, "did:web:a.example:agents:8453:0");
            assert!(link.object.starts_with("did:pkh:eip155:8453:0xaAaA"), "{}", link.object);
        }
        assert_eq!(link(wallet, Value::Absent, SpanCause::Proven), None);
        assert_eq!(link(TimelineRef::Approved(AGENT.id), account(), SpanCause::Set), None);
    }

    #[test]
    fn an_agent_is_a_characters_only_if_both_say_so() {
        let host = WebHost::parse("a.example").unwrap();
        let account =
            |byte| AccountId { chain: ChainId(8453), address: Address::repeat_byte(byte) };
        let entry = |did: &str| Value::Entry {
            key: b"did".to_vec().into(),
            value: did.as_bytes().to_vec().into(),
        };
        let wallet = |byte, cause| Some(WalletFact { account: account(byte), cause: Some(cause) });
        let (ada, linked) = ("did:web:a.example:character:ada", [account(1), account(2)]);
        for (metadata, wallet, agent, character) in [
            (Some(ada), wallet(1, SpanCause::Proven), true, true),
            (Some("did:web:A.example:character:ada"), wallet(2, SpanCause::Proven), true, true),
            (Some(ada), wallet(1, SpanCause::Registered), true, false),
            (Some(ada), wallet(1, SpanCause::Observed), true, false),
            (Some(ada), wallet(3, SpanCause::Proven), true, false),
            (Some(ada), None, true, false),
            (None, wallet(1, SpanCause::Proven), false, true),
            (Some("did:web:a.example:character:Ada"), None, false, false),
            (Some("did:web:b.example:character:ada"), None, false, false),
            (Some("did:web:a.example:agents:8453:1"), None, false, false),
            (Some("ada"), None, false, false),
        ] {
            let entry = metadata.map(entry);
            let found = together(entry.as_ref(), wallet.as_ref(), (&host, "ada"), &linked);
            let expected = Together { agent_says: agent, character_says: character };
            assert_eq!(found, expected, "{metadata:?} {wallet:?}");
        }
    }

    #[test]
    fn metadata_names_another_did_or_agrees_with_our_own() {
        let of = |key: &[u8], value: &[u8]| {
            let value = Value::Entry { key: key.to_vec().into(), value: value.to_vec().into() };
            link(TimelineRef::Metadata(AGENT.id, B256::ZERO), value, SpanCause::Set)
        };
        let own = of(b"did", b"did:web:a.example:agents:8453:0").unwrap();
        assert_eq!((own.kind, own.is_both_ways()), (LinkKind::Registration, true));
        assert_eq!(own.object, AGENT.caip19());
        let other = of(b"did", b"did:web:b.example").unwrap();
        assert_eq!((other.kind, other.is_both_ways()), (LinkKind::Did, false));
        for (key, value) in [
            (&b"DID"[..], &b"did:web:b.example"[..]),
            (b"did", b"web:b"),
            (b"did", &[0xff]),
            (b"did", b""),
        ] {
            assert_eq!(of(key, value), None);
        }
    }
}
