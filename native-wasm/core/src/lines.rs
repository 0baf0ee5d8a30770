use crate::{Limit, block};
use core::ops::Range;

/// The lines of a text, each with its line end: `\n`, since a `\r` before it belongs to the line as it does for git. The last may have none.
///
/// ```
/// let lines = millwright_core::Lines::of(b"one\r\ntwo")?;
/// assert_eq!(lines.iter().collect::<Vec<_>>(), [&b"one\r\n"[..], b"two"]);
/// assert!(!lines.ends_with_newline());
/// # Ok::<(), millwright_core::Limit>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    /// Where each line ends.
    ends: Vec<u32>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    ///
    /// # Errors
    /// [`Limit::Size`] when the text is too large, [`Limit::Memory`] when its lines are too many.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Limit> {
        Limit::check_size(bytes)?;
        let mut ends = block::behind_each(bytes, b'\n')?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            ends.push(bytes.len() as u32);
        }
        Ok(Self { bytes, ends })
    }

    /// The whole text.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of lines.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the text is empty.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether the last line has its line end. An empty text has no line that lacks one.
    pub fn ends_with_newline(&self) -> bool {
        self.bytes.last().is_none_or(|last| *last == b'\n')
    }

    /// Where a line is in the text. Behind the last line: the empty range at the end.
    pub fn range(&self, line: usize) -> Range<usize> {
        let end_of = |line: usize| self.ends.get(line).map_or(self.bytes.len(), |end| *end as usize);
        let start = if line == 0 { 0 } else { end_of(line - 1) };
        start..end_of(line)
    }

    /// A line with its line end; empty behind the last.
    pub fn get(&self, line: usize) -> &'a [u8] {
        self.bytes.get(self.range(line)).unwrap_or_default()
    }

    /// The bytes of several lines.
    pub fn span(&self, lines: Range<usize>) -> &'a [u8] {
        let start = self.range(lines.start).start;
        let end = if lines.end == 0 { 0 } else { self.range(lines.end - 1).end };
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The line that holds the byte at `offset`; the last line for what lies behind the text.
    pub fn line_at(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= offset).min(self.len().saturating_sub(1))
    }

    /// All lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + '_ {
        (0..self.len()).map(|line| self.get(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn are_those_of_the_standard_library(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
            let lines = Lines::of(&bytes).unwrap();
            let expected: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            prop_assert_eq!(lines.iter().collect::<Vec<_>>(), expected);
            prop_assert_eq!(lines.span(0..lines.len()), &bytes[..]);
            for offset in 0..bytes.len() {
                prop_assert!(lines.range(lines.line_at(offset)).contains(&offset));
            }
        }
    }

    #[test]
    fn behind_the_end_there_is_nothing() {
        let lines = Lines::of(b"a\nb").unwrap();
        assert_eq!(lines.get(2), b"");
        assert_eq!(lines.range(7), 3..3);
        assert_eq!(lines.span(1..9), b"b");
        assert_eq!(lines.span(5..9), b"");
        assert_eq!(lines.line_at(99), 1);
        assert_eq!(Lines::of(b"").unwrap().line_at(0), 0);
    }
}
