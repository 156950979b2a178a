//! Traces made of fixed keys and times, so that each is the same in every run.
//!
//! Agent number n has the wallet whose key is n in every byte, from the beginning on. Agents with odd numbers sign typed data, those with
//! even ones texts. Whoever is a DID has a key of its own kind of envelope: see [`Builder::sign`].

use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use hallmark::attest::TypedRecord;
use hallmark::attest::credential;
use hallmark::attest::data_integrity::{self, ProofOptions};
use hallmark::attest::dsse;
use hallmark::attest::jose::{self, Typ};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::record_statement::{RecordStatement, signed_digest};
use hallmark::attest::statement::Scheme;
use hallmark::attest::typed_record::PAYLOAD_TYPE;
use hallmark::delegation::{
    Acceptance, Amount, AsOf, At, BlockAt, Capability, Child, Grant, Inheritance, Interaction,
    InteractionKind, KeySpan, Kind, Loss, Outcome, Party, Record, Ruling, Scope, Sealed, Snapshots,
    Specification, TaskResult, TraceDocument, TraceVerdict, Under, Verdict, WalletSpan,
    verify_trace,
};
use hallmark::did::web::WebHost;
use hallmark::tfd::{Author, LossSource};
use hallmark::vocab::{AccountId, BlockRef, BlockStamp, ChainId, Digest, Subject, UnixSeconds};
use serde_json::json;

pub(crate) const BASE: ChainId = ChainId(8453);
/// When the first grant of a trace is made, at the block [`BLOCK`].
pub(crate) const START: u64 = 1_770_116_913;
pub(crate) const BLOCK: u64 = 41_700_000;
/// Up to when a document knows everything.
pub(crate) const KNOWN: u64 = START + 90_000;
/// When it is checked.
pub(crate) const CHECKED: u64 = START + 100_000;

/// Whose word on capabilities is taken: a did:web that signs DSSE by P-256.
pub(crate) const EVALUATOR: &str = "did:web:evaluator.example";
/// A did:web that signs documents with a proof, by Ed25519.
pub(crate) const COURIER: &str = "did:web:courier.example";

