//! What is known of a signer, gathered before its envelope is judged: the key in its document, and when it spoke for whom.
//!
//! A wallet speaks for its agent during the spans of the agent's timeline; the service's own keys by their ring. What the document of
//! another host says is known from the first time that it was seen to say so, and not for any time before.

use crate::attest::envelope::{Envelope, Signer};
use crate::attest::method::{self, Method, MethodKey};
use crate::attest::verdict::{Basis, Right};
use crate::did::Did;
use crate::did::web::{Local, WebDid};
use crate::did::{jwk_method, multikey_method};
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::rekey::{Question, question};
use crate::storage::{StorageError, Tx};
use crate::vocab::{AccountId, AgentRef, BlockRef, Digest, Subject, UnixSeconds};

use super::Records;
use super::refused::{Refused, RefusedBecause};
use crate::app::rekey::followed;

/// So many spans of an agent's wallet are looked at.
const SPANS_MAX: u32 = 10_000;
/// How long before it was first seen a key in the document of another host is believed, in seconds: the document was there before it was
/// asked for, and the statement before it was sent.
const BEFORE_SIGHTING_S: u64 = 300;

/// What is known of a signer.
#[derive(Default)]
pub(super) struct Known {
    pub(super) method: Option<Method>,
    pub(super) rights: Vec<Right>,
    pub(super) checked_at: Option<BlockRef>,
    /// A key that was seen now for the first time, and when.
    pub(super) sighting: Option<(Digest, UnixSeconds)>,
}

impl Records {
    /// What is known of who is said to have signed an envelope.
    pub(super) async fn known_of(
        &self,
        envelope: &Envelope,
        now: UnixSeconds,
    ) -> Result<Known, Refused> {
        match envelope.signer() {
            Signer::Method(name) => self.known_of_method(name, now).await,
            Signer::Account { issuer: None, .. } => Ok(Known::default()),
            Signer::Account { account, issuer: Some(issuer) } => {
                if *issuer == Subject::Account(account) {
                    return Ok(Known::default());
                }
                self.rights_of(account, issuer).await.map_err(|error| Self::failed(&error))
            }
        }
    }

    async fn known_of_method(&self, name: &str, now: UnixSeconds) -> Result<Known, Refused> {
        let by_itself = method::of_identifier(name).map_err(Refused::unverified)?;
        if by_itself.is_some() {
            return Ok(Known { method: by_itself, ..Known::default() });
        }
        let did = method::did_of(name).map_err(Refused::unverified)?;
        let web = WebDid::parse(&did).map_err(Refused::unverified)?;
        if web.host == self.host {
            return self.known_of_service(name, &did, &web);
        }
        let Some(foreign) = &self.foreign else {
            let why = "documents of other hosts are not fetched here (`foreign_dids`)";
            return Err(Refused::new(RefusedBecause::Unavailable, why));
        };
        let document = foreign.document(&did, &web).await.map_err(|error| {
            let why = format!("the document of {did}: {error}");
            Refused::new(RefusedBecause::Unavailable, why)
        })?;
        let method =
            method::assertion_method(&document.document, name).map_err(Refused::unverified)?;
        let sighting = self.sighting(&method, document.retrieved.min(now)).await;
        let (seen, sighting) = sighting.map_err(|error| Self::failed(&error))?;
        let from = UnixSeconds::new(seen.get().saturating_sub(BEFORE_SIGHTING_S));
        let right = Right { from: from.unwrap_or(seen), to: None, basis: Basis::Document };
        Ok(Known { method: Some(method), rights: vec![right], checked_at: None, sighting })
    }

    /// A key of this service, or of nobody here.
    fn known_of_service(&self, name: &str, did: &Did, web: &WebDid) -> Result<Known, Refused> {
        if Local::of(web) != Some(Local::Service) {
            let why = format!(
                "{did} has no key that signs documents; its wallet signs as a wallet (EIP-712)"
            );
            return Err(Refused::unverified(why));
        }
        let held = self.keys.held();
        let record = held.ring().records().iter().find(|record| {
            let key = &record.key;
            name == multikey_method(did.as_str(), key) || name == jwk_method(did.as_str(), key)
        });
        let Some(record) = record else {
            return Err(Refused::unverified(format!("{did} has no key `{name}`")));
        };
        let method = Method {
            id: name.to_owned(),
            controller: did.to_string(),
            key: MethodKey::Public(record.key),
            ends: None,
        };
        let rights = Right::of_key(record).into_iter().collect();
        Ok(Known { method: Some(method), rights, ..Known::default() })
    }

