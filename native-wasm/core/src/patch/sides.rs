use super::{Hunk, HunkLine, LineKind};
use crate::Limit;
use crate::patch::push;

/// The two sides of a hunk, in the direction in which it is applied.
#[derive(Default)]
pub(super) struct Sides<'a> {
    /// The lines of the old side: context and what is removed.
    pub old: Vec<HunkLine<'a>>,
    /// The lines that are added, each with the number of old lines before it.
    pub added: Vec<(usize, HunkLine<'a>)>,
    /// How many lines the new side has, and whether the last of them, if there is one, has its newline.
    pub new_len: usize,
    pub new_ends_with_newline: bool,
    /// Whether there is a line of context at all.
    pub has_context: bool,
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
        self.added.clear();
        (self.leading, self.trailing, self.has_context) = (0, 0, false);
        (self.new_len, self.new_ends_with_newline) = (0, true);
        let mut changed = false;
        let (old_start, new_start) = (hunk.old_start, hunk.new_start);
        (self.old_start, self.new_start) = if reverse { (new_start, old_start) } else { (old_start, new_start) };
        for line in directed(hunk, reverse) {
            if line.kind == LineKind::Added {
                push(&mut self.added, (self.old.len(), line))?;
            } else {
                push(&mut self.old, line)?;
            }
            if line.kind != LineKind::Removed {
                self.new_len += 1;
                self.new_ends_with_newline = line.newline;
            }
            if line.kind != LineKind::Context {
                (changed, self.trailing) = (true, 0);
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

    /// The lines of the new side.
    pub fn new_lines(&self) -> Result<Vec<HunkLine<'a>>, Limit> {
        let mut lines = Limit::reserve(self.new_len)?;
        let mut added = self.added.iter().peekable();
        for at in 0..=self.old.len() {
            while let Some((_, line)) = added.next_if(|(before, _)| *before == at) {
                lines.push(*line);
            }
            lines.extend(self.old.get(at).filter(|line| line.kind == LineKind::Context));
        }
        Ok(lines)
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
