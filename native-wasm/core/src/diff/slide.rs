//! Moves groups of changed lines to the best of the places that mean the same: the last line of a group may be equal to the line before it.

use super::indent::Score;
use super::marks::Marks;
use super::script::Change;
use crate::{Budget, Lines};
use core::ops::Range;

/// The most places that are compared.
const MAX_PLACES: usize = 100;

/// One side while its groups are moved.
pub(super) struct Side<'a> {
    /// The lines as they are compared.
    pub(super) lines: &'a Lines<'a>,
    /// The lines as they are, for their indentation.
    pub(super) text: &'a Lines<'a>,
    pub(super) marks: &'a mut Marks,
    pub(super) other: &'a Marks,
}

/// A group of changed lines, and what has changed on the other side at the same place.
struct Group {
    lines: Range<usize>,
    other: Range<usize>,
}

impl Side<'_> {
    /// Moves all groups of this side, which come as the changes that the marks stand for; a swapped change has the other side first.
    ///
    /// Says whether the budget lasted; when not, groups stay where they are. A unit is a line that is looked at.
    pub(super) fn compact(&mut self, changes: impl Iterator<Item = Change>, budget: &mut Budget) -> bool {
        let mut done = 0;
        for change in changes {
            // An earlier group may have come down to this one and taken it in.
            if change.before.is_empty() || (change.before.start as usize) < done {
                continue;
            }
            let mut group = Group { lines: to_usize(&change.before), other: to_usize(&change.after) };
            if self.place(&mut group, budget).is_none() {
                return false;
            }
            done = group.lines.end;
        }
        true
    }

    /// Moves one group; `None` when the budget is spent.
    fn place(&mut self, group: &mut Group, budget: &mut Budget) -> Option<()> {
        let (highest, opposite) = loop {
            let size = group.lines.len();
            while self.up(group, budget)? {}
            let highest = group.lines.end;
            let mut opposite = (!group.other.is_empty()).then_some(highest);
            while self.down(group, budget)? {
                if !group.other.is_empty() {
                    opposite = Some(group.lines.end);
                }
            }
            if group.lines.len() == size {
                break (highest, opposite);
            }
        };
        let end = match opposite {
            _ if group.lines.end == highest => highest,
            // A removal opposite to an addition reads as a replacement.
            Some(end) => end,
            None => self.best_end(group, highest, budget)?,
        };
        while group.lines.end > end && self.up(group, budget)? {}
        Some(())
    }

    /// The end of the group at which it reads best, between `highest` and where it is.
    fn best_end(&self, group: &Group, highest: usize, budget: &mut Budget) -> Option<usize> {
        let (size, lowest) = (group.lines.len(), group.lines.end);
        let first = highest.max(lowest.saturating_sub(size + 1)).max(lowest.saturating_sub(MAX_PLACES));
        let mut best: Option<(usize, Score)> = None;
        for end in first..=lowest {
            let mut work = 0;
            let score = Score::of_group(self.text, end - size, end, &mut work);
            budget.spend(work).ok()?;
            if best.is_none_or(|(_, other)| score.is_no_worse_than(other)) {
                best = Some((end, score));
            }
        }
        best.map(|(end, _)| end)
    }

    /// Moves a group up by a line, and takes in the group that it comes to.
    fn up(&mut self, group: &mut Group, budget: &mut Budget) -> Option<bool> {
        let Range { start, end } = group.lines;
        if start == 0 || !self.equal(start - 1, end - 1, budget)? {
            return Some(false);
        }
        self.marks.set(start - 1, true);
        self.marks.set(end - 1, false);
        group.lines = run_before(self.marks, start - 1)..end - 1;
        let end = group.other.start.saturating_sub(1);
        group.other = run_before(self.other, end)..end;
        budget.spend(group.other.len() as u64).ok()?;
        Some(true)
    }

    /// Moves a group down by a line, and takes in the group that it comes to.
    fn down(&mut self, group: &mut Group, budget: &mut Budget) -> Option<bool> {
        let Range { start, end } = group.lines;
        if end >= self.lines.len() || !self.equal(start, end, budget)? {
            return Some(false);
        }
        self.marks.set(start, false);
        self.marks.set(end, true);
        group.lines = start + 1..self.marks.next_unchanged(end + 1);
        let start = group.other.end + 1;
        group.other = start..self.other.next_unchanged(start);
        budget.spend(group.other.len() as u64).ok()?;
        Some(true)
    }

    fn equal(&self, line: usize, other: usize, budget: &mut Budget) -> Option<bool> {
        let line = self.lines.get(line);
        budget.spend(1 + line.len() as u64 / 64).ok()?;
        Some(line == self.lines.get(other))
    }
}

/// Where the changed lines start that end before a line.
fn run_before(marks: &Marks, line: usize) -> usize {
    let mut start = line;
    while start > 0 && marks.get(start - 1) {
        start -= 1;
    }
    start
}

fn to_usize(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