    /// When a key was first seen under its name, and what is to be noted of it once something that it signed holds.
    async fn sighting(
        &self,
        method: &Method,
        seen: UnixSeconds,
    ) -> Result<(UnixSeconds, Option<(Digest, UnixSeconds)>), StorageError> {
        let key = match &method.key {
            MethodKey::Public(key) => key.multibase(),
            MethodKey::Account(account) => account.to_string(),
        };
        let key = Digest::of(format!("{}\n{key}", method.id).as_bytes());
        let mut tx = self.database.begin_read().await?;
        Ok(match tx.key_sighting(key).await? {
            Some(first) => (first.min(seen), None),
            None => (seen, Some((key, seen))),
        })
    }

    /// Notes when a key was first seen. Where that fails it is seen later, and believed of less.
    pub(super) async fn note_sighting(&self, sighting: Option<(Digest, UnixSeconds)>) {
        let Some((key, seen)) = sighting else { return };
        let note = async {
            let mut tx = self.database.begin_write().await?;
            tx.note_key_sighting(key, seen).await?;
            tx.commit().await
        };
        if let Err(error) = note.await {
            tracing::warn!(%error, "when a key was first seen is not noted");
        }
    }

    /// When an account spoke for an issuer that is not itself.
    async fn rights_of(&self, account: AccountId, issuer: &Subject) -> Result<Known, StorageError> {
        let mut tx = self.database.begin_read().await?;
        let Some(registry) = followed(&mut tx).await? else { return Ok(Known::default()) };
        let checked_at = tx.tags().await?.indexed.map(|stamp| stamp.block);
        let rights = match question(issuer, registry, &self.host) {
            Question::Registered(agent, _) if account.chain == registry.chain => {
                let agent = AgentRef { registry, id: agent };
                wallet_rights(&mut tx, account, agent).await?
            }
            Question::Links => self.linked_rights(&mut tx, account, issuer).await?,
            Question::Registered(..) | Question::Wallet(_) | Question::Nothing(_) => Vec::new(),
        };
        Ok(Known { rights, checked_at, ..Known::default() })
    }

    /// When an account was a wallet of a character.
    async fn linked_rights(
        &self,
        tx: &mut Tx,
        account: AccountId,
        issuer: &Subject,
    ) -> Result<Vec<Right>, StorageError> {
        let Subject::Did(did) = issuer else { return Ok(Vec::new()) };
        let local = Did::parse(did.as_str()).ok().and_then(|did| WebDid::parse(&did).ok());
        let local = local.filter(|web| web.host == self.host).as_ref().and_then(Local::of);
        let Some(Local::Character(handle)) = local else { return Ok(Vec::new()) };
        let Ok(handle) = crate::vocab::Handle::parse(&handle) else { return Ok(Vec::new()) };
        let Some(character) = tx.character(&handle).await? else { return Ok(Vec::new()) };
        let links = tx.wallet_links(character.id).await?;
        let right = |link: crate::did::WalletLink| Right {
            from: link.from.time,
            to: link.to.map(|to| to.time),
            basis: Basis::Link,
        };
        Ok(links.into_iter().filter(|link| link.account == account).map(right).collect())
    }

    pub(super) fn failed(error: &StorageError) -> Refused {
        tracing::error!(%error, "a record could not be checked");
        Refused::new(RefusedBecause::Unavailable, "the database did not answer; try again")
    }
}

/// When an account was an agent's wallet, in seconds.
async fn wallet_rights(
    tx: &mut Tx,
    account: AccountId,
    agent: AgentRef,
) -> Result<Vec<Right>, StorageError> {
    let spans = tx.timeline(TimelineRef::Wallet(agent.id), None, SPANS_MAX).await?;
    let right = |span: EvidencedSpan| {
        let is_wallet = span.record.value.account() == Some(account.address);
        let from = span.from.time.filter(|_| is_wallet)?;
        let to = match span.to {
            Some(to) => Some(to.time?),
            None => None,
        };
        let is_proven = span.record.cause == Some(crate::identity::SpanCause::Proven);
        let basis = Basis::Wallet { agent, span: span.record.span, is_proven };
        Some(Right { from, to, basis })
    };
    Ok(spans
        .into_iter()
        .filter_map(right)
        .filter(|right| right.to.is_none_or(|to| right.from < to))
        .collect())
}
