//! Human participants: created, linked to the wallets that prove themselves, and removed.
//!
//! Two things must agree before a wallet is linked: whoever manages the character asks for the challenge, with its token, and the wallet
//! signs it. Either may end the link: the character by its token, the wallet by its signature. What a wallet signs is given out here,
//! names this host, the chain, the account and the character, lasts five minutes and is of use once ([`prove`]).
//! Where a token is replaced, a wallet unlinked or a character removed, all that was given out about the character before is void: else who
//! had the old token could still link a wallet by what it had asked for, and take the character by that.
//!
//! Every verb is one transaction for writing, which looks again at what it rests on. Nothing here follows the chain.

mod checks;
mod error;
mod prove;

pub use error::{ChallengeError, CharacterError};
pub use prove::Proof;

use super::Clock;
use super::contract_wallets::ContractWallets;
use super::secret::{Token, TokenHash, nonce};
use crate::attest::siwe::{Challenge, Purpose};
use crate::did::Change;
use crate::did::web::{Local, WebHost};
use crate::storage::{Character, Database, GivenChallenge, StorageError, Tx, UnlinkedBy};
use crate::vocab::{AccountId, Handle, UnixSeconds};
use checks::{check_account, check_linked, find, use_invitation};

/// How long a challenge lasts.
const CHALLENGE_S: u64 = 300;
/// The most challenges of a character that wait to link an account, where a new one takes the oldest's place: whoever manages the
/// character asks for them, and so uses up nothing but its own.
const LINKING_MAX: u32 = 64;
/// For so long one challenge is given to everybody who asks for the same without a token, in seconds. Only the account's signature makes
/// anything of it, whoever asked; so strangers neither take the place of what its holder asked for, nor make more than some wait.
const SHARED_S: u64 = 30;
/// The most wallets of a character at a time.
const WALLETS_MAX: u64 = 32;
/// The most changes of a character's record; its removal is always possible.
const CHANGES_MAX: u64 = 1_000;
/// What stands before the tokens that manage a character, and before invitations.
const MANAGE: &str = "hmc";
const INVITE: &str = "hmi";

/// The verbs, and what they need.
#[derive(Debug)]
pub struct Characters<'a> {
    /// Where the record is.
    pub database: &'a Database,
    /// Tells when.
    pub clock: &'a dyn Clock,
    /// The host of the DIDs.
    pub host: &'a WebHost,
    /// The operator's token, where there is one.
    pub operator: Option<&'a TokenHash>,
    /// Asks contracts; `None` where there is no node.
    pub contracts: Option<&'a ContractWallets>,
}

