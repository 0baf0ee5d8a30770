use super::find::Diff;
use super::script::Change;
use super::whitespace::trim_end;
use core::ops::Range;

/// How many unchanged lines a hunk shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Before and behind each change.
    pub lines: u32,
    /// Between two changes for them to stay in one hunk, in addition to twice the above.
    pub between_hunks: u32,
}

impl Default for Context {
    fn default() -> Self {
        Self { lines: 3, between_hunks: 0 }
    }
}

/// Changes that are near to each other, with the unchanged lines around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// Lines of the first text, from 0 on.
    pub before: Range<u32>,
    /// Lines of the second text, from 0 on.
    pub after: Range<u32>,
    /// The changes in it: indexes of [`Diff::changes`].
    pub changes: Range<usize>,
    /// The nearest line before it that looks like the head of a definition, as git sees it when it knows nothing about the language: it begins
    /// with a letter, `_` or `$`. At most its first 80 bytes, without white space at the end, up to where they are not UTF-8; empty when there is
    /// none.
    pub section: &'a [u8],
}

/// Bytes of the section line that are shown.
const MAX_SECTION: usize = 80;

impl<'a> Diff<'a> {
    /// The hunks, in order.
    ///
    /// ```
    /// use millwright_core::{Budget, diff::{Context, Diff, Options}};
    /// let diff = Diff::of(b"a\nb\nc\n", b"a\nc\n", &Options::default(), &mut Budget::default())?;
    /// let hunk = diff.hunks(Context { lines: 1, between_hunks: 0 }).next().unwrap();
    /// assert_eq!((hunk.before, hunk.after, hunk.changes), (0..3, 0..2, 0..1));
    /// # Ok::<(), millwright_core::Limit>(())
    /// ```
    pub fn hunks(&self, context: Context) -> impl Iterator<Item = Hunk<'a>> + '_ {
        let (mut next, mut searched, mut section) = (0, 0, &b""[..]);
        core::iter::from_fn(move || {
            let first = self.changes().get(next)?;
            let end = self.end_of_hunk(next, context);
            let last = self.changes().get(end - 1)?;
            let changes = next..end;
            next = end;
            let hunk = self.around(first, last, context.lines);
            if let Some(found) = self.section_line(searched..hunk.0.start) {
                section = found;
            }
            searched = hunk.0.start;
            Some(Hunk { before: hunk.0, after: hunk.1, changes, section })
        })
    }

    /// The index behind the last change that belongs to the hunk of a change.
    fn end_of_hunk(&self, first: usize, context: Context) -> usize {
        let most = u64::from(context.lines) * 2 + u64::from(context.between_hunks);
        let is_far = |pair: &[Change]| u64::from(pair[1].before.start - pair[0].before.end) > most;
        let rest = &self.changes()[first..];
        rest.windows(2).position(is_far).map_or(self.changes().len(), |at| first + at + 1)
    }

    /// The lines from a change to another with those around them.
    fn around(&self, first: &Change, last: &Change, lines: u32) -> (Range<u32>, Range<u32>) {
        let above = lines.min(first.before.start).min(first.after.start);
        let left = |all: usize, end: u32| (all as u32).saturating_sub(end);
        let below = lines.min(left(self.before().len(), last.before.end)).min(left(self.after().len(), last.after.end));
        (first.before.start - above..last.before.end + below, first.after.start - above..last.after.end + below)
    }

    /// The last of some lines of the first text that looks like the head of a definition.
    fn section_line(&self, lines: Range<u32>) -> Option<&'a [u8]> {
        let starts_section =
            |line: &&[u8]| line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte));
        let line = lines.rev().map(|line| self.before().get(line as usize)).find(starts_section)?;
        Some(up_to_malformed(trim_end(&line[..line.len().min(MAX_SECTION)])))
    }
}

/// The bytes before the first that is not part of a character, as git cuts a header that ends within one. To git, the two noncharacters at
/// the end of the first plane are malformed as well.
fn up_to_malformed(line: &[u8]) -> &[u8] {
    let valid = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.split(['\u{fffe}', '\u{ffff}']).next().unwrap_or_default().as_bytes()
}
