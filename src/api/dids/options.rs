//! The options of a resolution, as the query has them.
//!
//! `versionTime` and `versionId` are the standard's; `at` is this service's own, so that a verifier can ask as of a safe or a finalized
//! block. At most one of the three. An option that is not known is refused, since ignoring one would answer another question.

use url::form_urlencoded;

use super::result::{Code, Refusal};
use crate::api::at::At;
use crate::did::version::VersionId;
use crate::vocab::UnixSeconds;

/// Of which moment the document is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Moment {
    /// Now.
    #[default]
    Latest,
    /// As of a block or a time.
    At(At),
    /// The version of an id; `None` for an id that no version can have.
    Version(Option<VersionId>),
}

/// What a request says beside the DID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Of which moment.
    pub(super) moment: Moment,
    /// Whether a document from elsewhere is to have its relative URLs made absolute.
    pub(super) expand: bool,
    /// Whether nothing that is kept may be given.
    pub(super) no_cache: bool,
}

impl Options {
    /// Reads the query of a request.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        let mut options = Self::default();
        let known = ["versionTime", "versionId", "at", "expandRelativeUrls", "noCache"];
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            let shown = crate::api::shorten(name);
            return Err(Refusal::new(
                Code::FeatureNotSupported,
                format!("the option `{shown}` is not known here; {} are", known.join(", ")),
            ));
        }
        for (i, (name, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(i).any(|(other, _)| other == name) {
                return Err(invalid(format!("the option `{name}` is given twice")));
            }
            match name.as_ref() {
                "versionTime" => options.ask(Moment::At(At::Time(read_time(value)?)))?,
                "versionId" => options.ask(Moment::Version(value.parse().ok()))?,
                "at" => options.ask(Moment::At(At::read(value).map_err(invalid)?))?,
                "expandRelativeUrls" => options.expand = read_flag(name, value)?,
                _ => options.no_cache = read_flag(name, value)?,
            }
        }
        Ok(options)
    }

    fn ask(&mut self, moment: Moment) -> Result<(), Refusal> {
        if self.moment != Moment::Latest {
            let detail = "`versionTime`, `versionId` and `at` exclude each other";
            return Err(invalid(detail.to_owned()));
        }
        self.moment = moment;
        Ok(())
    }
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(Code::InvalidOptions, detail)
}

/// A time in the one form that the standard has: UTC, whole seconds.
fn read_time(text: &str) -> Result<UnixSeconds, Refusal> {
    let time = UnixSeconds::parse(text).ok().filter(|time| time.to_string() == text);
    time.ok_or_else(|| {
        let shown = crate::api::shorten(text);
        invalid(format!(
            "`{shown}` is no versionTime: write it in UTC without parts of a second, as `2026-02-03T11:08:33Z`"
        ))
    })
}

fn read_flag(name: &str, text: &str) -> Result<bool, Refusal> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            let shown = crate::api::shorten(other);
            Err(invalid(format!("`{shown}` is no value of `{name}`: it is `true` or `false`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Code {
        Options::read(Some(query)).expect_err(query).code
    }

    #[test]
    fn options_are_read() {
        let time = At::Time(UnixSeconds::new(1_770_116_913).unwrap());
        for (query, moment) in [
            ("", Moment::Latest),
            ("versionTime=2026-02-03T11:08:33Z", Moment::At(time)),
            ("versionTime=2026-02-03T11%3A08%3A33Z", Moment::At(time)),
            ("at=finalized&noCache=false", Moment::At(At::Finalized)),
            ("versionId=7", Moment::Version(None)),
        ] {
            assert_eq!(Options::read(Some(query)).unwrap().moment, moment, "{query}");
        }
        assert!(Options::read(Some("noCache=true")).unwrap().no_cache);
    }

    #[test]
    fn wrong_options_are_refused() {
        for query in ["versiontime=2026-02-03T11:08:33Z", "service=files", "x", "accept=a"] {
            assert_eq!(code(query), Code::FeatureNotSupported, "{query}");
        }
        for query in [
            "versionTime=",
            "versionTime=yesterday",
            "versionTime=1770116913",
            "versionTime=2026-02-03T11:08:33.5Z",
            "versionTime=2026-02-03T12:08:33%2B01:00",
            "versionTime=2026-02-03t11:08:33z",
            "versionTime=2026-02-30T11:08:33Z",
            "versionTime=99999-02-03T11:08:33Z",
            "versionTime=2026-02-03T11:08:33Z&versionId=1",
            "versionId=1&versionId=1",
            "versionId=1&at=safe",
            "at=pending",
            "noCache=yes",
            "expandRelativeUrls",
        ] {
            assert_eq!(code(query), Code::InvalidOptions, "{query}");
        }
    }
}
