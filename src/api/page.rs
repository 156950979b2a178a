//! Pages of lists: `limit`, `cursor`, and where a page ends.
//!
//! A cursor is the place of the page's last item, so that a page goes on behind it whatever was added meanwhile. Clients are to treat
//! it as opaque; it names its list, and a cursor of another list is refused. A page also ends where its items grow too heavy: texts on
//! a chain may be as long as a transaction.

use alloy::primitives::{Address, B256, hex};

use super::error::ApiError;
use crate::identity::{EvidencedSpan, WalletEntry};
use crate::storage::{AgentOfAccount, StoredEvent};
use crate::vocab::{AgentId, Position};

/// How many items a page has where nothing is said.
pub(super) const LIMIT_DEFAULT: u32 = 50;
/// The most items of a page.
pub(super) const LIMIT_MAX: u32 = 500;
/// The most bytes of texts from the chain in a page of more than one item.
pub(super) const WEIGHT_MAX: usize = 1 << 22;
/// The longest cursor that is looked at.
const CURSOR_LEN_MAX: usize = 1024;
const CURSOR_VERSION: &str = "1";

/// A place in a list.
pub(super) trait Place: Sized {
    /// As text without `:` at its ends.
    fn to_text(&self) -> String;
    /// The inverse of [`to_text`](Self::to_text).
    fn parse(text: &str) -> Option<Self>;
}

impl Place for Position {
    fn to_text(&self) -> String {
        format!("{}.{}", self.block_number, self.log_index)
    }

    fn parse(text: &str) -> Option<Self> {
        let (block, log) = text.split_once('.')?;
        let block: u64 = block.parse().ok()?;
        (block <= Self::BLOCK_MAX).then(|| log.parse().ok().map(|log| Self::new(block, log)))?
    }
}

impl Place for AgentId {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Place for B256 {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Place for Address {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl<A: Place, B: Place> Place for (A, B) {
    fn to_text(&self) -> String {
        format!("{}/{}", self.0.to_text(), self.1.to_text())
    }

