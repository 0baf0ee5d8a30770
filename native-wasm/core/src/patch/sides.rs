use super::{Hunk, HunkLine, LineKind};
use crate::Limit;
use crate::patch::push;

/// The two sides of a hunk, in the direction in which it is applied.
#[derive(Default)]
pub(super) struct Sides<'a> {
    pub old: Vec<HunkLine<'a>>,
    pub new: Vec<HunkLine<'a>>,
    /// Whether there is a line of context at all, and one that is added.
    pub has_context: bool,
    pub adds: bool,
    /// Lines of context before the first change and behind the last.
    pub leading: usize,
    pub trailing: usize,
    /// The line of the old and of the new file, from 1, where the hunk begins.
    pub old_start: u64,
    pub new_start: u64,
}

impl<'a> Sides<'a> {
    /// Takes over a hunk.
    pub fn fill(&mut self, hunk: &Hunk<'a>, reverse: bool) -> Result<(), Limit> {
        self.old.clear();
        self.new.clear();
        (self.leading, self.trailing, self.has_context, self.adds) = (0, 0, false, false);
        let mut changed = false;
        let (old_start, new_start) = (hunk.old_start, hunk.new_start);
        (self.old_start, self.new_start) = if reverse { (new_start, old_start) } else { (old_start, new_start) };
        for line in directed(hunk, reverse) {
            if line.kind != LineKind::Added {
                push(&mut self.old, line)?;
            }
            if line.kind != LineKind::Removed {
                push(&mut self.new, line)?;
            }
            if line.kind != LineKind::Context {
                (changed, self.trailing) = (true, 0);
                self.adds |= line.kind == LineKind::Added;
                continue;
            }
            self.has_context = true;
            if changed {
                self.trailing += 1;
            } else {
                self.leading += 1;
            }
        }
        Ok(())
    }
}

/// The lines of a hunk, with removed for added if it is reversed.
pub(super) fn directed<'a>(hunk: &Hunk<'a>, reverse: bool) -> impl Iterator<Item = HunkLine<'a>> {
    hunk.lines().map(move |mut line| {
        line.kind = match (line.kind, reverse) {
            (LineKind::Removed, true) => LineKind::Added,
            (LineKind::Added, true) => LineKind::Removed,
            (kind, _) => kind,
        };
        line
    })
}
