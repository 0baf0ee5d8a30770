use crate::Limit;

/// Which lines of one side have changed.
#[derive(Debug)]
pub(super) struct Marks(Vec<u8>);

impl Marks {
    pub(super) fn new(lines: usize) -> Result<Self, Limit> {
        let mut marks = Limit::reserve(lines)?;
        marks.resize(lines, 0);
        Ok(Self(marks))
    }

    /// The marks of some lines: 0 is unchanged, 1 is changed.
    pub(super) fn of(&mut self, lines: core::ops::Range<usize>) -> &mut [u8] {
        self.0.get_mut(lines).unwrap_or_default()
    }

    /// Whether a line has changed; no line behind the end has.
    pub(super) fn get(&self, line: usize) -> bool {
        self.0.get(line).is_some_and(|mark| *mark != 0)
    }

    pub(super) fn set(&mut self, line: usize, changed: bool) {
        if let Some(mark) = self.0.get_mut(line) {
            *mark = u8::from(changed);
        }
    }

    /// The first changed line from `line` on, or the number of lines.
    pub(super) fn next_changed(&self, line: usize) -> usize {
        self.next(1, line)
    }

    /// The first unchanged line from `line` on, or the number of lines.
    pub(super) fn next_unchanged(&self, line: usize) -> usize {
        self.next(0, line)
    }

    fn next(&self, mark: u8, line: usize) -> usize {
        let rest = self.0.get(line..).unwrap_or_default();
        memchr::memchr(mark, rest).map_or(self.0.len(), |at| line + at)
    }
}