pub(crate) fn time(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

pub(crate) fn name(text: &str) -> Subject {
    text.parse().unwrap()
}

/// An agent by its number.
pub(crate) fn agent(number: u8) -> Subject {
    name(&format!("eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:{number}"))
}

pub(crate) fn buyer() -> Subject {
    name("did:web:buyer.example")
}

pub(crate) fn wallet(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(&[byte; 32]).unwrap()
}

pub(crate) fn account(byte: u8) -> AccountId {
    AccountId { chain: BASE, address: wallet(byte).address() }
}

fn key(subject: &str) -> PrivateKey {
    let (kind, byte) = match subject {
        EVALUATOR => (KeyKind::P256, 101),
        COURIER => (KeyKind::Ed25519, 102),
        _ => (KeyKind::Ed25519, 103),
    };
    PrivateKey::from_bytes(kind, &[byte; 32]).unwrap()
}

/// Who judges: a did:key, which signs JWTs.
pub(crate) fn judge() -> Subject {
    name(&format!("did:key:{}", key("judge").public().multibase()))
}

/// A digest that stands for something outside of the trace.
pub(crate) fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn stamp(seconds: u64) -> BlockStamp {
    // A block every two seconds.
    let number = BLOCK + (seconds.saturating_sub(START)) / 2;
    let hash = digest(&format!("block {number}")).0;
    BlockStamp { block: BlockRef { number, hash }, time: time(START + (number - BLOCK) * 2) }
}

/// A place in the block of a time.
pub(crate) fn place(seconds: u64) -> At {
    At::of(&stamp(seconds), 3)
}

pub(crate) fn span(byte: u8, from: u64, to: Option<u64>, cause: &str) -> WalletSpan {
    let account = account(byte).to_string();
    WalletSpan { account, from: place(from), to: to.map(place), cause: cause.to_owned() }
}

/// A grant as most are.
pub(crate) fn grant(parent: Subject, child: Subject, under: Under, at: u64) -> Grant {
    let conditions = vec![
        json!({ "type": "latency", "operator": "<=", "value": 2000, "unit": "ms" }),
        json!({ "type": "accuracy", "operator": ">=", "value": 950_000, "unit": "ppm" }),
    ];
    let grammar = Some("report := heading finding{1,20} source+".to_owned());
    // Who works judges nobody.
    let judges =
        [judge()].into_iter().filter(|judge| ![&parent, &child].contains(&judge)).collect();
    Grant {
        schema: Kind::Grant,
        issuer: parent,
        issued_at: time(at),
        child: Child::Agent(child),
        under,
        task_class: "research.report".to_owned(),
        specification: Specification::new(conditions, grammar, Author::Parent).unwrap(),
        scope: Scope {
            actions: vec!["read:*".to_owned(), "write:report".to_owned()],
            resources: Some(vec!["https://example.org/*".to_owned()]),
            limits: [("usdc".to_owned(), Amount(120_000_000))].into(),
        },
        expires_at: time(START + 50_000),
        may_delegate: true,
        inheritance: Inheritance::None,
        snapshots: Snapshots::default(),
        judges,
        required_ppm: None,
        nonce: None,
        about: None,
    }
}

pub(crate) fn acceptance(grant: Digest, parent: Subject, child: Subject, at: u64) -> Acceptance {
    let schema = Kind::Acceptance;
    Acceptance { schema, issuer: child, issued_at: time(at), grant, parent }
}

pub(crate) fn interaction(
    grant: Digest,
    issuer: Subject,
    previous: Digest,
    event: &str,
    at: u64,
) -> Interaction {
    Interaction {
        schema: Kind::Interaction,
        issuer,
        issued_at: time(at),
        grant,
        previous,
        kind: InteractionKind::Monitoring,
        event: digest(event),
        about: None,
    }
}

pub(crate) fn outcome(grant: Digest, issuer: Subject, last: Digest, ended: u64) -> Outcome {
    Outcome {
        schema: Kind::Outcome,
        issuer,
        issued_at: time(ended + 5),
        grant,
        result: TaskResult::Done,
        ended_at: time(ended),
        last,
        output: Some(digest("output")),
        about: None,
    }
}

pub(crate) fn capability(of: Child, ppm: u32, at: u64) -> Capability {
    Capability {
        schema: Kind::Capability,
        issuer: name(EVALUATOR),
        issued_at: time(at),
        of,
        task_class: "research.report".to_owned(),
        capability_ppm: ppm,
        evidence: vec![digest("benchmark")],
    }
}

pub(crate) fn verdict(grant: Digest, at: u64) -> Verdict {
    Verdict {
        schema: Kind::Verdict,
        issuer: judge(),
        issued_at: time(at),
        grant,
        ruling: Ruling::Failed,
        what: "the report cites sources that do not exist".to_owned(),
        detected_at: time(at - 60),
        losses: vec![Loss {
            buyer: buyer(),
            amount: Amount(120_000_000),
            unit: "usdc".to_owned(),
            source: LossSource::Escrow,
        }],
    }
}

/// A document that grows.
pub(crate) struct Builder {
    pub(crate) document: TraceDocument,
}

impl Builder {
    /// One in which nobody signed yet, and which knows agents 1 to `agents`, the evaluator and the courier.
    pub(crate) fn new(agents: u8) -> Self {
        let mut document = TraceDocument::new(Vec::new());
        let BlockStamp { block, time: at } = stamp(KNOWN);
        let block = BlockAt { number: block.number, hash: block.hash, time: at };
        document.as_of = vec![AsOf { chain: BASE.to_string(), block }];
        let wallets = |byte| vec![span(byte, START, None, "proven")];
        document.parties = (1..=agents)
            .map(|n| Party { name: agent(n), as_of: None, wallets: wallets(n), keys: Vec::new() })
            .collect();
        for did in [EVALUATOR, COURIER] {
            let key = KeySpan {
                method: format!("{did}#one"),
                key: key(did).public().multibase(),
                from: time(START - 1_000_000),
                to: None,
            };
            document.parties.push(Party {
                name: name(did),
                as_of: Some(time(KNOWN)),
                wallets: Vec::new(),
                keys: vec![key],
            });
        }
        Self { document }
    }

    pub(crate) fn party(&mut self, name: &Subject) -> &mut Party {
        self.document.parties.iter_mut().find(|party| party.name == *name).unwrap()
    }

    /// Signs a record as its issuer does: an agent by its wallet, the evaluator by DSSE, the courier by a proof inside, the judge as a JWT.
    pub(crate) fn sign(&mut self, record: impl Into<Whole>) -> Digest {
        let record = record.into().0;
        let issuer = record.issuer().to_string();
        if let Subject::Agent(agent) = record.issuer() {
            let number: u8 = agent.id.to_string().parse().unwrap();
            return self.sign_by(record, number);
        }
        let typed = record.typed().unwrap();
        let key = key(&issuer);
        let text = match issuer.as_str() {
            EVALUATOR => {
                let method = format!("{issuer}#one");
                dsse::sign(PAYLOAD_TYPE, typed.canonical(), &method, &key).to_string()
            }
            COURIER => proven(&typed, &format!("{issuer}#one"), &key),
            _ => {
                let fragment = issuer.strip_prefix("did:key:").unwrap();
                let credential = credential::of_record(&typed, &host());
                let payload = json!(credential).to_string();
                let kid = format!("{issuer}#{fragment}");
                jose::sign(&key, &kid, Typ::Of("vc+jwt"), payload.as_bytes())
            }
        };
        self.add(text);
        typed.digest()
    }

    /// Signs a record by the wallet of a number, whoever its issuer is.
    pub(crate) fn sign_by(&mut self, record: impl Into<Whole>, byte: u8) -> Digest {
        let typed = record.into().0.typed().unwrap();
        self.add(stated(&typed, byte).to_value().to_string());
        typed.digest()
    }

    pub(crate) fn add(&mut self, envelope: String) {
        self.document.envelopes.push(Sealed { envelope, received: None });
    }

    /// Puts another envelope in the place of the last one.
    pub(crate) fn instead(&mut self, change: impl Fn(&str) -> String) {
        let last = self.document.envelopes.last_mut().unwrap();
        let changed = change(&last.envelope);
        assert_ne!(changed, last.envelope);
        last.envelope = changed;
    }

    /// A delegation that both sign, at a time and ten seconds later: the grant, and the acceptance.
    pub(crate) fn hire(&mut self, grant: Grant) -> (Digest, Digest) {
        let (parent, at) = (grant.issuer.clone(), grant.issued_at.get() + 10);
        let child = grant.child.agent().unwrap().clone();
        let granted = self.sign(grant);
        let accepted = self.sign(acceptance(granted, parent, child, at));
        (granted, accepted)
    }

    /// A chain of agents, each hired by the one before: with snapshots, three interactions, outcomes, and a verdict on the last. The grants.
    pub(crate) fn chain(&mut self, hops: u8) -> Vec<Digest> {
        let mut grants: Vec<Digest> = Vec::new();
        let mut runs = Vec::new();
        for hop in 1..=hops {
            let at = START + 100 * u64::from(hop);
            let (parent, child) = (agent(hop), agent(hop + 1));
            let under = grants.last().map_or(Under::Buyer(buyer()), |above| Under::Grant(*above));
            let mut grant = grant(parent.clone(), child.clone(), under, at);
            let of = |name: &Subject| Child::Agent(name.clone());
            let ppm = 500_000 + 10_000 * u32::from(hop);
            grant.snapshots = Snapshots {
                parent: Some(self.sign(capability(of(&parent), ppm, at - 50))),
                child: Some(self.sign(capability(of(&child), ppm + 100_000, at - 50))),
            };
            grant.expires_at = time(START + 50_000 - 100 * u64::from(hop));
            let (granted, accepted) = self.hire(grant);
            let mut last = accepted;
            for (number, issuer) in [(1, &parent), (2, &child), (3, &parent)] {
                let event = format!("event {number} of {granted}");
                let at = at + 20 + 10 * number;
                last = self.sign(interaction(granted, issuer.clone(), last, &event, at));
            }
            runs.push((granted, child, last, START + 20_000 - 100 * u64::from(hop)));
            grants.push(granted);
        }
        for (grant, child, last, ended) in runs {
            self.sign(outcome(grant, child, last, ended));
        }
        self.sign(verdict(*grants.last().unwrap(), START + 30_000));
        grants
    }

    pub(crate) fn verdict(&self) -> TraceVerdict {
        let bytes = serde_json::to_vec(&self.document).unwrap();
        let read = TraceDocument::read(&bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, self.document, "what is written is read again");
        verify_trace(&read, time(CHECKED))
    }
}

/// A record of any kind.
pub(crate) struct Whole(Record);

impl From<Record> for Whole {
    fn from(record: Record) -> Self {
        Self(record)
    }
}

macro_rules! whole {
    ($($kind:ident),*) => { $(
        impl From<$kind> for Whole {
            fn from(record: $kind) -> Self {
                Self(Record::$kind(Box::new(record)))
            }
        }
    )* };
}
whole!(Grant, Acceptance, Interaction, Outcome, Capability, Verdict);

fn host() -> WebHost {
    WebHost::parse("hallmark.example").unwrap()
}

/// A record as the wallet of a number signs it.
pub(crate) fn stated(typed: &TypedRecord, byte: u8) -> RecordStatement {
    let scheme = if byte % 2 == 1 { Scheme::Eip712 } else { Scheme::Eip191 };
    let account = account(byte);
    let signed = signed_digest(scheme, typed, account.chain);
    let signature = wallet(byte).sign_hash_sync(&signed).unwrap().as_bytes().to_vec().into();
    RecordStatement { scheme, account, signature, record: typed.clone() }
}

fn proven(typed: &TypedRecord, method: &str, key: &PrivateKey) -> String {
    let options = ProofOptions {
        method,
        created: typed.said_at,
        expires: None,
        domain: None,
        challenge: None,
    };
    let credential = credential::of_record(typed, &host());
    json!(data_integrity::sign(&credential, &options, key).unwrap()).to_string()
}
