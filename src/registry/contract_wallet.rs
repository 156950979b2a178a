//! How a contract is asked whether it signed: ERC-1271, and ERC-6492 for one that is not deployed yet.
//!
//! Both take one read-only call. What is called is a creation that is only simulated: its code (the source is
//! `tests/contracts/src/SignatureCheck.sol`) looks whether the contract is there, makes it by its factory where it is not, asks it, and
//! returns one word. No contract need be deployed for that, on any chain. Whether the account's key signed is not asked here.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolValue;

/// The creation code of `SignatureCheck`, as `tests/contracts/build.mjs` compiles it.
const CHECK: &[u8] = include_bytes!("signature_check.bin");
/// How many bytes at a wrapped signature's end say that it is one (ERC-6492).
const MARK_LEN: usize = 32;

/// What the chain says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractSays {
    /// No contract is at the account, and none is announced.
    NoCode,
    /// It is the contract's.
    Agrees,
    /// It is not.
    Disagrees,
    /// The factory does not make a contract at the account.
    NotDeployed,
    /// It is the contract's, once that is deployed.
    AgreesOnceDeployed,
    /// It is not, also once the contract is deployed.
    DisagreesOnceDeployed,
}

/// Why a wrapped signature cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signature ends as ERC-6492 has it, but does not hold a factory, its call, and a signature before that"
)]
pub struct WrappingError;

/// The code to run as a creation; answers with what [`says`] reads.
///
/// # Errors
/// When the signature is wrapped, and what is wrapped is not a factory, a call and a signature.
pub fn signature_check(
    account: Address,
    digest: B256,
    signature: &[u8],
    is_wrapped: bool,
) -> Result<Bytes, WrappingError> {
    let (factory, creation, signature) = if is_wrapped {
        let end = signature.len().checked_sub(MARK_LEN).ok_or(WrappingError)?;
        let wrapped = signature.get(..end).ok_or(WrappingError)?;
        <(Address, Bytes, Bytes)>::abi_decode_params(wrapped).map_err(|_| WrappingError)?
    } else {
        (Address::ZERO, Bytes::new(), Bytes::copy_from_slice(signature))
    };
    let arguments = (account, digest, signature, factory, creation).abi_encode_params();
    Ok([CHECK, &arguments].concat().into())
}

/// What [`signature_check`] asks: the account, and the factory that is to make a contract there first; the zero address where none is.
/// `None` where the code is another.
#[must_use]
pub fn asked_of(code: &[u8]) -> Option<(Address, Address)> {
    let arguments = code.strip_prefix(CHECK)?;
    let (account, _, _, factory, _) =
        <(Address, B256, Bytes, Address, Bytes)>::abi_decode_params(arguments).ok()?;
    Some((account, factory))
}

/// The answer in which the code says so.
#[must_use]
pub fn word_of(says: ContractSays) -> Bytes {
    let number: u8 = match says {
        ContractSays::NoCode => 0,
        ContractSays::Agrees => 1,
        ContractSays::Disagrees => 2,
        ContractSays::NotDeployed => 3,
        ContractSays::AgreesOnceDeployed => 4,
        ContractSays::DisagreesOnceDeployed => 5,
    };
    Bytes::from(U256::from(number).to_be_bytes::<32>())
}

/// What an answer says; `None` where it is none of this code's.
#[must_use]
pub fn says(answer: &[u8]) -> Option<ContractSays> {
    let word = U256::from_be_bytes(<[u8; 32]>::try_from(answer).ok()?);
    match u8::try_from(word).ok()? {
        0 => Some(ContractSays::NoCode),
        1 => Some(ContractSays::Agrees),
        2 => Some(ContractSays::Disagrees),
        3 => Some(ContractSays::NotDeployed),
        4 => Some(ContractSays::AgreesOnceDeployed),
        5 => Some(ContractSays::DisagreesOnceDeployed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Address = Address::repeat_byte(0xaa);
    const FACTORY: Address = Address::repeat_byte(0xfa);

    fn check(signature: &[u8], is_wrapped: bool) -> Result<Bytes, WrappingError> {
        signature_check(ACCOUNT, B256::repeat_byte(0xdd), signature, is_wrapped)
    }

    fn arguments(code: &Bytes) -> (Address, B256, Bytes, Address, Bytes) {
        SolValue::abi_decode_params(code.strip_prefix(CHECK).unwrap()).unwrap()
    }

    #[test]
    fn a_signature_is_unwrapped_where_it_is_wrapped() {
        let inner = Bytes::from_static(b"inner");
        let creation = Bytes::from_static(b"make it");
        let mark = [0x64, 0x92].repeat(16);
        let wrapped = [(FACTORY, &creation, &inner).abi_encode_params(), mark].concat();
        let (account, digest, signature, factory, call) =
            arguments(&check(&wrapped, true).unwrap());
        assert_eq!((account, digest), (ACCOUNT, B256::repeat_byte(0xdd)));
        assert_eq!((signature, factory, call), (inner, FACTORY, creation));
        assert_eq!(asked_of(&check(&wrapped, true).unwrap()), Some((ACCOUNT, FACTORY)));
        assert_eq!(asked_of(&check(&wrapped, false).unwrap()), Some((ACCOUNT, Address::ZERO)));
        assert_eq!(asked_of(&check(&wrapped, true).unwrap()[1..]), None);
        let (_, _, signature, factory, call) = arguments(&check(&wrapped, false).unwrap());
        assert_eq!((signature, factory, call), (wrapped.into(), Address::ZERO, Bytes::new()));
    }

    #[test]
    fn what_is_not_wrapped_right_is_refused() {
        for length in [0, 31, 32, 33, 96, 127, 160] {
            assert_eq!(check(&vec![0xff; length], true), Err(WrappingError), "{length}");
        }
    }

    #[test]
    fn only_six_words_are_answers() {
        let word = |number: u64| U256::from(number).to_be_bytes::<32>();
        let read: Vec<_> = (0..6).filter_map(|number| says(&word(number))).collect();
        assert_eq!(read.len(), 6);
        assert!(read.iter().all(|said| says(&word_of(*said)) == Some(*said)));
        assert_eq!((read[1], read[4]), (ContractSays::Agrees, ContractSays::AgreesOnceDeployed));
        for wrong in [&word(6)[..], &word(256), &word(1)[..31], &[], &[0xff; 32]] {
            assert_eq!(says(wrong), None);
        }
    }
}
