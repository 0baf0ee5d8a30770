use super::BYTES_A_UNIT;
use crate::glob::{Segment, Sequence, Strictness};
use crate::{Budget, Limit, Lines};

/// A line of a rule file.
#[derive(Debug)]
pub(super) struct Rule {
    /// From 1.
    pub(super) line: u32,
    pub(super) negated: bool,
    folders_only: bool,
    pattern: Pattern,
    /// Length of the pattern, which bounds the work of a match.
    len: u32,
}

#[derive(Debug)]
enum Pattern {
    /// Without a slash: the last component, at any depth.
    Name(Segment),
    /// With a slash: the path below the folder of the file. It begins with bytes that stand for themselves; the rest is matched behind them as if a
    /// path began there. So git does it too, which is why `a**/b` matches `ax/y/b`.
    Path { prefix: Box<[u8]>, rest: Option<Sequence> },
}

/// Reads a rule file.
pub(super) fn parse(contents: &[u8]) -> Result<Vec<Rule>, Limit> {
    let contents = contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents);
    let lines = Lines::of(contents)?;
    let mut rules = Limit::reserve(lines.len())?;
    for (number, line) in lines.iter().enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A zero byte ends a line for git, which keeps it in a C string.
        let line = memchr::memchr(0, line).and_then(|end| line.get(..end)).unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        rules.extend(Rule::parse(without_trailing_spaces(line), number as u32 + 1));
    }
    Ok(rules)
}

/// Spaces at the end do not count, unless a `\` is before them.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        at += if *byte == b'\\' { 2 } else { 1 };
        if *byte != b' ' {
            end = at.min(line.len());
        }
    }
    line.get(..end).unwrap_or(line)
}

impl Rule {
    /// None for what can never match.
    fn parse(line: &[u8], number: u32) -> Option<Self> {
        let (pattern, negated) = line.strip_prefix(b"!").map_or((line, false), |rest| (rest, true));
        let (pattern, folders_only) = pattern.strip_suffix(b"/").map_or((pattern, false), |rest| (rest, true));
        if pattern.is_empty() {
            return None;
        }
        let len = pattern.len() as u32;
        let pattern = if pattern.contains(&b'/') {
            let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
            let wild = pattern.iter().position(|byte| b"*?[\\".contains(byte));
            let (prefix, rest) = pattern.split_at(wild.unwrap_or(pattern.len()));
            let rest = wild.map(|_| Sequence::parse(rest, Strictness::Git, false)).transpose().ok()?;
            Pattern::Path { prefix: prefix.into(), rest }
        } else {
            Pattern::Name(Segment::parse(pattern, 0, Strictness::Git, false).ok()?.0)
        };
        Some(Self { line: number, negated, folders_only, pattern, len })
    }

    /// Whether it matches a path below the folder of the file.
    pub(super) fn matches(&self, path: &[u8], is_folder: bool, budget: &mut Budget) -> Result<bool, Limit> {
        if self.folders_only && !is_folder {
            return Ok(false);
        }
        Ok(match &self.pattern {
            Pattern::Name(segment) => {
                let name = memchr::memrchr(b'/', path).and_then(|at| path.get(at + 1..)).unwrap_or(path);
                self.spend(name, budget)?;
                segment.matches(name)
            }
            Pattern::Path { prefix, rest } => {
                budget.spend(prefix.len().min(path.len()) as u64 / BYTES_A_UNIT)?;
                match (path.strip_prefix(&**prefix), rest) {
                    (None, _) => false,
                    (Some(behind), None) => behind.is_empty(),
                    (Some(behind), Some(rest)) => {
                        self.spend(behind, budget)?;
                        rest.matches(behind)
                    }
                }
            }
        })
    }

    /// A match takes at most the product of the lengths, and nearly always far less.
    fn spend(&self, text: &[u8], budget: &mut Budget) -> Result<(), Limit> {
        budget.spend(u64::from(self.len) * text.len() as u64 / 16)
    }
}
