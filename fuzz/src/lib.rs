//! What the fuzz targets do with their bytes: one function for each parser of what strangers write.
//!
//! A target fails when it panics, and it also panics where a promise does not hold: what was read reads back, a cursor does not go
//! backwards. The integration tests include this file and run every target on its seeds, so that none falls behind the program.

use std::collections::BTreeSet;

use hallmark::attest::envelope::{Envelope, Signer};
use hallmark::attest::onchain::{self, EventPlace};
use hallmark::attest::verdict::{Basis, Expected, Facts, Right};
use hallmark::attest::{Attestation, canonical, method, siwe, verify};
use hallmark::did::web::{WebDid, WebHost};
use hallmark::did::{Did, DidUrl, claims, dereference, key, pkh};
use hallmark::intake::relay::{RelayPage, RelaySource, Standing};
use hallmark::project::{Seen, WORDS_BYTES_MAX, words};
use hallmark::registry::file::ipfs::{self, IpfsPath};
use hallmark::registry::file::{self, Place, Source, SourceKind};
use hallmark::registry::{calls, contract_wallet, decode, feedback_number};
use hallmark::tfd;
use hallmark::vocab::{
    BlockRef, ChainId, Naming, Position, RawLog, RegistryKind, RegistryRef, Subject, UnixSeconds,
};
use serde_json::Value;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, each with a file in `fuzz_targets` and a folder in `seeds`.
pub const TARGETS: &[Target] = &[
    ("attestation", attestation),
    ("case", case),
    ("contract_answer", contract_answer),
    ("did", did),
    ("did_document", did_document),
    ("did_web", did_web),
    ("envelope", envelope),
    ("file_source", file_source),
    ("ipfs_blocks", ipfs_blocks),
    ("registration_file", registration_file),
    ("registry_log", registry_log),
    ("relay_page", relay_page),
    ("siwe_message", siwe_message),
    ("subject", subject),
];

const SIZE_MAX: usize = 256 << 10;

/// A first line, and what follows on it.
fn first_line(data: &[u8]) -> Option<(&str, &[u8])> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (data.get(..end)?, data.get(end + 1..)?);
    Some((std::str::from_utf8(line).ok()?, rest))
}

/// A signed envelope of any form, verified with the key that its identifier makes.
pub fn envelope(data: &[u8]) {
    let Ok(envelope) = Envelope::read(data.to_vec(), SIZE_MAX) else { return };
    assert_eq!(envelope.raw(), data, "an envelope is kept as it came");
    let found = match envelope.signer() {
        Signer::Account { .. } => None,
        Signer::Method(id) => method::of_identifier(id).ok().flatten(),
    };
    let right = Right { from: UnixSeconds::EPOCH, to: None, basis: Basis::Document };
    let rights = [right];
    let facts = Facts {
        received: UnixSeconds::MAX,
        checked_at: None,
        method: found.as_ref(),
        rights: &rights,
        answer: None,
        expected: Expected::default(),
    };
    let _ = verify(&envelope, &facts);
}

/// JSON in the strict form, and a record in it.
pub fn attestation(data: &[u8]) {
    let Ok(value) = canonical::read(data, SIZE_MAX) else { return };
    let Ok(bytes) = canonical::to_bytes(&value) else { panic!("what was read can be written") };
    let again = canonical::read(&bytes, usize::MAX).map(|value| canonical::to_bytes(&value));
    assert_eq!(again, Ok(Ok(bytes)), "canonical bytes are their own canonical form");
    let Ok(record) = Attestation::from_value(value) else { return };
    let again = Attestation::read(record.canonical(), usize::MAX).map(|record| record.digest());
    assert_eq!(again, Ok(record.digest()), "a record reads back");
    let Ok(seen) = Seen::read(record.canonical()) else { panic!("a record can be counted") };
    assert_eq!((&*seen.claim, seen.round), (record.body.claim.kind.as_str(), record.body.round));
    assert_eq!(seen.confidence, record.body.confidence);
    let words = words(&record.body.claim.data);
    assert!(words.is_none_or(|words| words.len() <= WORDS_BYTES_MAX));
}

/// A DID URL, the DID in it, and the documents that DIDs make of themselves.
pub fn did(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = method::of_identifier(text);
    let Ok(url) = DidUrl::parse(text) else { return };
    let _ = url.parameters();
    let again = Did::parse(url.did.as_str());
    assert_eq!(again.as_ref(), Ok(&url.did), "a DID reads back");
    let _ = (key::parse(&url.did), key::document(&url.did));
    let _ = (pkh::parse(&url.did), pkh::document(&url.did));
}

/// A did:web, and a host in each of its spellings.
pub fn did_web(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(host) = WebHost::parse(text) {
        assert_eq!(WebHost::parse(&host.to_string()), Ok(host), "a host reads back");
    }
    let Ok(web) = Did::parse(text).and_then(|did| WebDid::parse(&did)) else { return };
    let url = web.url();
    let expected = format!("https://{}/", web.host.authority());
    assert!(url.starts_with(&expected), "{url} leads to the host of {text}");
    assert!(!url.contains("/../") && !url.contains("/./"), "{url} leads below the host");
}

