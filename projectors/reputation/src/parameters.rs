//! What an operator may set: the scales of tags.
//!
//! `{"scales": {"starred": 100}}` says that values under `starred` go up to 100. ERC-8004 itself gives that of `starred`; other tags mean
//! what their givers mean, and without a scale nothing is called good or bad.

use hallmark_projector::Json;

/// The parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    scales: Vec<(String, i128)>,
}

impl Parameters {
    /// Reads them; what is not known is refused, so that a slip of the pen does not pass for a setting.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some(Json::Object(members)) = Json::parse(text) else {
            return Err("parameters: not a JSON object".to_owned());
        };
        let mut scales = vec![("starred".to_owned(), 100)];
        for (name, value) in members {
            match (name.as_str(), value) {
                ("scales", Json::Object(given)) => {
                    scales = given.iter().map(scale).collect::<Result<_, _>>()?;
                }
                ("scales", _) => return Err("parameters.scales: not an object".to_owned()),
                _ => return Err(format!("parameters.{name}: not known; there is `scales`")),
            }
        }
        Ok(Self { scales })
    }

    /// Up to what values under a tag go.
    pub(crate) fn scale(&self, tag: &str) -> Option<i128> {
        self.scales.iter().find(|(name, _)| name == tag).map(|(_, most)| *most)
    }
}

fn scale((tag, most): &(String, Json)) -> Result<(String, i128), String> {
    match most.as_whole() {
        Some(number @ 1..=1_000_000_000_000) => Ok((tag.clone(), number)),
        _ => Err(format!("parameters.scales.{tag}: not a whole number from 1 to 10^12")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_by_its_place() {
        assert_eq!(Parameters::read("{}").unwrap().scale("starred"), Some(100));
        let set = Parameters::read(r#"{"scales":{"quality":5}}"#).unwrap();
        assert_eq!((set.scale("quality"), set.scale("starred")), (Some(5), None));
        for (bad, place) in [
            ("[]", "parameters: "),
            (r#"{"scale":{}}"#, "parameters.scale: "),
            (r#"{"scales":5}"#, "parameters.scales: "),
            (r#"{"scales":{"a":0}}"#, "parameters.scales.a: "),
            (r#"{"scales":{"a":1.5}}"#, "parameters.scales.a: "),
        ] {
            assert!(Parameters::read(bad).unwrap_err().starts_with(place), "{bad}");
        }
    }
}
