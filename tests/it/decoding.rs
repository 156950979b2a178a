//! Properties of decoding: what is encoded comes back, what is random does no harm, and two readers of the ABI agree.
//!
//! Encoding is alloy's, from tuples of Solidity types written here in the contracts' order; the committed vectors have an encoder of
//! their own.

use alloy::primitives::{Address, B256, Bytes, I256, U256, keccak256};
use alloy::sol_types::SolValue;
use hallmark::registry::topics::{KNOWN_EVENTS, KnownEvent};
use hallmark::registry::{FeedbackNumber, RegistryEvent, Tag, decode, feedback_number};
use hallmark::vocab::{AgentId, BlockRef, RawLog, RegistryKind};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What a feedback says of its own number.
fn number_of(event: &RegistryEvent) -> Option<FeedbackNumber> {
    let RegistryEvent::NewFeedback { agent, client, index, .. } = event else { return None };
    Some(FeedbackNumber { agent: *agent, client: *client, index: *index })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Encoding an event as its registry does and decoding the log gives the event back.
    #[test]
    fn decoding_undoes_encoding(event in any_event()) {
        let (signature, topics, data) = encode(&event);
        let known = KNOWN_EVENTS.iter().find(|known| known.signature == signature).unwrap();
        for kind in RegistryKind::ALL {
            let decoded = decode(kind, &log_of(known, &topics, &data));
            if known.is_of(kind) {
                prop_assert_eq!(number_of(&event), feedback_number(&log_of(known, &topics, &data)));
                prop_assert_eq!(decoded, Ok(event.clone()));
            } else {
                prop_assert!(decoded.is_err());
            }
        }
    }

    /// Whatever stands in a log, decoding returns.
    #[test]
    fn random_logs_do_no_harm(
        known in select(&KNOWN_EVENTS[..]),
        topics in prop::collection::vec(any_word(), 0..5),
        words in prop::collection::vec(any_word(), 0..24),
        cut in 0_usize..33,
    ) {
        let mut data = words.concat();
        data.truncate(data.len().saturating_sub(cut));
        for kind in RegistryKind::ALL {
            let _ = decode(kind, &log_of(&known, &topics, &data));
        }
    }

    /// A sound log with one hostile word in its data or topics does no harm either.
    #[test]
    fn damaged_logs_do_no_harm(event in any_event(), at in any::<Index>(), word in any_word()) {
        let (signature, mut topics, mut data) = encode(&event);
        let known = KNOWN_EVENTS.iter().find(|known| known.signature == signature).unwrap();
        let places = topics.len() + data.len() / 32;
        prop_assume!(places > 0);
        let place = at.index(places);
        match place.checked_sub(topics.len()) {
            None => topics[place] = word,
            Some(place) => data[place * 32..][..32].copy_from_slice(word.as_slice()),
        }
        for kind in RegistryKind::ALL {
            let _ = decode(kind, &log_of(known, &topics, &data));
        }
    }

    /// Cutting a log short never changes what it says: it is refused, or only padding went.
    #[test]
    fn cut_logs_are_refused_or_unchanged(event in any_event(), at in any::<Index>()) {
        let (signature, topics, data) = encode(&event);
        prop_assume!(!data.is_empty());
        let known = KNOWN_EVENTS.iter().find(|known| known.signature == signature).unwrap();
        let kind = known.registry.unwrap_or(RegistryKind::Identity);
        let cut = &data[..at.index(data.len())];
        match decode(kind, &log_of(known, &topics, cut)) {
            Ok(decoded) => {
                prop_assert_eq!(decoded, event);
                prop_assert!(data.len() - cut.len() < 32, "more than padding was cut");
            }
            Err(error) => prop_assert!(error.to_string().contains("malformed"), "{}", error),
        }
    }

    /// A byte string is taken wherever it lies inside the data, and nowhere else, for offsets and lengths of every kind.
    #[test]
    fn byte_strings_lie_within_the_data(words in prop::collection::vec(any_word(), 1..8)) {
        let known = KNOWN_EVENTS.iter().find(|known| known.name() == "Registered").unwrap();
        let data = words.concat();
        let topics = [B256::ZERO, B256::ZERO];
        let ours = match decode(RegistryKind::Identity, &log_of(known, &topics, &data)) {
            Ok(RegistryEvent::Registered { uri, .. }) => Some(uri),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        prop_assert_eq!(ours.as_ref().map(AsRef::as_ref), byte_string_of(&data));
    }
}

fn log_of(known: &KnownEvent, topics: &[B256], data: &[u8]) -> RawLog {
    RawLog {
        address: Address::ZERO,
        topics: [&[known.topic0], topics].concat(),
        data: Bytes::copy_from_slice(data),
        block: BlockRef { number: 1, hash: B256::ZERO },
        block_time: None,
        tx_hash: B256::ZERO,
        log_index: 0,
    }
}

/// The only byte string of some data, by the letter of the ABI specification.
fn byte_string_of(data: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| {
        let word = data.get(at..at.checked_add(32)?)?;
        usize::try_from(U256::from_be_slice(word)).ok()
    };
    let offset = number(0)?;
    let length = number(offset)?;
    data.get(offset + 32..)?.get(..length)
}

/// Words that a hostile log would hold: small numbers, multiples of 32, extremes, noise.
fn any_word() -> impl Strategy<Value = B256> {
    prop_oneof![
        4 => (0_u64..12).prop_map(|n| B256::from(U256::from(n * 32))),
        2 => (0_u64..300).prop_map(|n| B256::from(U256::from(n))),
        2 => (0_usize..256, 0_u64..3).prop_map(|(bit, less)| {
            B256::from((U256::ONE << bit).wrapping_sub(U256::from(less)))
        }),
        1 => any::<[u8; 32]>().prop_map(B256::from),
    ]
}

fn any_hash() -> impl Strategy<Value = B256> {
    any::<[u8; 32]>().prop_map(B256::from)
}

fn any_agent() -> impl Strategy<Value = AgentId> {
    any_word().prop_map(|word| AgentId(word.into()))
}

fn any_address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..100).prop_map(Bytes::from)
}

