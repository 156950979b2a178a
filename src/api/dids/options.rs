//! The options of a request, and the parameters of a DID URL that select services.
//!
//! `versionTime` and `versionId` are the standard's, as options and as parameters alike; `at` is this service's own, so that a verifier can ask as of a safe or a finalized
//! block. At most one of the three. An option that is not known is refused, since ignoring one would answer another question.

use super::accept::Function;
use super::refusal::{Code, Refusal};
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

impl Moment {
    /// Whether what holds now is wanted.
    pub(super) fn is_now(self) -> bool {
        matches!(self, Self::Latest | Self::At(At::Latest))
    }
}

/// What a request says beside the DID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Of which moment.
    pub(super) moment: Moment,
    /// Whether a document from elsewhere is to have its relative URLs made absolute.
    pub(super) expand: bool,
    /// Whether nothing that is kept may be given.
    pub(super) no_cache: bool,
    /// Under which relationship the method must stand that a DID URL names.
    pub(super) relationship: Option<String>,
}

/// Names and values, decoded, in their order.
pub(super) type Pairs = Vec<(String, String)>;

/// The options of both functions, and what only dereferencing has.
const KNOWN: [&str; 5] = ["versionTime", "versionId", "at", "expandRelativeUrls", "noCache"];
const RELATIONSHIP: &str = "verificationRelationship";

