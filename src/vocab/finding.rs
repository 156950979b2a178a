//! What was seen that ought not to be: a contradiction worth showing, not an error.
//!
//! A finding is plain data: `chain` and `app` make them, `storage` keeps the newest, `api` shows them. Its texts come in part from
//! strangers and are kept short here, so that nobody has to think of it later.

/// The longest detail, in characters.
const DETAIL_MAX: usize = 500;

/// What kind of contradiction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A node left logs out that its chain holds.
    LogsLeftOut,
    /// A node returned logs that its chain does not hold.
    LogsInvented,
    /// Two nodes disagree, and nothing could tell who is right.
    NodesDisagree,
    /// A node cannot be used: it is of another chain, or has no logs where there are some.
    NodeUnfit,
    /// Numbers of agents are missing, also after their blocks were asked for again.
    AgentsMissing,
    /// Numbers of a client's feedback are missing, also after their blocks were asked for again.
    FeedbackMissing,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::LogsLeftOut,
        Self::LogsInvented,
        Self::NodesDisagree,
        Self::NodeUnfit,
        Self::AgentsMissing,
        Self::FeedbackMissing,
    ];

    /// Its word, in storage and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogsLeftOut => "logs-left-out",
            Self::LogsInvented => "logs-invented",
            Self::NodesDisagree => "nodes-disagree",
            Self::NodeUnfit => "node-unfit",
            Self::AgentsMissing => "agents-missing",
            Self::FeedbackMissing => "feedback-missing",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A contradiction, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub kind: FindingKind,
    /// The first and the last block it is about, where it is about blocks.
    pub blocks: Option<(u64, u64)>,
    /// The node it is about, as scheme and host; `None` where it is about no single one.
    pub provider: Option<String>,
    /// What was seen and what was done, in words for people; at most 500 characters.
    pub detail: String,
}

impl Finding {
    /// A finding; a detail that is too long is cut.
    #[must_use]
    pub fn new(kind: FindingKind, detail: &str) -> Self {
        // PostgreSQL takes no NUL in a text, and a terminal no other control character.
        let detail = detail.chars().take(DETAIL_MAX);
        let detail = detail.map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { kind, blocks: None, provider: None, detail }
    }

    /// The same, about some blocks.
    #[must_use]
    pub fn of_blocks(self, from: u64, to: u64) -> Self {
        Self { blocks: Some((from, to)), ..self }
    }

    /// The same, about a node.
    #[must_use]
    pub fn of_provider(self, name: &str) -> Self {
        Self { provider: Some(name.to_owned()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_words() {
        for kind in FindingKind::ALL {
            assert_eq!(FindingKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(FindingKind::from_word("nonsense"), None);
    }

    #[test]
    fn details_of_strangers_are_short_and_printable() {
        let finding = Finding::new(FindingKind::NodeUnfit, &"a\0\u{1b}".repeat(1_000));
        assert_eq!(finding.detail.chars().count(), 500);
        assert!(finding.detail.starts_with("a  a"));
    }
}
