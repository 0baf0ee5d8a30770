use crate::Limit;
use core::fmt;

/// Why there is no answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchError {
    /// The pattern is empty.
    Empty,
    /// The regex is not one.
    Syntax {
        /// Where in the pattern, in bytes.
        offset: u32,
        /// What is wrong there.
        problem: String,
    },
    /// The pattern asks for a line end, while matches lie within lines.
    SpansLines,
    /// The regex needs more memory than it may take: most often by large counted repetitions.
    TooComplex {
        /// The most that its compiled form may take, in bytes.
        max: u32,
    },
    /// A bound was met: of the pattern's length, of work, or of memory.
    Limit(Limit),
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty: say what to look for"),
            Self::Syntax { offset, problem } => {
                write!(f, "the regex is wrong at byte {offset}: {problem}; correct it, or look for it as a literal")
            }
            Self::SpansLines => {
                f.write_str("the pattern asks for a line end, but matches lie within lines: look for one of its lines")
            }
            Self::TooComplex { max } => write!(
                f,
                "the regex takes more than {max} bytes when compiled: make its counted repetitions smaller, or its classes ASCII by (?-u)"
            ),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl core::error::Error for SearchError {}

impl From<Limit> for SearchError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}
