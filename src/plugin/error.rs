//! Why a component is no projector, or gave no draft.

/// Why a component is not run, or what became of it when it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Larger than what is read.
    #[error("the component has {length} bytes; at most {max} are taken")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most that are taken.
        max: usize,
    },
    /// Not WebAssembly, or not what can be run here.
    #[error("this is no component: {0}")]
    NotComponent(String),
    /// It asks for something that no projector gets.
    #[error("it imports {0}, and a projector gets nothing from outside: build it without that")]
    Imports(String),
    /// It does not export what a projector does, or in another form.
    #[error("it is no projector of hallmark:projector@1.0.0: {0}")]
    NotProjector(String),
    /// It calls itself by something that is no name.
    #[error("what it says of itself is wrong: {field}: {what}")]
    Description {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// It ran too long.
    #[error("it used up its fuel of {0} instructions: it loops, or does too much")]
    Fuel(u64),
    /// It took too long for this machine.
    #[error("it took more than three seconds of this machine's time")]
    Timeout,
    /// It took too long for this machine a moment ago.
    #[error(
        "it took more than three seconds of this machine's time less than a minute ago, and is not run again before that minute is over"
    )]
    Resting,
    /// It is more than the compiler is asked for.
    #[error("it would take the compiler too long: it has {0}")]
    Compile(String),
    /// It is not compiled yet.
    #[error("it is being compiled; ask again in some seconds")]
    Compiling,
    /// It wanted too much memory.
    #[error("it asked for more than {0} bytes of memory")]
    Memory(usize),
    /// It returned too much.
    #[error("what it returned is larger than the {0} bytes that are read of it")]
    Output(usize),
    /// It failed.
    #[error("it failed: {0}")]
    Trap(String),
    /// It said itself that it cannot.
    #[error("it refused: {0}")]
    Refused(String),
}

impl PluginError {
    /// Whether it says something of this moment rather than of the component, so that it may be otherwise when it is tried again.
    #[must_use]
    pub const fn is_of_the_moment(&self) -> bool {
        matches!(self, Self::Timeout | Self::Resting | Self::Compiling)
    }

    /// A word for it, in answers and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::NotComponent(_) => "not_component",
            Self::Imports(_) => "imports",
            Self::NotProjector(_) => "not_projector",
            Self::Description { .. } => "description",
            Self::Fuel(_) => "fuel",
            Self::Timeout | Self::Resting => "timeout",
            Self::Compile(_) => "too_large",
            Self::Compiling => "compiling",
            Self::Memory(_) => "memory",
            Self::Output(_) => "output",
            Self::Trap(_) => "trap",
            Self::Refused(_) => "refused",
        }
    }
}