fn any_event() -> impl Strategy<Value = RegistryEvent> {
    prop_oneof![any_identity_event(), any_reputation_event(), any_other_event()]
}

fn any_identity_event() -> impl Strategy<Value = RegistryEvent> {
    use RegistryEvent as E;
    prop_oneof![
        (any_agent(), any_bytes(), any_address()).prop_map(|(agent, uri, owner)| E::Registered {
            agent,
            uri,
            owner
        }),
        (any_agent(), any_bytes(), any_bytes()).prop_map(|(agent, key, value)| E::MetadataSet {
            agent,
            key,
            value
        }),
        (any_agent(), any_bytes(), any_address())
            .prop_map(|(agent, uri, updated_by)| E::UriUpdated { agent, uri, updated_by }),
        (any_address(), any_address(), any_agent()).prop_map(|(from, to, agent)| E::Transfer {
            from,
            to,
            agent
        }),
        (any_address(), any_address(), any_agent())
            .prop_map(|(owner, approved, agent)| E::Approval { owner, approved, agent }),
        (any_address(), any_address(), any::<bool>()).prop_map(|(owner, operator, approved)| {
            E::ApprovalForAll { owner, operator, approved }
        }),
        any_agent().prop_map(|agent| E::MetadataUpdate { agent }),
        (any_agent(), any_agent()).prop_map(|(from, to)| E::BatchMetadataUpdate { from, to }),
        Just(E::Eip712DomainChanged),
    ]
}

fn any_reputation_event() -> impl Strategy<Value = RegistryEvent> {
    use RegistryEvent as E;
    let who = || (any_agent(), any_address(), any::<u64>());
    let texts = (any_bytes(), any_bytes(), any_bytes(), any_bytes(), any_hash());
    prop_oneof![
        2 => (who(), any::<i128>(), any::<u8>(), texts).prop_map(
            |((agent, client, index), value, decimals, (tag1, tag2, endpoint, uri, hash))| {
                let (index, tag1) = (Some(index), Tag::Text(tag1));
                let value = I256::try_from(value).unwrap();
                E::NewFeedback {
                    agent, client, index, value, decimals, tag1, tag2, endpoint, uri, hash,
                }
            }
        ),
        1 => who().prop_map(|(agent, client, index)| E::FeedbackRevoked { agent, client, index }),
        1 => (who(), any_address(), any_bytes(), any_hash()).prop_map(
            |((agent, client, index), responder, uri, hash)| {
                E::ResponseAppended { agent, client, index, responder, uri, hash }
            }
        ),
    ]
}

fn any_other_event() -> impl Strategy<Value = RegistryEvent> {
    use RegistryEvent as E;
    let who = || (any_address(), any_agent(), any_bytes(), any_hash());
    prop_oneof![
        who().prop_map(|(validator, agent, uri, request_hash)| {
            E::ValidationRequest { validator, agent, uri, request_hash }
        }),
        (who(), any::<u8>(), any_hash(), any_bytes()).prop_map(
            |((validator, agent, uri, request_hash), response, response_hash, tag)| {
                E::ValidationResponse {
                    validator,
                    agent,
                    request_hash,
                    response,
                    uri,
                    response_hash,
                    tag,
                }
            }
        ),
        any_address().prop_map(|implementation| E::Upgraded { implementation }),
        (any_address(), any_address()).prop_map(|(previous_owner, new_owner)| {
            E::OwnershipTransferred { previous_owner, new_owner }
        }),
        any::<u64>().prop_map(|version| E::Initialized { version }),
    ]
}

