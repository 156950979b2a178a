//! Calls of the reputation registry and of the validation registry.
//!
//! Texts are taken as bytes. Small integers are encoded as whole words, which is how the contracts read them.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolValue};

use super::{Registries, raw_call, text};
use crate::support::abi::{IReputation, IValidation};
use crate::support::anvil::Call;

/// Agent, value, decimals, tag1, tag2, endpoint, URI, hash.
pub(crate) type Feedback = (U256, i128, u8, Bytes, Bytes, Bytes, Bytes, B256);

impl Registries {
    /// `giveFeedback`, with no more than a value of no decimals and a tag.
    pub(crate) fn give_feedback(
        &self,
        from: Address,
        agent: U256,
        value: i128,
        tag1: impl AsRef<[u8]>,
    ) -> Call {
        let none = Bytes::new;
        self.give_feedback_in_full(
            from,
            (agent, value, 0, text(tag1), none(), none(), none(), B256::ZERO),
        )
    }

    /// `giveFeedback`: agent, value, decimals, tag1, tag2, endpoint, URI, hash.
    pub(crate) fn give_feedback_in_full(
        &self,
        from: Address,
        (agent, value, decimals, tag1, tag2, endpoint, uri, hash): Feedback,
    ) -> Call {
        let decimals = U256::from(decimals);
        let arguments =
            (agent, value, decimals, tag1, tag2, endpoint, uri, hash).abi_encode_params();
        let data = raw_call(IReputation::giveFeedbackCall::SELECTOR, &arguments);
        Call::new(from, self.reputation, data)
    }

    /// `revokeFeedback`.
    pub(crate) fn revoke_feedback(&self, from: Address, agent: U256, index: u64) -> Call {
        let call = IReputation::revokeFeedbackCall { agentId: agent, feedbackIndex: index };
        Call::new(from, self.reputation, call.abi_encode())
    }

    /// `appendResponse`.
    pub(crate) fn append_response(
        &self,
        from: Address,
        agent: U256,
        client: Address,
        index: u64,
        uri: impl AsRef<[u8]>,
    ) -> Call {
        let arguments =
            (agent, client, U256::from(index), text(uri), B256::ZERO).abi_encode_params();
        let data = raw_call(IReputation::appendResponseCall::SELECTOR, &arguments);
        Call::new(from, self.reputation, data)
    }

    /// `validationRequest`.
    pub(crate) fn request_validation(
        &self,
        from: Address,
        validator: Address,
        agent: U256,
        uri: impl AsRef<[u8]>,
        request_hash: B256,
    ) -> Call {
        let arguments = (validator, agent, text(uri), request_hash).abi_encode_params();
        let data = raw_call(IValidation::validationRequestCall::SELECTOR, &arguments);
        Call::new(from, self.validation, data)
    }

    /// `validationResponse`.
    pub(crate) fn respond_validation(
        &self,
        from: Address,
        request_hash: B256,
        response: u8,
        uri: impl AsRef<[u8]>,
        tag: impl AsRef<[u8]>,
    ) -> Call {
        let arguments = (request_hash, U256::from(response), text(uri), B256::ZERO, text(tag))
            .abi_encode_params();
        let data = raw_call(IValidation::validationResponseCall::SELECTOR, &arguments);
        Call::new(from, self.validation, data)
    }
}
