//! A contract that owns agents and calls back while it is given one.
//!
//! It stands for adapters and batch registrants, and for everything that can happen in the middle of a registration.

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;

use crate::support::abi::IRegistrant;
use crate::support::anvil::Call;

/// A contract that makes calls in its own name, also in the middle of a registration. Its signature, where it is named as a wallet, is
/// the text "yes".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registrant {
    pub(crate) address: Address,
}

impl Registrant {
    /// In a call made inside a registration: the agent that is just being registered.
    pub(crate) const THIS_AGENT: U256 = U256::MAX;
    /// What it takes to prove it as a wallet.
    pub(crate) const SIGNATURE: &'static [u8] = b"yes";

    /// Makes `registration`, and the calls of `inside` while the registry waits for its receiver's answer.
    pub(crate) fn register(self, from: Address, registration: &Call, inside: &[Call]) -> Call {
        let call = IRegistrant::registerWithCall {
            registry: registration.to.expect("a call of the registry"),
            registration: registration.data.clone(),
            callbacks: inside.iter().map(|call| call.data.clone()).collect(),
        };
        Call::new(from, self.address, call.abi_encode())
    }

    /// Makes several calls of one contract in one transaction.
    pub(crate) fn execute(self, from: Address, calls: &[Call]) -> Call {
        let call = IRegistrant::executeCall {
            target: calls[0].to.expect("a call of a contract"),
            calls: calls.iter().map(|call| call.data.clone()).collect(),
        };
        Call::new(from, self.address, call.abi_encode())
    }
}
