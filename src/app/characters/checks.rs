//! What must hold before a character is created, found or changed: each looked at in the transaction that rests on it.

use alloy::primitives::B256;

use super::{CharacterError, WALLETS_MAX};
use crate::app::secret::TokenHash;
use crate::attest::siwe::Purpose;
use crate::storage::{Character, Tx};
use crate::vocab::{AccountId, Handle, UnixSeconds};

/// Refuses an account that nobody can have.
pub(super) fn check_account(account: AccountId) -> Result<(), CharacterError> {
    // Chain numbers begin at 1 (EIP-155), and both engines count up to 2^63.
    if account.chain.0 == 0 || i64::try_from(account.chain.0).is_err() {
        return Err(CharacterError::NoSuchChain(account.chain.0));
    }
    if account.address.is_zero() {
        return Err(CharacterError::NobodysAccount(account));
    }
    Ok(())
}

/// Uses an invitation, or says why it is of no use.
pub(super) async fn use_invitation(
    tx: &mut Tx,
    invitation: TokenHash,
    now: UnixSeconds,
) -> Result<(), CharacterError> {
    let hash: B256 = invitation.to_keep();
    let why = match tx.invitation(hash).await? {
        None => "no such invitation was given out, or it expired",
        Some(found) if found.used.is_some() => "the invitation was used already",
        Some(_) if tx.use_invitation(hash, now).await? => return Ok(()),
        Some(_) => "the invitation has expired",
    };
    Err(CharacterError::Invitation(why))
}

/// The character with a handle, which was not removed.
pub(super) async fn find(tx: &mut Tx, handle: &Handle) -> Result<Character, CharacterError> {
    match tx.character(handle).await? {
        Some(found) if found.is_removed => Err(CharacterError::Removed(found.handle)),
        Some(found) => Ok(found),
        None => Err(CharacterError::NoSuchCharacter(handle.clone())),
    }
}

/// Refuses a purpose that an account cannot have: only one that is not linked can be linked, and only one that is can do the rest.
pub(super) async fn check_linked(
    tx: &mut Tx,
    character: &Character,
    account: AccountId,
    purpose: Purpose,
) -> Result<(), CharacterError> {
    let links = tx.wallet_links(character.id).await?;
    let open = links.iter().filter(|link| link.to.is_none());
    let (count, handle) = (open.clone().count(), character.handle.clone());
    let is_linked = open.clone().any(|link| link.account == account);
    match (purpose, is_linked) {
        (Purpose::Link, true) => Err(CharacterError::Linked { account, handle }),
        (Purpose::Unlink | Purpose::Token, false) => {
            Err(CharacterError::NotLinked { account, handle })
        }
        (Purpose::Link, false) if u64::try_from(count).unwrap_or(u64::MAX) >= WALLETS_MAX => {
            Err(CharacterError::TooMany { handle, what: "wallets", max: WALLETS_MAX })
        }
        _ => Ok(()),
    }
}
