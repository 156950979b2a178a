//! What an operator may set: which tags speak for an agent, and which against it.
//!
//! `{"for": ["reliable"], "against": ["slow"]}`; a list that is given takes the place of the one that stands here.

use hallmark_projector::Json;

const FOR: &[&str] = &[
    "accurate",
    "cooperative",
    "fair",
    "generous",
    "helpful",
    "honest",
    "reliable",
    "responsive",
    "skilled",
    "trustworthy",
];
const AGAINST: &[&str] = &[
    "cheater",
    "deceptive",
    "defector",
    "dishonest",
    "hostile",
    "liar",
    "malicious",
    "oathbreaker",
    "scammer",
    "spammer",
    "unfair",
    "unreliable",
    "untrustworthy",
];

/// Which way a tag points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    For,
    Against,
    /// Or it is not known.
    Neither,
}

/// The parameters.
#[derive(Debug)]
pub(crate) struct Parameters {
    for_it: Vec<String>,
    against: Vec<String>,
}

impl Parameters {
    /// Reads them; what is not known is refused, so that a slip of the pen does not pass for a setting.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some(Json::Object(members)) = Json::parse(text) else {
            return Err("parameters: not a JSON object".to_owned());
        };
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut read = Self { for_it: owned(FOR), against: owned(AGAINST) };
        for (name, value) in &members {
            match name.as_str() {
                "for" => read.for_it = tags(name, value)?,
                "against" => read.against = tags(name, value)?,
                _ => {
                    return Err(format!(
                        "parameters.{name}: not known; there are `for` and `against`"
                    ));
                }
            }
        }
        let is_against =
            |tag: &&String| read.against.iter().any(|word| word.eq_ignore_ascii_case(tag));
        match read.for_it.iter().find(is_against) {
            Some(tag) => Err(format!("parameters: “{tag}” is both for and against")),
            None => Ok(read),
        }
    }

    /// Which way a tag points; capital letters make no difference.
    pub(crate) fn direction(&self, tag: Option<&str>) -> Direction {
        let Some(tag) = tag else { return Direction::Neither };
        let is_in = |list: &[String]| list.iter().any(|word| word.eq_ignore_ascii_case(tag));
        match (is_in(&self.for_it), is_in(&self.against)) {
            (true, _) => Direction::For,
            (false, true) => Direction::Against,
            (false, false) => Direction::Neither,
        }
    }
}

fn tags(name: &str, value: &Json) -> Result<Vec<String>, String> {
    let wrong = || format!("parameters.{name}: not a list of texts");
    let Json::List(entries) = value else { return Err(wrong()) };
    entries.iter().map(|entry| entry.as_text().map(str::to_owned).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_point_as_they_are_set_to() {
        let plain = Parameters::read("{}").unwrap();
        assert_eq!(plain.direction(Some("Reliable")), Direction::For);
        assert_eq!(plain.direction(Some("unreliable")), Direction::Against);
        assert_eq!(plain.direction(Some("tall")), Direction::Neither);
        assert_eq!(plain.direction(None), Direction::Neither);
        let set = Parameters::read(r#"{"for":["tall"]}"#).unwrap();
        assert_eq!(set.direction(Some("tall")), Direction::For);
        assert_eq!(set.direction(Some("reliable")), Direction::Neither);
        for bad in [
            "",
            "[]",
            r#"{"For":[]}"#,
            r#"{"for":"x"}"#,
            r#"{"for":[1]}"#,
            r#"{"for":["liar"]}"#,
            r#"{"for":["Liar"]}"#,
        ] {
            assert!(Parameters::read(bad).is_err(), "{bad}");
        }
    }
}