/// A document of a DID, behind the name of a key in it.
pub fn did_document(data: &[u8]) {
    let Some((id, rest)) = first_line(data) else { return };
    let Ok(mut document) = serde_json::from_slice::<Value>(rest) else { return };
    let _ = method::assertion_method(&document, id);
    let fragment = id.rsplit('#').next().unwrap_or_default();
    let _ = dereference::part(&document, fragment);
    let _ = dereference::is_listed(&document, fragment, "assertionMethod");
    let _ = dereference::endpoints(&document, Some("a/../b?c"), Some(fragment));
    dereference::expand(&mut document);
    dereference::select_services(&mut document, Some(fragment), None);
    let _ = claims::Said::read(SourceKind::Did, rest);
    let _ = claims::Said::read(SourceKind::Domain, rest);
}

/// A name, as it stands in a record of nobody, of an origin, and of an origin with a chain.
pub fn subject(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(origin) = "games".parse() else { unreachable!("a name of letters") };
    let chain = Some(ChainId(8453));
    for naming in [
        Naming::default(),
        Naming { origin: None, chain },
        Naming { origin: Some(&origin), chain: None },
        Naming { origin: Some(&origin), chain },
    ] {
        let Ok(named) = Subject::parse(text, naming) else { continue };
        let canonical = named.to_string();
        assert_eq!(canonical.parse(), Ok(named.clone()), "{canonical} reads back");
        let _ = named.to_uri();
    }
}

/// The URI of a registration file.
pub fn file_source(data: &[u8]) {
    let _ = claims::Said::read(SourceKind::Web, data);
    let Ok(located) = file::locate(data) else { return };
    let _ = Source::of(&located.place).map(|source| source.id());
    if let Place::Inline(body) = located.place {
        registration_file(&body);
    }
}

/// A registration file.
pub fn registration_file(data: &[u8]) {
    let Ok(read) = file::read(data) else { return };
    let _ = (read.dids().count(), read.domains());
}

/// A path under a CID on the first line, and an archive of blocks that should prove what is there.
pub fn ipfs_blocks(data: &[u8]) {
    let Some((path, archive)) = first_line(data) else { return };
    let Ok(path) = IpfsPath::parse(path) else { return };
    let again = IpfsPath::parse(&path.to_string());
    assert_eq!(again.as_ref(), Ok(&path), "a path reads back");
    let _ = (path.inline(), ipfs::prove(&path, archive));
}

/// A log: the count of its topics in one byte, the topics, the data.
pub fn registry_log(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let Some((topics, rest)) = rest.split_at_checked(usize::from(count % 5) * 32) else { return };
    let word = |topic: &[u8]| <[u8; 32]>::try_from(topic).unwrap_or_default().into();
    let log = RawLog {
        address: [4; 20].into(),
        topics: topics.chunks(32).map(word).collect(),
        data: rest.to_vec().into(),
        block: BlockRef { number: 1, hash: [1; 32].into() },
        block_time: None,
        tx_hash: [2; 32].into(),
        log_index: 3,
    };
    let identity = RegistryRef { chain: ChainId(8453), address: [5; 20].into() };
    let place = EventPlace::of(&log, UnixSeconds::EPOCH, identity);
    assert_eq!(place.at, Position::new(1, 3));
    let _ = feedback_number(&log);
    for kind in RegistryKind::ALL {
        let Ok(event) = decode(kind, &log) else { continue };
        let made = onchain::incoming(&event, &place);
        let Ok(made) = made else { panic!("{event:?} is no record: {made:?}") };
        let Some(made) = made else { continue };
        let record = made.attestation;
        let again = Attestation::read(record.canonical(), usize::MAX);
        assert_eq!(again.as_ref(), Ok(&record), "a record of the chain reads back");
    }
}

/// What a contract answers.
pub fn contract_answer(data: &[u8]) {
    let _ = (calls::address_in(data), calls::bytes_in(data), contract_wallet::says(data));
}

fn relay_source() -> RelaySource {
    let Ok(origin) = "games".parse() else { unreachable!("a name of letters") };
    RelaySource { origin, chain: Some(ChainId(10)), plugins: vec!["registered".to_owned()] }
}

/// A page of a platform's relay, from the second index on.
pub fn relay_page(data: &[u8]) {
    const SINCE: u64 = 2;
    let Ok(page) = RelayPage::read(data, &relay_source(), "game", SINCE) else { return };
    let is_anew = matches!(page.standing, Standing::Restarted { .. });
    assert!(is_anew || page.next >= SINCE, "a cursor does not go backwards");
    let indices: BTreeSet<_> = page.records.iter().map(|record| record.index).collect();
    assert_eq!(indices.len(), page.records.len(), "an index is given once");
    for record in &page.records {
        assert!((SINCE..page.next).contains(&record.index), "a record lies before the cursor");
        let attestation = &record.incoming.attestation;
        assert_eq!(attestation.context.game.as_deref(), Some("game"));
        let again = Attestation::read(attestation.canonical(), usize::MAX);
        assert_eq!(again.map(|again| again.digest()), Ok(attestation.digest()));
    }
}

/// A case of a failure.
pub fn case(data: &[u8]) {
    // What a case costs to compute follows from its size, which the reader bounds; here it is about reading.
    let _ = tfd::read(data);
}

/// A text that a wallet signs to prove itself.
pub fn siwe_message(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = siwe::Stated::of(text);
}
