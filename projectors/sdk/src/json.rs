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
        let mut reader = Reader { rest: text, values: 0 };
        let value = reader.value(0)?;
        reader.skip_spaces();
        reader.rest.is_empty().then_some(value)
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

struct Reader<'a> {
    rest: &'a str,
    /// How many have begun.
    values: u32,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes a text that stands here.
    fn take(&mut self, wanted: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn take_char(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        self.skip_spaces();
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' => self.text().map(Json::Text),
            't' => self.take("true").map(|()| Json::Bool(true)),
            'f' => self.take("false").map(|()| Json::Bool(false)),
            'n' => self.take("null").map(|()| Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        self.take("{")?;
        let mut members = Vec::new();
        self.skip_spaces();
        if self.take("}").is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_spaces();
            let name = self.text()?;
            self.skip_spaces();
            self.take(":")?;
            members.push((name, self.value(depth + 1)?));
            self.skip_spaces();
            if self.take(",").is_none() {
                self.take("}")?;
                return Some(Json::Object(members));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Option<Json> {
        self.take("[")?;
        let mut entries = Vec::new();
        self.skip_spaces();
        if self.take("]").is_some() {
            return Some(Json::List(entries));
        }
        loop {
            entries.push(self.value(depth + 1)?);
            self.skip_spaces();
            if self.take(",").is_none() {
                self.take("]")?;
                return Some(Json::List(entries));
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at_checked(end)?;
        if !written.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        Some(Json::Number(written.to_owned()))
    }

    fn text(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            // Whole runs at once: most texts have no escapes at all.
            let end = self.rest.find(['"', '\\'])?;
            let (run, rest) = self.rest.split_at_checked(end)?;
            text.push_str(run);
            self.rest = rest;
            if self.take("\"").is_some() {
                return Some(text);
            }
            self.take("\\")?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.take_char()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(),
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        })
    }

    fn code_point(&mut self) -> Option<char> {
        let unit = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.take("\\u")?;
        let low = self.code_unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + low)
    }

    fn code_unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
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
