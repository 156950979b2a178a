//! What is wrong with a file: never an error, always worth showing.

/// The longest detail, in characters.
const DETAIL_MAX: usize = 300;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlawKind {
    /// The URI leads nowhere, or is not written as it should be.
    Uri,
    /// The URI or the file is larger than what is read.
    TooLarge,
    /// What the URI holds cannot be decoded or unpacked.
    Encoding,
    /// The file is not JSON that can be read one way only.
    Json,
    /// A member has another form than the standard gives it.
    Form,
    /// A service's endpoint is not shown in documents.
    Endpoint,
    /// The file's `registrations` do not name the agent as they should.
    Registrations,
    /// The file names another wallet than the registry does.
    Wallet,
    /// The content was not checked against the identifier that names it.
    NotVerified,
    /// The file could not be fetched.
    NotFetched,
    /// A domain or a DID that the file or the metadata names does not name the agent back.
    NotNamedBack,
}

impl FlawKind {
    /// Its word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "file-uri",
            Self::TooLarge => "file-too-large",
            Self::Encoding => "file-encoding",
            Self::Json => "file-json",
            Self::Form => "file-form",
            Self::Endpoint => "file-endpoint",
            Self::Registrations => "file-registrations",
            Self::Wallet => "file-wallet",
            Self::NotVerified => "file-not-verified",
            Self::NotFetched => "file-not-fetched",
            Self::NotNamedBack => "not-named-back",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What kind it is.
    pub kind: FlawKind,
    /// What was found, in words for people; printable, and at most 300 characters.
    pub detail: String,
}

impl Flaw {
    /// A flaw; a detail that is too long is cut.
    #[must_use]
    pub fn new(kind: FlawKind, detail: &str) -> Self {
        let detail = detail.chars().take(DETAIL_MAX);
        // Control characters, and those that turn the direction of a text: it is shown to people.
        let is_hidden = |c: char| {
            c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        Self { kind, detail: detail.map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect() }
    }
}
