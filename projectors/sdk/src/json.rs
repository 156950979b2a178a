//! Reads JSON: the words of tallies, the data of claims, and parameters.
//!
//! What a claim's data hold is up to whoever wrote them, so nothing is expected of them: asking for a field that is missing, or of another
//! type, gives nothing. Numbers stay as they are written, and are read as whole numbers or not at all.

/// How deep lists and objects may stand in each other; deeper ones are not read.
const DEPTH_MAX: u32 = 64;
/// How many values a text may have; one with more is not read. Two bytes of text can be fifty of memory, and a view has two hundred texts.
const VALUES_MAX: u32 = 500;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object: its members in their order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that is one value of JSON, and nothing beside it; one of more than 500 values, or too deep, is not read.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0, values: 0 };
        let value = reader.value(0)?;
        reader.skip_spaces();
        reader.peek().is_none().then_some(value)
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// A member that is a whole number, or a text of one: numbers above 53 bits stand in texts.
    pub fn whole(&self, name: &str) -> Option<i128> {
        self.get(name)?.as_whole()
    }

    /// The text that it is.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number that it is, or that it is a text of.
    pub fn as_whole(&self) -> Option<i128> {
        let (Self::Number(written) | Self::Text(written)) = self else { return None };
        written.parse().ok()
    }

    /// Its entries, where it is a list.
    pub fn entries(&self) -> &[Self] {
        if let Self::List(entries) = self { entries } else { &[] }
    }

    /// A text or a boolean as a word of a tally.
    pub fn as_word(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Refuses parameters, for a projector that has none: what is set and has no effect is a mistake that nobody would notice.
///
/// # Errors
/// When there are any.
pub fn no_parameters(parameters: &str) -> Result<(), String> {
    match Json::parse(parameters) {
        Some(Json::Object(members)) if members.is_empty() => Ok(()),
        Some(_) | None => Err("parameters: there are none, so this has to be {}".to_owned()),
    }
}

/// Reads by bytes: everything that JSON is made of is ASCII, and what stands between quotation marks is taken as it is.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many have begun.
    values: u32,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte if it stands here.
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Takes a word that stands here.
    fn take_word(&mut self, word: &str, value: Json) -> Option<Json> {
        let end = self.at + word.len();
        (self.text.get(self.at..end)? == word).then(|| self.at = end)?;
        Some(value)
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        self.skip_spaces();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(Json::Text),
            b't' => self.take_word("true", Json::Bool(true)),
            b'f' => self.take_word("false", Json::Bool(false)),
            b'n' => self.take_word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        self.take(b'{')?;
        let mut members = Vec::new();
        self.skip_spaces();
        if self.take(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_spaces();
            let name = self.text()?;
            self.skip_spaces();
            self.take(b':')?;
            members.push((name, self.value(depth + 1)?));
            self.skip_spaces();
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Json::Object(members));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Option<Json> {
        self.take(b'[')?;
        let mut entries = Vec::new();
        self.skip_spaces();
        if self.take(b']').is_some() {
            return Some(Json::List(entries));
        }
        loop {
            entries.push(self.value(depth + 1)?);
            self.skip_spaces();
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(Json::List(entries));
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let (from, mut has_digit) = (self.at, false);
        while let Some(byte @ (b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) = self.peek() {
            has_digit |= byte.is_ascii_digit();
            self.at += 1;
        }
        let written = self.text.get(from..self.at).filter(|_| has_digit)?;
        Some(Json::Number(written.to_owned()))
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = String::new();
        loop {
            // Whole runs at once: most texts have no escapes at all.
            let from = self.at;
            while !matches!(self.peek()?, b'"' | b'\\') {
                self.at += 1;
            }
            text.push_str(self.text.get(from..self.at)?);
            if self.take(b'"').is_some() {
                return Some(text);
            }
            self.at += 1;
            text.push(self.escape()?);
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            b'"' | b'\\' | b'/' => char::from(byte),
            _ => return None,
        })
    }

    fn code_point(&mut self) -> Option<char> {
        let unit = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.take(b'\\')?;
        self.take(b'u')?;
        let low = self.code_unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + low)
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let json = Json::parse(
            r#" {"a":"h\u00e4\ud83e\udd80\n\"","b":true,"c":[1,-2,{"d":null}],"e":"123456789012345678901","f":{}} "#,
        )
        .unwrap();
        assert_eq!(json.text("a"), Some("hä🦀\n\""));
        assert_eq!(json.get("b").and_then(Json::as_word), Some("true"));
        let list = json.get("c").unwrap().entries();
        assert_eq!(list[1].as_whole(), Some(-2));
        assert_eq!(list[2].get("d"), Some(&Json::Null));
        assert_eq!(json.whole("e"), Some(123_456_789_012_345_678_901));
        assert_eq!(json.get("f"), Some(&Json::Object(Vec::new())));
        assert_eq!(json.text("b"), None);
        assert_eq!(json.whole("a"), None);
    }

    #[test]
    fn parameters_without_effect_are_refused() {
        assert_eq!(no_parameters(" {} "), Ok(()));
        for bad in ["", "[]", "null", r#"{"a":1}"#] {
            assert!(no_parameters(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_whole_or_not_read() {
        for (written, wanted) in [("0", Some(0)), ("-7", Some(-7)), ("1.5", None), ("1e21", None)] {
            assert_eq!(Json::parse(written).unwrap().as_whole(), wanted, "{written}");
        }
    }

    #[test]
    fn what_is_no_json_is_nothing() {
        for bad in [
            "",
            "{",
            "{\"a\"}",
            "[1,]",
            "{\"a\":1,}",
            "\"",
            "\"\\x\"",
            "\"\\ud83e\"",
            "\"\\ude00\"",
            "\"\\u00e\"",
            "\"\\u+0e4\"",
            "truth",
            "1 2",
            "-",
            "{a:1}",
            "\"\\u00ä\"",
        ] {
            assert_eq!(Json::parse(bad), None, "{bad}");
        }
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&deep(65)).is_some());
        assert_eq!(Json::parse(&deep(66)), None);
        assert_eq!(Json::parse(&deep(100_000)), None);
        let long = |n: usize| format!("[{}0]", "0,".repeat(n - 1));
        assert!(Json::parse(&long(499)).is_some());
        assert_eq!(Json::parse(&long(500)), None);
    }
}