/// What lets somebody create a character.
#[derive(Clone, Copy, Debug)]
pub enum Permit<'a> {
    /// A token that may be the operator's.
    Operator(&'a str),
    /// An invitation.
    Invitation(&'a str),
}

/// A character that was created.
#[derive(Debug)]
pub struct Created {
    /// Its handle.
    pub handle: Handle,
    /// Its DID.
    pub did: String,
    /// Manages it; shown once.
    pub token: Token,
    /// When.
    pub created: UnixSeconds,
}

/// A challenge and the character that it is about.
#[derive(Debug)]
pub struct Given {
    /// The character.
    pub handle: Handle,
    /// The challenge.
    pub challenge: GivenChallenge,
}

/// What changed of a character.
#[derive(Debug)]
pub struct Changed {
    /// The character.
    pub handle: Handle,
    /// The change.
    pub change: Change,
}

impl Characters<'_> {
    /// Creates a character.
    ///
    /// # Errors
    /// When the handle is malformed, reserved or taken, or the permit is not one.
    pub async fn create(
        &self,
        handle: &str,
        permit: Permit<'_>,
    ) -> Result<Created, CharacterError> {
        // Who may not create learns nothing of handles; an invitation is looked at again when it is used.
        if let Permit::Operator(token) = permit {
            self.check_operator(Some(token))?;
        }
        let handle = Handle::parse(handle)?;
        if handle.is_reserved() {
            return Err(CharacterError::Reserved(handle));
        }
        let token = Token::random(MANAGE)?;
        let (mut tx, now) = self.begin().await?;
        if let Permit::Invitation(invitation) = permit {
            use_invitation(&mut tx, TokenHash::of(invitation), now).await?;
        }
        if !tx.insert_character(&handle, token.hash().to_keep(), now).await? {
            return Err(CharacterError::Taken(handle));
        }
        tx.commit().await?;
        Ok(Created { did: self.did(&handle), handle, token, created: now })
    }

    /// Makes invitations that last so many seconds, each to create one character.
    ///
    /// # Errors
    /// When the system gives no random bytes, or the database fails.
    pub async fn invite(&self, count: u32, valid_s: u64) -> Result<Vec<Token>, CharacterError> {
        let (mut tx, now) = self.begin().await?;
        let expires = after(now, valid_s);
        tx.forget_expired(now).await?;
        let mut made = Vec::new();
        for _ in 0..count {
            let invitation = Token::random(INVITE)?;
            tx.insert_invitation(invitation.hash().to_keep(), expires).await?;
            made.push(invitation);
        }
        tx.commit().await?;
        Ok(made)
    }

    /// Gives out a challenge. To link an account takes the character's token; the other purposes need nothing but that the account is
    /// linked, since only its signature makes anything of them.
    ///
    /// # Errors
    /// When the character does not exist, or the token is not its own.
    pub async fn challenge(
        &self,
        handle: &str,
        account: AccountId,
        purpose: Purpose,
        token: Option<&str>,
    ) -> Result<Given, CharacterError> {
        let handle = Handle::parse(handle)?;
        check_account(account)?;
        // Whoever loses a challenge asks for another: it need not outlast a loss of power.
        let mut tx = self.database.begin_write().await?;
        let now = self.clock.now();
        let character = find(&mut tx, &handle).await?;
        if purpose == Purpose::Link {
            self.check_manager(&character, token)?;
        }
        check_linked(&mut tx, &character, account, purpose).await?;
        tx.forget_expired(now).await?;
        let expires = after(now, CHALLENGE_S);
        if purpose == Purpose::Link {
            tx.crowd_out_challenges(character.id, purpose, LINKING_MAX - 1, now).await?;
        } else {
            // By the newest end that may be, since a clock can have gone back.
            let recent = (after(now, CHALLENGE_S - SHARED_S), expires);
            let waiting = tx.challenge_waiting(character.id, account, purpose, recent).await?;
            if let Some(challenge) = waiting {
                return Ok(Given { handle: character.handle, challenge });
            }
        }
        let nonce = nonce()?;
        let message = self.text(&character.handle, account, purpose, &nonce, now);
        let challenge = GivenChallenge {
            nonce,
            character: character.id,
            account,
            purpose,
            message,
            expires,
            attempts: 0,
            used: None,
        };
        tx.insert_challenge(&challenge).await?;
        tx.commit().await?;
        Ok(Given { handle: character.handle, challenge })
    }

    /// Takes a wallet away from a character, by the word of whoever manages it.
    ///
    /// # Errors
    /// When the character does not exist, the token is not its own, or the account is none of its wallets.
    pub async fn unlink(
        &self,
        handle: &str,
        account: AccountId,
        token: Option<&str>,
    ) -> Result<Changed, CharacterError> {
        let handle = Handle::parse(handle)?;
        let (mut tx, now) = self.begin().await?;
        let character = find(&mut tx, &handle).await?;
        self.check_manager(&character, token)?;
        let change = next(&mut tx, &character, now).await?;
        if !tx.unlink_wallet(character.id, account, change, UnlinkedBy::Character).await? {
            return Err(CharacterError::NotLinked { account, handle: character.handle });
        }
        tx.withdraw_challenges(character.id, now).await?;
        tx.commit().await?;
        Ok(Changed { handle: character.handle, change })
    }

    /// Removes a character: its DID is deactivated for ever, and its wallets are its own no more. Its past stays.
    ///
    /// # Errors
    /// When the character does not exist, or the token is not its own.
    pub async fn remove(
        &self,
        handle: &str,
        token: Option<&str>,
    ) -> Result<Changed, CharacterError> {
        let handle = Handle::parse(handle)?;
        let (mut tx, now) = self.begin().await?;
        let character = find(&mut tx, &handle).await?;
        self.check_manager(&character, token)?;
        let change = change_after(&character, now);
        tx.unlink_wallets(character.id, change).await?;
        tx.withdraw_challenges(character.id, now).await?;
        note(&mut tx, &character, change, true).await?;
        tx.commit().await?;
        Ok(Changed { handle: character.handle, change })
    }

    /// Begins to write what outlasts a loss of power, and says when: what was answered is never undone, and a token that was replaced never
    /// comes back. A change is dated once nobody else writes: what was dated while it waited would be in force before anybody could have
    /// read it.
    async fn begin(&self) -> Result<(Tx, UnixSeconds), StorageError> {
        let tx = self.database.begin_durable().await?;
        Ok((tx, self.clock.now()))
    }

    /// Refuses who is not the operator.
    ///
    /// # Errors
    /// When there is no token, no operator, or another one's token.
    pub fn check_operator(&self, token: Option<&str>) -> Result<(), CharacterError> {
        let Some(operator) = self.operator else {
            return Err(CharacterError::WrongToken(
                "this service has no operator: set `operator_token` in its configuration",
            ));
        };
        let token = token.ok_or(CharacterError::NoToken(
            "send the operator's token as `Authorization: Bearer …`",
        ))?;
        if TokenHash::of(token).is_same(operator) {
            Ok(())
        } else {
            Err(CharacterError::WrongToken("this is not the operator's token"))
        }
    }

    /// Refuses who neither manages a character nor is the operator.
    fn check_manager(
        &self,
        character: &Character,
        token: Option<&str>,
    ) -> Result<(), CharacterError> {
        let token = token.ok_or(CharacterError::NoToken(
            "send the character's token as `Authorization: Bearer …`; it was given when the character was created",
        ))?;
        let given = TokenHash::of(token);
        let is_own = given.is_same(&TokenHash::kept(character.token_hash));
        let is_operator = self.operator.is_some_and(|operator| given.is_same(operator));
        if is_own || is_operator {
            Ok(())
        } else {
            Err(CharacterError::WrongToken("this token does not manage this character"))
        }
    }

    fn did(&self, handle: &Handle) -> String {
        Local::Character(handle.to_string()).did(self.host)
    }

    /// The text that a wallet is to sign.
    fn text(
        &self,
        handle: &Handle,
        account: AccountId,
        purpose: Purpose,
        nonce: &str,
        now: UnixSeconds,
    ) -> String {
        let domain = self.host.authority();
        let challenge = Challenge {
            uri: format!("https://{domain}/character/{handle}/did.json"),
            domain,
            account,
            statement: purpose.statement(handle),
            nonce: nonce.to_owned(),
            issued: now,
            expires: after(now, CHALLENGE_S),
            resources: vec![self.did(handle)],
        };
        challenge.to_string()
    }
}

/// Notes the next change of a character's record, unless there were too many.
async fn next(
    tx: &mut Tx,
    character: &Character,
    now: UnixSeconds,
) -> Result<Change, CharacterError> {
    let change = change_after(character, now);
    if change.number > CHANGES_MAX {
        let handle = character.handle.clone();
        return Err(CharacterError::TooMany { handle, what: "changes", max: CHANGES_MAX });
    }
    note(tx, character, change, false).await?;
    Ok(change)
}

async fn note(
    tx: &mut Tx,
    character: &Character,
    change: Change,
    is_removal: bool,
) -> Result<(), CharacterError> {
    if tx.note_character_change(character.id, change, is_removal).await? {
        return Ok(());
    }
    // It was read in this very transaction, which is alone.
    Err(StorageError::inconsistent("character", "last_change", character.id).into())
}

/// The change that follows on a character's newest. Time never goes back in a record, whatever the machine's clock does.
fn change_after(character: &Character, now: UnixSeconds) -> Change {
    Change { number: character.last.number + 1, time: now.max(character.last.time) }
}

fn after(now: UnixSeconds, seconds: u64) -> UnixSeconds {
    UnixSeconds::new(now.get().saturating_add(seconds)).unwrap_or(UnixSeconds::MAX)
}
