//! JSON written straight into bytes, for the answers that are asked for most.
//!
//! serde looks at every sign of every text for one that has to be escaped, and a look-up would spend half its time on that. The texts of
//! these answers are ours (numbers, hex, times, accounts, words), and none of them holds such a sign. What is written is byte for byte
//! what serde would write, and tests hold the two together; texts of strangers are serde's to write.

use alloy::primitives::{B256, hex};

use super::{AsOf, Block, PositionAnswer, SpanEnds};
use crate::vocab::UnixSeconds;

/// JSON in the making.
pub(in crate::api) struct Json(Vec<u8>);

/// What can be written without looking for signs to escape: as its `Serialize` would, byte for byte.
pub(in crate::api) trait Plain {
    /// Writes it.
    fn write(&self, json: &mut Json);
}

impl Json {
    /// With room for about so many bytes.
    pub(in crate::api) fn about(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// A piece of JSON as it stands.
    #[inline]
    pub(in crate::api) fn raw(&mut self, piece: &str) {
        self.0.extend_from_slice(piece.as_bytes());
    }

    /// A piece that was written before.
    #[inline]
    pub(in crate::api) fn again(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// How much is written.
    pub(in crate::api) const fn len(&self) -> usize {
        self.0.len()
    }

    /// What was written since so much was.
    pub(in crate::api) fn since(&self, length: usize) -> &[u8] {
        self.0.get(length..).unwrap_or_default()
    }

    /// A text of ours.
    #[inline]
    pub(in crate::api) fn text(&mut self, text: &str) {
        self.pieces(&[text]);
    }

    /// A text of ours, piece by piece.
    #[inline]
    pub(in crate::api) fn pieces(&mut self, pieces: &[&str]) {
        let is_plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
        debug_assert!(pieces.iter().all(|piece| piece.bytes().all(is_plain)), "{pieces:?}");
        self.0.push(b'"');
        for piece in pieces {
            self.raw(piece);
        }
        self.0.push(b'"');
    }

    /// A whole number.
    #[inline]
    pub(in crate::api) fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number));
    }

    /// Several things in brackets.
    pub(in crate::api) fn list(&mut self, items: &[impl Plain]) {
        self.raw("[");
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            item.write(self);
        }
        self.raw("]");
    }
}

impl From<Json> for Vec<u8> {
    fn from(json: Json) -> Self {
        json.0
    }
}

impl<T: Plain> Plain for Option<T> {
    fn write(&self, json: &mut Json) {
        match self {
            Some(value) => value.write(json),
            None => json.raw("null"),
        }
    }
}

impl Plain for u64 {
    fn write(&self, json: &mut Json) {
        json.number(*self);
    }
}

impl Plain for u32 {
    fn write(&self, json: &mut Json) {
        json.number((*self).into());
    }
}

impl Plain for &'static str {
    fn write(&self, json: &mut Json) {
        json.text(self);
    }
}

impl Plain for B256 {
    fn write(&self, json: &mut Json) {
        json.text(hex::Buffer::<32, true>::new().format(self));
    }
}

impl Plain for UnixSeconds {
    fn write(&self, json: &mut Json) {
        json.text(self.to_text().as_str());
    }
}

impl Plain for PositionAnswer {
    fn write(&self, json: &mut Json) {
        json.raw(r#"{"block":"#);
        json.number(self.block);
        json.raw(r#","log_index":"#);
        self.log_index.write(json);
        json.raw(r#","tx_hash":"#);
        self.tx_hash.write(json);
        json.raw(r#","time":"#);
        self.time.write(json);
        json.raw("}");
    }
}

impl SpanEnds {
    /// Its members: it stands within what it is the span of.
    pub(in crate::api) fn write_members(&self, json: &mut Json) {
        json.raw(r#""from":"#);
        self.from.write(json);
        json.raw(r#","to":"#);
        self.to.write(json);
        json.raw(r#","cause":"#);
        self.cause.write(json);
        json.raw(r#","ended_by":"#);
        self.ended_by.write(json);
        json.raw(r#","finality":"#);
        json.text(self.finality);
        json.raw(if self.verified { r#","verified":true"# } else { r#","verified":false"# });
    }
}

impl Plain for Block {
    fn write(&self, json: &mut Json) {
        json.raw(r#"{"number":"#);
        json.number(self.number);
        json.raw(r#","hash":"#);
        self.hash.write(json);
        json.raw(r#","time":"#);
        self.time.write(json);
        json.raw("}");
    }
}

impl Plain for AsOf {
    fn write(&self, json: &mut Json) {
        json.raw(r#"{"chain":"#);
        json.text(&self.chain);
        json.raw(r#","block":"#);
        self.block.write(json);
        json.raw(r#","finality":"#);
        json.text(self.finality);
        json.raw(r#","log_size":"#);
        json.number(self.log_size);
        json.raw("}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;
    use crate::identity::{SpanCause, SpanEnd};
    use crate::vocab::ChainId;

    fn written(what: &impl Plain) -> String {
        let mut json = Json::about(0);
        what.write(&mut json);
        String::from_utf8(json.into()).unwrap()
    }

    fn check(what: &(impl Plain + Serialize)) {
        assert_eq!(written(what), serde_json::to_string(what).unwrap());
    }

    /// A span's members stand within something; here they are all there is.
    struct Alone(SpanEnds);

    impl Plain for Alone {
        fn write(&self, json: &mut Json) {
            json.raw("{");
            self.0.write_members(json);
            json.raw("}");
        }
    }

    fn position() -> impl Strategy<Value = PositionAnswer> {
        let time = proptest::option::of(0..=UnixSeconds::MAX.get());
        let place = (any::<u64>(), any::<Option<u32>>(), any::<Option<[u8; 32]>>(), time);
        place.prop_map(|(block, log_index, tx_hash, time)| PositionAnswer {
            block,
            log_index,
            tx_hash: tx_hash.map(B256::from),
            time: time.and_then(UnixSeconds::new),
        })
    }

    fn span() -> impl Strategy<Value = SpanEnds> {
        (position(), proptest::option::of(position()), any::<bool>()).prop_map(
            |(from, to, verified)| {
                let cause = verified.then_some(SpanCause::Proven.as_str());
                let ended_by = to.as_ref().map(|_| SpanEnd::Rotated.as_str());
                SpanEnds { from, to, cause, ended_by, finality: "safe", verified }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_by_hand_is_what_serde_writes(span in span(), at in position()) {
            assert_eq!(serde_json::to_string(&span).unwrap(), written(&Alone(span)));
            let block = Block { number: at.block, hash: at.tx_hash, time: at.time };
            check(&block);
            let (chain, finality, log_size) = (ChainId(at.block).to_string(), "latest", at.block);
            check(&AsOf { chain, block, finality, log_size });
            check(&at);
        }
    }
}
