//! What kind of actor an issuer is: earned by who sent the record, never by what the record says.
//!
//! On the platform that records come from, any player may post one whose body says `issuerKind: "system"`. So the class follows from
//! facts about the sender alone, which the caller brings: the origin's own sender or key, a registered plugin, or a name that leads to an
//! agent. What the body says is kept, and where it disagrees that is worth showing ([`Disagreement`]).

use crate::vocab::{AgentRef, Subject};

/// What kind of actor issued a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssuerClass {
    /// A player, or anybody else who is an agent.
    Agent,
    /// The platform itself.
    System,
    /// A plugin of the platform.
    Plugin,
}

impl IssuerClass {
    /// All classes.
    pub const ALL: [Self; 3] = [Self::Agent, Self::System, Self::Plugin];

    /// The word for it in records, storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::System => "system",
            Self::Plugin => "plugin",
        }
    }

    /// The class of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// Who sent a record, as was established without looking into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A configured origin's own sender, or the holder of its key.
    Origin,
    /// A plugin that is registered with its origin.
    Plugin,
    /// Anybody else, by the account, DID or platform id that signed or was logged in.
    Other {
        /// Its name.
        name: Subject,
        /// The agent that the name led to at that time; `None` where it led to none, or to several.
        agent: Option<AgentRef>,
    },
}

/// Where a record says something of its issuer that its sender does not bear out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// It calls its issuer something else than it is.
    Class {
        /// What the body says.
        said: IssuerClass,
        /// What was earned; `None` where nothing was.
        earned: Option<IssuerClass>,
    },
    /// It names another issuer than whoever sent it.
    Issuer {
        /// Whom the body names.
        said: Subject,
        /// Who sent it.
        sender: Subject,
    },
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Class { said, earned: Some(earned) } => {
                write!(
                    f,
                    "it says that its issuer is `{}`, and it is `{}`",
                    said.as_str(),
                    earned.as_str()
                )
            }
            Self::Class { said, earned: None } => {
                write!(
                    f,
                    "it says that its issuer is `{}`, and nothing bears that out",
                    said.as_str()
                )
            }
            Self::Issuer { said, sender } => {
                write!(f, "it says that {said} issued it, and {sender} sent it")
            }
        }
    }
}

/// What the issuer of a record is, and where the record says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classed {
    /// The class that counts; `None` for a sender who is nobody that is known.
    pub class: Option<IssuerClass>,
    /// Contradictions worth showing; they change nothing.
    pub disagreements: Vec<Disagreement>,
}

/// Gives a record's issuer its class.
///
/// `said` and `issuer` are the body's own words, and only ever make a disagreement. `is_same` says whether two names are known to be one
/// actor's: a platform's id and the wallet that logged in with it are.
#[must_use]
pub fn classify(
    sender: &Sender,
    said: IssuerClass,
    issuer: &Subject,
    is_same: impl Fn(&Subject, &Subject) -> bool,
) -> Classed {
    let class = match sender {
        Sender::Origin => Some(IssuerClass::System),
        Sender::Plugin => Some(IssuerClass::Plugin),
        Sender::Other { agent, .. } => agent.map(|_| IssuerClass::Agent),
    };
    let mut disagreements = Vec::new();
    if class != Some(said) {
        disagreements.push(Disagreement::Class { said, earned: class });
    }
    if let Sender::Other { name, agent } = sender {
        let is_agent = matches!(issuer, Subject::Agent(said) if Some(*said) == *agent);
        if issuer != name && !is_agent && !is_same(issuer, name) {
            let (said, sender) = (issuer.clone(), name.clone());
            disagreements.push(Disagreement::Issuer { said, sender });
        }
    }
    Classed { class, disagreements }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22";

    fn named(text: &str) -> Subject {
        text.parse().unwrap()
    }

    fn agent() -> AgentRef {
        AgentRef::parse_full(AGENT).unwrap()
    }

    #[test]
    fn a_class_is_earned_by_the_sender() {
        let (issuer, player) =
            (named("platform:games:tragedy:system"), named("platform:games:5f3c"));
        let known = Sender::Other { name: player.clone(), agent: Some(agent()) };
        let nobody = Sender::Other { name: player, agent: None };
        for said in IssuerClass::ALL {
            for (sender, class) in [
                (&Sender::Origin, Some(IssuerClass::System)),
                (&Sender::Plugin, Some(IssuerClass::Plugin)),
                (&known, Some(IssuerClass::Agent)),
                (&nobody, None),
            ] {
                let classed = classify(sender, said, &issuer, |_, _| false);
                assert_eq!(classed.class, class, "{said:?} {sender:?}");
                let of_class = |d: &Disagreement| matches!(d, Disagreement::Class { .. });
                assert_eq!(classed.disagreements.iter().any(of_class), class != Some(said));
            }
        }
    }

    /// What a player posts through the ordinary endpoint: the body of the platform's own records.
    #[test]
    fn a_spoofed_system_record_is_an_agents_with_two_findings() {
        let player = named("platform:games:5f3c");
        let issuer = named("platform:games:tragedy-of-the-commons:system");
        let sender = Sender::Other { name: player.clone(), agent: Some(agent()) };
        let classed = classify(&sender, IssuerClass::System, &issuer, |_, _| false);
        assert_eq!(classed.class, Some(IssuerClass::Agent));
        let told: Vec<_> = classed.disagreements.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "it says that its issuer is `system`, and it is `agent`",
                "it says that platform:games:tragedy-of-the-commons:system issued it, and platform:games:5f3c sent it",
            ]
        );
    }

    #[test]
    fn another_name_of_the_sender_is_no_contradiction() {
        let wallet = named("eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432");
        let player = named("platform:games:5f3c");
        let sender = Sender::Other { name: wallet.clone(), agent: Some(agent()) };
        let said = IssuerClass::Agent;
        for (issuer, count) in [(&wallet, 0), (&named(AGENT), 0), (&player, 1)] {
            let classed = classify(&sender, said, issuer, |_, _| false);
            assert_eq!(classed.disagreements.len(), count, "{issuer}");
        }
        let linked = |a: &Subject, b: &Subject| (a, b) == (&player, &wallet);
        assert_eq!(classify(&sender, said, &player, linked).disagreements, []);
    }
}
