//! Spans of timelines as answers show them.

use alloy::primitives::{Bytes, hex};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BytesAnswer, PositionAnswer, text_and_hex};
use crate::api::error::ApiError;
use crate::api::reading::{Codes, Standpoint};
use crate::identity::{
    Evidence, EvidencedSpan, SpanCause, SpanEnd, SpanRecord, Value, WalletEntry,
};
use crate::vocab::{AccountId, AccountText, ChainId};

/// When a span holds, and why. Half-open: it holds at `from` and no longer at `to`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Span)]
pub(in crate::api) struct SpanEnds {
    /// Where it began.
    pub(super) from: PositionAnswer,
    /// Where it ended; null while it is open.
    pub(super) to: Option<PositionAnswer>,
    /// Why it began: `registered`, `proven`, `observed`, `transfer`, `set`.
    pub(super) cause: Option<&'static str>,
    /// Why it ended: `rotated`, `proven` (the same wallet goes on, now proven), `transfer`, `unset`, `observed`, `set`.
    pub(super) ended_by: Option<&'static str>,
    /// How settled the later of its ends is: `latest`, `safe` or `finalized`.
    pub(super) finality: &'static str,
    /// Whether both its ends rest on events of known contract code.
    pub(super) verified: bool,
}

impl SpanEnds {
    /// The ends of a stored span.
    pub(in crate::api) fn of(span: &EvidencedSpan, reading: &Standpoint, codes: &Codes) -> Self {
        let record = &span.record;
        let causes = (record.cause, record.ended_by);
        Self::between(&span.from, span.to.as_ref(), causes, reading, codes)
    }

    /// The ends of any span.
    pub(in crate::api) fn between(
        from: &Evidence,
        to: Option<&Evidence>,
        (cause, ended_by): (Option<SpanCause>, Option<SpanEnd>),
        reading: &Standpoint,
        codes: &Codes,
    ) -> Self {
        let last = to.unwrap_or(from).at.block_number;
        Self {
            from: from.into(),
            to: to.map(PositionAnswer::from),
            cause: cause.map(SpanCause::as_str),
            ended_by: ended_by.map(SpanEnd::as_str),
            finality: reading.finality(last).as_str(),
            verified: codes.knows(from.at) && to.is_none_or(|to| codes.knows(to.at)),
        }
    }
}

/// A span in which an account, or nobody, was an agent's wallet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct WalletSpan {
    /// The wallet, CAIP-10; null where the agent had none.
    #[schema(value_type = Option<String>)]
    account: Option<AccountText>,
    #[serde(flatten)]
    span: SpanEnds,
}

impl WalletSpan {
    pub(in crate::api) fn of(span: &EvidencedSpan, reading: &Standpoint, codes: &Codes) -> Self {
        let account = span.record.value.account();
        let account =
            account.map(|address| AccountId { chain: reading.chain(), address }.to_text());
        Self { account, span: SpanEnds::of(span, reading, codes) }
    }

    /// A span in which `account` was the wallet.
    pub(in crate::api) fn of_entry(
        account: AccountText,
        entry: &WalletEntry,
        standpoint: &Standpoint,
        codes: &Codes,
    ) -> Self {
        let causes = (entry.cause, entry.ended_by);
        let span = SpanEnds::between(&entry.from, entry.to.as_ref(), causes, standpoint, codes);
        Self { account: Some(account), span }
    }
}

/// A span in which an account held an agent's token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct OwnerSpan {
    /// The owner, CAIP-10.
    account: String,
    #[serde(flatten)]
    span: SpanEnds,
}

impl OwnerSpan {
    pub(in crate::api) fn of(
        span: &EvidencedSpan,
        reading: &Standpoint,
        codes: &Codes,
    ) -> Result<Self, ApiError> {
        let account = account_text(&span.record, reading.chain())?;
        Ok(Self { account, span: SpanEnds::of(span, reading, codes) })
    }
}

/// The account that a span is about.
pub(in crate::api) fn account_text(
    record: &SpanRecord,
    chain: ChainId,
) -> Result<String, ApiError> {
    let address = record.value.account();
    let missing = || ApiError::internal(format!("no account in {:?}", record.timeline));
    Ok(AccountId { chain, address: address.ok_or_else(missing)? }.to_string())
}

/// A span in which an agent had a URI.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct UriSpan {
    /// The URI; empty until one is set.
    uri: String,
    /// Its bytes as `0x` hex, where they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_hex: Option<String>,
    #[serde(flatten)]
    span: SpanEnds,
}

impl UriSpan {
    pub(in crate::api) fn of(
        span: &EvidencedSpan,
        reading: &Standpoint,
        codes: &Codes,
    ) -> Result<Self, ApiError> {
        let (uri, uri_hex) = uri_of(&span.record)?;
        Ok(Self { uri, uri_hex, span: SpanEnds::of(span, reading, codes) })
    }
}

/// The URI in a span, and its hex where it is not UTF-8.
pub(in crate::api) fn uri_of(record: &SpanRecord) -> Result<(String, Option<String>), ApiError> {
    match &record.value {
        Value::Uri(uri) => Ok(text_and_hex(uri)),
        Value::Absent | Value::Account(_) | Value::Entry { .. } => {
            Err(ApiError::internal(format!("no URI in {:?}", record.timeline)))
        }
    }
}

/// The value of a metadata entry.
pub(in crate::api) type MetadataValue = BytesAnswer;

/// A span in which a metadata entry had a value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct MetadataSpan {
    /// The key: its text, or `0x` hex where it is not UTF-8 or itself begins with `0x`.
    key: String,
    /// The value.
    value: MetadataValue,
    #[serde(flatten)]
    span: SpanEnds,
}

impl MetadataSpan {
    pub(in crate::api) fn of(
        span: &EvidencedSpan,
        reading: &Standpoint,
        codes: &Codes,
    ) -> Result<Self, ApiError> {
        let (key, value) = entry_of(&span.record)?;
        Ok(Self { key, value, span: SpanEnds::of(span, reading, codes) })
    }
}

/// The entry in a span.
pub(in crate::api) fn entry_of(record: &SpanRecord) -> Result<(String, MetadataValue), ApiError> {
    match &record.value {
        Value::Entry { key, value } => Ok((metadata_key(key), value.into())),
        Value::Absent | Value::Account(_) | Value::Uri(_) => {
            Err(ApiError::internal(format!("no entry in {:?}", record.timeline)))
        }
    }
}

/// A metadata key as text. Two keys never share one: hex stands only for keys whose text would not.
fn metadata_key(key: &Bytes) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if !text.starts_with("0x") => text.to_owned(),
        _ => hex::encode_prefixed(key),
    }
}

/// A span in which an account could act for an agent beside its owner.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OperatorSpan)]
pub(in crate::api) struct OperatorSpanAnswer {
    /// The operator, CAIP-10.
    pub(in crate::api) account: String,
    /// `approved` (for this agent) or `approved_for_all` (for all agents of its owner).
    pub(in crate::api) kind: &'static str,
    #[serde(flatten)]
    pub(in crate::api) span: SpanEnds,
}
