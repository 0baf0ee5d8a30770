use crate::{Limit, Lines};

/// The white space that does not count when lines are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whitespace {
    /// All of it counts.
    #[default]
    Counts,
    /// Not at the end of a line, and a line end that is missing does not count either: `--ignore-space-at-eol` of git.
    IgnoredAtLineEnd,
    /// None of it counts: `--ignore-all-space` of git.
    Ignored,
}

impl Whitespace {
    /// The text without the white space that does not count, line by line.
    pub(super) fn strip(self, lines: &Lines) -> Result<Vec<u8>, Limit> {
        let mut stripped = Limit::reserve(lines.bytes().len() + 1)?;
        for line in lines.iter() {
            match self {
                Self::Counts => {
                    stripped.extend_from_slice(line);
                    continue;
                }
                Self::IgnoredAtLineEnd => stripped.extend_from_slice(trim_end(line)),
                Self::Ignored => stripped.extend(line.iter().filter(|byte| !is_space(**byte))),
            }
            stripped.push(b'\n');
        }
        Ok(stripped)
    }
}

/// White space as git has it: not the vertical tab, not the form feed.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A line without white space at its end.
pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let len = line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &line[..len]
}