impl Options {
    /// Reads the options of a request.
    pub(super) fn read(pairs: &[(String, String)], function: Function) -> Result<Self, Refusal> {
        let is_known = |name: &str| {
            let is_dereferencing = function == Function::Dereference;
            KNOWN.contains(&name) || (is_dereferencing && name == RELATIONSHIP)
        };
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_known(name)) {
            let shown = crate::api::shorten(name);
            return Err(Refusal::new(
                Code::FeatureNotSupported,
                format!("the option `{shown}` is not known here; {} are", KNOWN.join(", ")),
            ));
        }
        let mut options = Self::default();
        for (i, (name, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(i).any(|(other, _)| other == name) {
                return Err(invalid(format!("the option `{name}` is given twice")));
            }
            match name.as_str() {
                "versionTime" => options.ask(Moment::At(At::Time(read_time(value)?)))?,
                "versionId" => options.ask(Moment::Version(ascii(name, value)?.parse().ok()))?,
                "at" => options.ask(Moment::At(At::read(value).map_err(invalid)?))?,
                "expandRelativeUrls" => options.expand = read_flag(name, value)?,
                "noCache" => options.no_cache = read_flag(name, value)?,
                _ => options.relationship = Some(ascii(name, value)?.to_owned()),
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

/// Which services of a document a DID URL is about, and what at their endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Those of this id.
    pub(super) service: Option<String>,
    /// Those of this type.
    pub(super) kind: Option<String>,
    /// What this relative reference names from their endpoints.
    pub(super) reference: Option<String>,
}

impl Selection {
    /// Whether a parameter selects services.
    pub(super) fn takes(name: &str) -> bool {
        matches!(name, "service" | "serviceType" | "relativeRef")
    }

    /// Reads the parameters that select services.
    pub(super) fn read(pairs: Pairs) -> Result<Self, Refusal> {
        let mut selection = Self::default();
        for (name, value) in pairs {
            let refuse = |why: &str| {
                Refusal::new(Code::InvalidDidUrl, format!("the parameter `{name}` {why}"))
            };
            if !value.is_ascii() {
                return Err(refuse("is not ASCII when it is decoded"));
            }
            let place = match name.as_str() {
                "service" => &mut selection.service,
                "serviceType" => &mut selection.kind,
                _ => &mut selection.reference,
            };
            if place.replace(value).is_some() {
                return Err(refuse("is given twice"));
            }
        }
        Ok(selection)
    }

    /// Whether the DID URL is about services at all.
    pub(super) const fn is_some(&self) -> bool {
        self.service.is_some() || self.kind.is_some()
    }
}

/// The version ids and relationships of any method are ASCII.
fn ascii<'a>(name: &str, text: &'a str) -> Result<&'a str, Refusal> {
    let refuse = || invalid(format!("the option `{name}` is not ASCII"));
    text.is_ascii().then_some(text).ok_or_else(refuse)
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(Code::InvalidOptions, detail)
}

/// A time in the one form that the standard has: UTC, whole seconds.
fn read_time(text: &str) -> Result<UnixSeconds, Refusal> {
    let is_edge = |time: UnixSeconds| [UnixSeconds::EPOCH, UnixSeconds::MAX].contains(&time);
    // Of what lies beyond the times of ours the nearest is taken, which is written otherwise.
    let is_plain = |time: &UnixSeconds| {
        time.to_string() == text || (is_edge(*time) && UnixSeconds::parse(text).is_err())
    };
    UnixSeconds::parse_nearest(text).ok().filter(is_plain).ok_or_else(|| {
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
    use crate::did::parameters;

    fn read(query: &str) -> Result<Options, Code> {
        let read = Options::read(&parameters(query), Function::Resolve);
        read.map_err(|refusal| refusal.code)
    }

    #[test]
    fn options_are_read() {
        let time = At::Time(UnixSeconds::new(1_770_116_913).unwrap());
        for (query, moment) in [
            ("", Moment::Latest),
            ("versionTime=2026-02-03T11:08:33Z", Moment::At(time)),
            ("versionTime=2026-02-03T11%3A08%3A33Z", Moment::At(time)),
            ("versionTime=0000-01-01T00:00:00Z", Moment::At(At::Time(UnixSeconds::EPOCH))),
            ("versionTime=1969-12-31T23:59:59Z", Moment::At(At::Time(UnixSeconds::EPOCH))),
            ("versionTime=9999-12-31T23:59:59Z", Moment::At(At::Time(UnixSeconds::MAX))),
            ("at=finalized&noCache=false", Moment::At(At::Finalized)),
            ("versionId=7", Moment::Version(None)),
        ] {
            assert_eq!(read(query).unwrap().moment, moment, "{query}");
        }
        assert!(read("noCache=true").unwrap().no_cache);
        let relationship = parameters("verificationRelationship=authentication");
        let options = Options::read(&relationship, Function::Dereference).unwrap();
        assert_eq!(options.relationship.as_deref(), Some("authentication"));
    }

    #[test]
    fn wrong_options_are_refused() {
        for query in [
            "versiontime=2026-02-03T11:08:33Z",
            "service=files",
            "x",
            "accept=a",
            "verificationRelationship=authentication",
        ] {
            assert_eq!(read(query), Err(Code::FeatureNotSupported), "{query}");
        }
        for query in [
            "versionTime=",
            "versionTime=yesterday",
            "versionTime=1770116913",
            "versionTime=2026-02-03T11:08:33.5Z",
            "versionTime=2026-02-03T12:08:33%2B01:00",
            "versionTime=2026-02-03t11:08:33z",
            "versionTime=2026-02-30T11:08:33Z",
            "versionTime=9999-12-32T00:00:00Z",
            "versionTime=9999-12-31T24:00:00Z",
            "versionTime=9999-12-31T23:59:60Z",
            "versionTime=9999-12-31T23:59:59.9Z",
            "versionTime=9999-12-31T23:59:59%2B00:00",
            "versionTime=0000-01-01T00:00:00z",
            "versionTime=0000-01-01",
            "versionTime=-0001-01-01T00:00:00Z",
            "versionTime=99999-02-03T11:08:33Z",
            "versionTime=2026-02-03T11:08:33Z&versionId=1",
            "versionId=1&versionId=1",
            "versionId=1&at=safe",
            "versionId=%F0%9F%94%A5",
            "at=pending",
            "noCache=yes",
            "expandRelativeUrls",
        ] {
            assert_eq!(read(query), Err(Code::InvalidOptions), "{query}");
        }
    }

    #[test]
    fn services_are_selected_by_ascii_said_once() {
        let read = |query: &str| Selection::read(parameters(query)).map_err(|refusal| refusal.code);
        let selection = read("service=a&serviceType=B&relativeRef=%2Fc").unwrap();
        assert_eq!(selection.service.as_deref(), Some("a"));
        assert_eq!(selection.kind.as_deref(), Some("B"));
        assert_eq!(selection.reference.as_deref(), Some("/c"));
        assert!(!read("relativeRef=a").unwrap().is_some());
        for query in
            ["service=a&service=a", "service=%D0%B0", "relativeRef=%ff", "serviceType=%E2%80%8B"]
        {
            assert_eq!(read(query), Err(Code::InvalidDidUrl), "{query}");
        }
    }
}
