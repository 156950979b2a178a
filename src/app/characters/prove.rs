//! A signed challenge comes back: is it ours, is it of use, did the account sign it, and then what it does.
//!
//! The text must be the very one that was given out, so that nothing of it needs to be believed. The signature is looked at before the
//! transaction, since a contract may have to be asked; the transaction then uses the challenge up, whoever else holds it as well.
//! An attempt to link is counted before the contract is asked, so that no more run at a time than may, and taken back where it cannot be.
//! Other challenges are given to whoever asks, so that counting would let strangers wear out what a wallet's holder is about to sign.

use alloy::primitives::Bytes;

use super::checks::check_linked;
use super::{ChallengeError, CharacterError, Characters, MANAGE, next};
use crate::app::contract_wallets::settle;
use crate::app::secret::Token;
use crate::attest::siwe::{Purpose, Stated};
use crate::attest::wallet::{Judgement, SignedBy, Verdict, judge, parse_signature, text_digest};
use crate::did::Change;
use crate::storage::{Character, GivenChallenge, LinkEvidence, Tx, UnlinkedBy};
use crate::vocab::{AccountId, Handle, UnixSeconds};

/// So many signatures are looked at for one challenge where that takes asking a contract.
const ATTEMPTS_MAX: u32 = 5;

/// What a signed challenge did.
#[derive(Debug)]
pub struct Proof {
    /// The character.
    pub handle: Handle,
    /// Its DID.
    pub did: String,
    /// The account that signed.
    pub account: AccountId,
    /// By what it signed.
    pub signed_by: SignedBy,
    /// What it was signed for.
    pub purpose: Purpose,
    /// The change of the record; absent where only a token was given.
    pub change: Option<Change>,
    /// The new token, where one was asked for; shown once.
    pub token: Option<Token>,
}

impl Characters<'_> {
    /// Takes a challenge back, signed.
    ///
    /// # Errors
    /// When the message is not one that counts, the account did not sign it, or that cannot be found out.
    pub async fn prove(&self, message: &str, signature: &str) -> Result<Proof, CharacterError> {
        let given = self.given(message).await?;
        let signature = parse_signature(signature)?;
        let signed_by = match judge(given.account, text_digest(message.as_bytes()), &signature) {
            Judgement::Signed => SignedBy::Key,
            asking @ Judgement::Ask(_) => match self.ask(&given, asking).await? {
                Verdict::Signed(by) => by,
                Verdict::Unsigned(why) => return Err(CharacterError::NotSigned(why)),
            },
        };
        self.apply(given, signed_by, signature).await
    }

    /// The challenge that a message is, if it is one of ours and of use.
    async fn given(&self, message: &str) -> Result<GivenChallenge, CharacterError> {
        let (now, ours) = (self.clock.now(), self.host.authority());
        let stated = Stated::of(message).map_err(ChallengeError::from)?;
        if stated.domain != ours {
            return Err(ChallengeError::Foreign { domain: stated.domain, ours }.into());
        }
        let Some(given) = self.database.begin_read().await?.challenge(&stated.nonce).await? else {
            // What has expired is soon forgotten, and then only says so itself.
            let expired = stated.expires.filter(|expires| *expires <= now);
            return Err(expired.map_or(ChallengeError::Unknown, ChallengeError::Expired).into());
        };
        if given.message != message {
            return Err(ChallengeError::Altered.into());
        }
        check_use(&given, now)?;
        Ok(given)
    }

    /// Asks the contract. Only what it judges is an attempt: the owner of a wallet is not to pay for a node that fails.
    async fn ask(
        &self,
        given: &GivenChallenge,
        asking: Judgement,
    ) -> Result<Verdict, CharacterError> {
        if self.contracts.is_none() || given.purpose != Purpose::Link {
            return Ok(settle(asking, self.contracts).await?);
        }
        self.count_attempt(given).await?;
        let verdict = settle(asking, self.contracts).await;
        if verdict.is_err() {
            let mut tx = self.database.begin_write().await?;
            tx.untry_challenge(&given.nonce).await?;
            tx.commit().await?;
        }
        Ok(verdict?)
    }

    async fn count_attempt(&self, given: &GivenChallenge) -> Result<(), CharacterError> {
        let mut tx = self.database.begin_write().await?;
        let may_try = tx.try_challenge(&given.nonce, ATTEMPTS_MAX).await?;
        tx.commit().await?;
        if may_try { Ok(()) } else { Err(ChallengeError::Worn.into()) }
    }

    /// Does what was signed.
    async fn apply(
        &self,
        given: GivenChallenge,
        signed_by: SignedBy,
        signature: Bytes,
    ) -> Result<Proof, CharacterError> {
        let (mut tx, now) = self.begin().await?;
        if !tx.use_challenge(&given.nonce, now).await? {
            let found = tx.challenge(&given.nonce).await?;
            check_use(found.as_ref().unwrap_or(&given), now)?;
            // It was withdrawn while its signature was looked at.
            return Err(ChallengeError::Unknown.into());
        }
        let character = tx.character_of(given.character).await?;
        let character = character.ok_or_else(|| missing(&given))?;
        if character.is_removed {
            return Err(CharacterError::Removed(character.handle));
        }
        check_linked(&mut tx, &character, given.account, given.purpose).await?;
        let (account, purpose) = (given.account, given.purpose);
        let (change, token) = match purpose {
            Purpose::Link => {
                let evidence = LinkEvidence { signed_by, message: given.message, signature };
                (Some(link(&mut tx, &character, account, &evidence, now).await?), None)
            }
            Purpose::Unlink => {
                let change = next(&mut tx, &character, now).await?;
                tx.unlink_wallet(character.id, account, change, UnlinkedBy::Wallet).await?;
                tx.withdraw_challenges(character.id, now).await?;
                (Some(change), None)
            }
            Purpose::Token => {
                let token = Token::random(MANAGE)?;
                tx.set_character_token(character.id, token.hash().to_keep()).await?;
                tx.withdraw_challenges(character.id, now).await?;
                (None, Some(token))
            }
        };
        tx.commit().await?;
        let (did, handle) = (self.did(&character.handle), character.handle);
        Ok(Proof { handle, did, account, signed_by, purpose, change, token })
    }
}

async fn link(
    tx: &mut Tx,
    character: &Character,
    account: AccountId,
    evidence: &LinkEvidence,
    now: UnixSeconds,
) -> Result<Change, CharacterError> {
    let change = next(tx, character, now).await?;
    tx.link_wallet(character.id, account, change, evidence).await?;
    Ok(change)
}

/// Refuses a challenge that was used or has expired.
fn check_use(given: &GivenChallenge, now: UnixSeconds) -> Result<(), ChallengeError> {
    if given.used.is_some() {
        return Err(ChallengeError::Used);
    }
    if given.expires <= now { Err(ChallengeError::Expired(given.expires)) } else { Ok(()) }
}

/// A challenge refers to its character by a key of the database.
fn missing(given: &GivenChallenge) -> CharacterError {
    use crate::storage::StorageError;
    StorageError::inconsistent("wallet_challenge", "character_id", &given.nonce).into()
}