/// Signature, topics after topic 0, and data of an event in its current form.
fn encode(event: &RegistryEvent) -> (&'static str, Vec<B256>, Vec<u8>) {
    use RegistryEvent as E;
    let id = |agent: &AgentId| B256::from(agent.0);
    let to = |address: &Address| address.into_word();
    match event {
        E::Registered { agent, uri, owner } => (
            "Registered(uint256,string,address)",
            vec![id(agent), to(owner)],
            (uri.clone(),).abi_encode_params(),
        ),
        E::MetadataSet { agent, key, value } => (
            "MetadataSet(uint256,string,string,bytes)",
            vec![id(agent), keccak256(key)],
            (key.clone(), value.clone()).abi_encode_params(),
        ),
        E::UriUpdated { agent, uri, updated_by } => (
            "URIUpdated(uint256,string,address)",
            vec![id(agent), to(updated_by)],
            (uri.clone(),).abi_encode_params(),
        ),
        E::Transfer { from, to: recipient, agent } => {
            ("Transfer(address,address,uint256)", vec![to(from), to(recipient), id(agent)], vec![])
        }
        E::Approval { owner, approved, agent } => {
            ("Approval(address,address,uint256)", vec![to(owner), to(approved), id(agent)], vec![])
        }
        E::ApprovalForAll { owner, operator, approved } => (
            "ApprovalForAll(address,address,bool)",
            vec![to(owner), to(operator)],
            approved.abi_encode(),
        ),
        E::MetadataUpdate { agent } => ("MetadataUpdate(uint256)", vec![], agent.0.abi_encode()),
        E::BatchMetadataUpdate { from, to } => {
            ("BatchMetadataUpdate(uint256,uint256)", vec![], (from.0, to.0).abi_encode_params())
        }
        E::Eip712DomainChanged => ("EIP712DomainChanged()", vec![], vec![]),
        E::Upgraded { implementation } => ("Upgraded(address)", vec![to(implementation)], vec![]),
        E::OwnershipTransferred { previous_owner, new_owner } => (
            "OwnershipTransferred(address,address)",
            vec![to(previous_owner), to(new_owner)],
            vec![],
        ),
        E::Initialized { version } => ("Initialized(uint64)", vec![], version.abi_encode()),
        E::NewFeedback { .. }
        | E::FeedbackRevoked { .. }
        | E::ResponseAppended { .. }
        | E::ValidationRequest { .. }
        | E::ValidationResponse { .. } => encode_statement(event),
    }
}

fn encode_statement(event: &RegistryEvent) -> (&'static str, Vec<B256>, Vec<u8>) {
    use RegistryEvent as E;
    match event.clone() {
        E::NewFeedback {
            agent,
            client,
            index,
            value,
            decimals,
            tag1,
            tag2,
            endpoint,
            uri,
            hash,
        } => {
            let (Some(index), Tag::Text(tag1)) = (index, tag1) else {
                panic!("the current form has an index and a tag");
            };
            let topics = vec![agent.0.into(), client.into_word(), keccak256(&tag1)];
            // `u8` is a byte to alloy, not a number; wider types encode alike.
            let data = (index, value, u16::from(decimals), tag1, tag2, endpoint, uri, hash);
            (
                "NewFeedback(uint256,address,uint64,int128,uint8,string,string,string,string,string,bytes32)",
                topics,
                data.abi_encode_params(),
            )
        }
        E::FeedbackRevoked { agent, client, index } => (
            "FeedbackRevoked(uint256,address,uint64)",
            vec![agent.0.into(), client.into_word(), U256::from(index).into()],
            vec![],
        ),
        E::ResponseAppended { agent, client, index, responder, uri, hash } => (
            "ResponseAppended(uint256,address,uint64,address,string,bytes32)",
            vec![agent.0.into(), client.into_word(), responder.into_word()],
            (index, uri, hash).abi_encode_params(),
        ),
        E::ValidationRequest { validator, agent, uri, request_hash } => (
            "ValidationRequest(address,uint256,string,bytes32)",
            vec![validator.into_word(), agent.0.into(), request_hash],
            (uri,).abi_encode_params(),
        ),
        E::ValidationResponse {
            validator,
            agent,
            request_hash,
            response,
            uri,
            response_hash,
            tag,
        } => (
            "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,string)",
            vec![validator.into_word(), agent.0.into(), request_hash],
            (u16::from(response), uri, response_hash, tag).abi_encode_params(),
        ),
        other => unreachable!("{other:?} is encoded by the caller"),
    }
}
