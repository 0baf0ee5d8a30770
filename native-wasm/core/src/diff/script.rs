use super::marks::Marks;
use super::region::{self, Tokens};
use super::slide::Side;
use super::trim::common_ends;
use crate::hash::{Interner, Seed, same};
use crate::{Budget, Limit, Lines};
use core::ops::Range;

/// Lines that one side has in place of lines of the other: line numbers from 0 on. Either range may be empty, not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The lines that are removed.
    pub before: Range<u32>,
    /// The lines that are added.
    pub after: Range<u32>,
}

impl Change {
    /// The change that undoes it.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { before: self.after, after: self.before }
    }
}

/// One side: its lines as they are compared, and as they are.
pub(super) struct Text<'a> {
    pub(super) compared: &'a Lines<'a>,
    pub(super) original: &'a Lines<'a>,
}

/// The changes from one text to another in ascending order, and whether the budget lasted for the best ones.
pub(super) fn find(before: &Text, after: &Text, seed: Seed, budget: &mut Budget) -> Result<(Vec<Change>, bool), Limit> {
    let (old, new) = (before.compared, after.compared);
    let (prefix, suffix) = common_ends(old.bytes(), new.bytes());
    if prefix == old.bytes().len() && prefix == new.bytes().len() {
        return Ok((Vec::new(), true));
    }
    let first = if prefix == 0 { 0 } else { old.line_at(prefix - 1) + 1 };
    let rest = if suffix == 0 { 0 } else { old.len() - old.line_at(old.bytes().len() - suffix) };
    let (old_range, new_range) = (first..old.len() - rest, first..new.len() - rest);

    let mut removed = Marks::new(old.len())?;
    let mut added = Marks::new(new.len())?;
    let mut in_time = true;
    let (old_marks, new_marks) = (removed.of(old_range.clone()), added.of(new_range.clone()));
    if old_range.is_empty() || new_range.is_empty() {
        old_marks.fill(1);
        new_marks.fill(1);
    } else {
        let mut interner = Interner::new(old_range.len().max(new_range.len()), seed)?;
        let old_tokens = intern(&mut interner, old, old_range.clone())?;
        let new_tokens = intern_beside(&mut interner, new, new_range, (old, old_range, &old_tokens))?;
        let tokens = Tokens { before: &old_tokens, after: &new_tokens, count: interner.len() };
        in_time = region::mark(&tokens, old_marks, new_marks, budget)?;
    }

    let changes = changes(&removed, &added, old.len(), new.len());
    let mut side = Side { lines: old, text: before.original, marks: &mut removed, other: &added };
    in_time &= side.compact(changes.iter().cloned(), budget);
    let changes = self::changes(&removed, &added, old.len(), new.len());
    let mut side = Side { lines: new, text: after.original, marks: &mut added, other: &removed };
    in_time &= side.compact(changes.iter().cloned().map(Change::reversed), budget);
    Ok((self::changes(&removed, &added, old.len(), new.len()), in_time))
}

fn intern<'a>(interner: &mut Interner<'a>, lines: &Lines<'a>, range: Range<usize>) -> Result<Vec<u32>, Limit> {
    let mut tokens = Limit::reserve(range.len())?;
    for line in range {
        tokens.push(interner.intern(lines.get(line))?);
    }
    Ok(tokens)
}

/// As `intern`. Versions of a text have most lines in the same order, so a line is compared first with the one that follows on its predecessor's.
fn intern_beside<'a>(
    interner: &mut Interner<'a>,
    lines: &Lines<'a>,
    range: Range<usize>,
    (old, old_range, old_tokens): (&Lines<'a>, Range<usize>, &[u32]),
) -> Result<Vec<u32>, Limit> {
    let mut firsts: Vec<u32> = Limit::reserve(interner.len())?;
    for (at, token) in old_tokens.iter().enumerate() {
        // Numbers are given out in the order in which lines come.
        if *token as usize == firsts.len() {
            firsts.push(at as u32);
        }
    }
    let mut tokens = Limit::reserve(range.len())?;
    let mut expected = 0;
    for line in range {
        let bytes = lines.get(line);
        let token = match old_tokens.get(expected) {
            Some(token) if same(old.get(old_range.start + expected), bytes) => *token,
            _ => {
                let token = interner.intern(bytes)?;
                expected = firsts.get(token as usize).map_or(expected, |first| *first as usize);
                token
            }
        };
        tokens.push(token);
        expected += 1;
    }
    Ok(tokens)
}

/// The changes that marks stand for.
fn changes(removed: &Marks, added: &Marks, before_len: usize, after_len: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut before, mut after) = (0, 0);
    let (mut next_removed, mut next_added) = (removed.next_changed(0), added.next_changed(0));
    while next_removed < before_len || next_added < after_len {
        let equal = (next_removed - before).min(next_added - after);
        (before, after) = (before + equal, after + equal);
        let before_end = if next_removed == before { removed.next_unchanged(before) } else { before };
        let after_end = if next_added == after { added.next_unchanged(after) } else { after };
        changes.push(Change { before: before as u32..before_end as u32, after: after as u32..after_end as u32 });
        if before_end > before {
            next_removed = removed.next_changed(before_end);
        }
        if after_end > after {
            next_added = added.next_changed(after_end);
        }
        (before, after) = (before_end, after_end);
    }
    changes
}