    fn parse(text: &str) -> Option<Self> {
        let (a, b) = text.split_once('/')?;
        Some((A::parse(a)?, B::parse(b)?))
    }
}

/// What a request says of the page it wants.
#[derive(Clone, Debug)]
pub(super) struct Page<K> {
    list: &'static str,
    /// At most so many items.
    limit: u32,
    /// The last place of the page before.
    pub(super) after: Option<K>,
}

impl<K: Place> Page<K> {
    /// Reads `limit` and `cursor` of a list.
    pub(super) fn read(
        list: &'static str,
        limit: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Self, ApiError> {
        let limit = parse_limit(limit)?;
        let after = cursor.map(|cursor| {
            parse_cursor(list, cursor).ok_or_else(|| {
                let shown = super::shorten(cursor);
                let detail =
                    format!("`{shown}` is no cursor of this list; pass on `next` as it was");
                ApiError::parameter("cursor", detail)
            })
        });
        Ok(Self { list, limit, after: after.transpose()? })
    }

    /// A first page of its own length.
    pub(super) const fn first(list: &'static str, limit: u32) -> Self {
        Self { list, limit, after: None }
    }

    /// How many items to fetch: one more than are shown tells whether there are more.
    pub(super) const fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// Whether it is a first page on which so many items stand, if there are no more.
    pub(super) const fn begins_with(&self, items: usize) -> bool {
        self.after.is_none() && self.limit as usize >= items
    }

    /// Cuts what was fetched to the page, and says where the next begins.
    pub(super) fn cut<T: Weigh>(
        &self,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> K,
    ) -> (Vec<T>, Option<String>) {
        let mut weight = 0_usize;
        let light = rows.iter().take_while(|row| {
            weight = weight.saturating_add(row.weight());
            weight <= WEIGHT_MAX
        });
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let count = light.count().max(1).min(limit);
        let has_more = rows.len() > count;
        rows.truncate(count);
        let next = rows.last().filter(|_| has_more).map(|row| self.cursor(&place(row)));
        (rows, next)
    }

    /// The cursor of the page that begins behind a place.
    pub(super) fn cursor(&self, place: &K) -> String {
        hex::encode(format!("{CURSOR_VERSION}:{}:{}", self.list, place.to_text()))
    }

    /// The same page with room for no more items than this, at least one.
    pub(super) fn at_most(self, limit: u32) -> Self {
        Self { limit: self.limit.min(limit).max(1), ..self }
    }
}

/// Reads `limit`: 1 to 500.
pub(super) fn parse_limit(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else { return Ok(LIMIT_DEFAULT) };
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    let limit = text.parse().ok().filter(|limit| is_plain && (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        let shown = super::shorten(text);
        ApiError::parameter("limit", format!("`{shown}` is not a number from 1 to {LIMIT_MAX}"))
    })
}

fn parse_cursor<K: Place>(list: &str, cursor: &str) -> Option<K> {
    if cursor.len() > CURSOR_LEN_MAX {
        return None;
    }
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    let mut parts = text.splitn(3, ':');
    let fits = parts.next() == Some(CURSOR_VERSION) && parts.next() == Some(list);
    K::parse(parts.next().filter(|_| fits)?)
}

/// How many bytes of texts from the chain an item holds.
pub(super) trait Weigh {
    /// The bytes.
    fn weight(&self) -> usize;
}

impl Weigh for EvidencedSpan {
    fn weight(&self) -> usize {
        match &self.record.value {
            crate::identity::Value::Absent | crate::identity::Value::Account(_) => 0,
            crate::identity::Value::Uri(uri) => uri.len(),
            crate::identity::Value::Entry { key, value } => key.len().saturating_add(value.len()),
        }
    }
}

impl Weigh for StoredEvent {
    fn weight(&self) -> usize {
        self.log.data.len()
    }
}

impl Weigh for AgentId {
    fn weight(&self) -> usize {
        0
    }
}

impl Weigh for &WalletEntry {
    fn weight(&self) -> usize {
        0
    }
}

impl Weigh for AgentOfAccount {
    fn weight(&self) -> usize {
        self.span.weight()
    }
}

/// A place in the log, and a place in the list of what was refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seq(pub(super) u64);

impl Place for Seq {
    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        crate::vocab::canonical_u64(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Heavy(u64, usize);

    impl Weigh for Heavy {
        fn weight(&self) -> usize {
            self.1
        }
    }

    fn cut(limit: &str, rows: Vec<Heavy>) -> (usize, Option<Position>) {
        let page = Page::<Position>::read("test", Some(limit), None).unwrap();
        let (rows, next) = page.cut(rows, |row| Position::new(row.0, 7));
        (rows.len(), next.map(|next| parse_cursor("test", &next).unwrap()))
    }

    #[test]
    fn a_page_ends_at_its_limit_or_its_weight_and_says_where_to_go_on() {
        let rows = |weights: &[usize]| {
            weights.iter().enumerate().map(|(i, w)| Heavy(i as u64, *w)).collect::<Vec<_>>()
        };
        assert_eq!(cut("2", rows(&[])), (0, None));
        assert_eq!(cut("2", rows(&[1, 1])), (2, None));
        assert_eq!(cut("2", rows(&[1, 1, 1])), (2, Some(Position::new(1, 7))));
        let half = WEIGHT_MAX / 2;
        assert_eq!(cut("9", rows(&[half, half, 1])), (2, Some(Position::new(1, 7))));
        // One item is always shown, or the list could not be walked.
        assert_eq!(cut("9", rows(&[WEIGHT_MAX * 2, 1])), (1, Some(Position::new(0, 7))));
    }

    #[test]
    fn cursors_of_other_lists_and_of_no_list_are_refused() {
        let cursor = hex::encode("1:test:10.3");
        assert_eq!(parse_cursor("test", &cursor), Some(Position::new(10, 3)));
        for wrong in [
            String::new(),
            "zz".to_owned(),
            cursor[1..].to_owned(),
            hex::encode("1:other:10.3"),
            hex::encode("2:test:10.3"),
            hex::encode("1:test:10"),
            hex::encode("1:test:99999999999999999999.3"),
            hex::encode("1:test:9223372036854775808.3"),
            hex::encode([0xff, 0xfe]),
            hex::encode("1:test:").repeat(1000),
        ] {
            assert_eq!(parse_cursor::<Position>("test", &wrong), None, "{wrong}");
        }
    }

    #[test]
    fn limits_lie_between_1_and_500() {
        assert_eq!(parse_limit(None).unwrap(), 50);
        assert_eq!(parse_limit(Some("500")).unwrap(), 500);
        for wrong in ["", "0", "501", "+5", "-1", "5.0", "99999999999"] {
            assert!(parse_limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
