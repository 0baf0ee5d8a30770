use super::reject::{Reject, RejectKind};
use super::report::Report;
use super::sides::Sides;
use super::target::{Found, Target};
use super::{ApplyOptions, Hunk};
use crate::{Budget, Limit};

/// Where a hunk goes: the first line of the file, and how many lines of context are left out at both ends.
type Place = (usize, (usize, usize));

/// Finds the place of a hunk and takes it.
pub(super) fn place(
    target: &mut Target<'_, '_>,
    number: usize,
    hunk: &Hunk<'_>,
    sides: &Sides<'_>,
    options: &ApplyOptions,
    budget: &mut Budget,
) -> Result<Result<(), Reject>, Limit> {
    budget.spend(sides.old.len() as u64 + 1)?;
    let mut placer = Placer { target, sides, options, budget };
    let found = if !hunk.placed {
        placer.by_lines()?
    } else if sides.has_context {
        placer.by_context()?
    } else {
        placer.by_position()
    };
    match found.and_then(|place| placer.ends(place)) {
        Ok((start, cut)) => {
            target.add(number, start, cut, sides);
            Ok(Ok(()))
        }
        Err(kind) => Report { target, number, hunk, sides, budget }.reject(kind).map(Err),
    }
}

struct Placer<'t, 'a, 'p, 's> {
    target: &'t mut Target<'a, 'p>,
    sides: &'s Sides<'s>,
    options: &'s ApplyOptions,
    budget: &'s mut Budget,
}

impl Placer<'_, '_, '_, '_> {
    /// A hunk that does not say where it belongs: its lines have to be at one place behind the hunk before.
    fn by_lines(&mut self) -> Result<Result<Place, RejectKind>, Limit> {
        if self.sides.old.is_empty() {
            let empty = self.target.lines.is_empty() && self.target.regions().is_empty();
            return Ok(if empty { Ok((0, (0, 0))) } else { Err(RejectKind::NoPosition) });
        }
        let found = self.target.all(&self.sides.old, self.target.floor(), 4, self.budget)?;
        Ok(match found[..] {
            [] => Err(RejectKind::NotFound),
            [at] => Ok((at, (0, 0))),
            _ => Err(RejectKind::Ambiguous { lines: found.iter().map(|line| line + 1).collect() }),
        })
    }

    /// A hunk without context: nothing but its position says where it belongs.
    fn by_position(&self) -> Result<Place, RejectKind> {
        let Sides { old, old_start, .. } = self.sides;
        let start = if old.is_empty() { *old_start } else { old_start.saturating_sub(1) };
        let Some(start) =
            usize::try_from(start).ok().filter(|start| start.saturating_add(old.len()) <= self.target.lines.len())
        else {
            return Err(RejectKind::NotFound);
        };
        if !self.target.has(start, old) {
            return Err(RejectKind::NotFound);
        }
        settle(self.target.standing(start, old.len()), (0, 0))
    }

    /// As git does: at the position in the header if the lines are there, else at the nearest place, with less and less context if allowed.
    fn by_context(&mut self) -> Result<Result<Place, RejectKind>, Limit> {
        let Sides { leading, trailing, .. } = *self.sides;
        let mut expected = self.target.expected(self.sides);
        // A hunk that begins with the first line belongs to the beginning, and one without context behind it to the end.
        let mut ends = (self.options.anchored && self.sides.old_start <= 1, self.options.anchored && trailing == 0);
        let kept = leading.max(trailing).saturating_sub(self.options.fuzz as usize).max(1);
        let mut cut = (0, 0);
        let mut first = None;
        loop {
            let found = self.attempt(cut, ends, expected)?;
            if matches!(found, Found::At(_) | Found::OutOfOrder(_)) {
                return Ok(settle(found, cut));
            }
            first.get_or_insert(found);
            let (before, behind) = (leading - cut.0, trailing - cut.1);
            if before.max(behind) <= kept {
                return Ok(settle(first.unwrap_or(Found::Nowhere), cut));
            }
            if ends != (false, false) {
                ends = (false, false);
                continue;
            }
            if before >= behind {
                cut.0 += 1;
                expected += 1;
            }
            if behind >= before {
                cut.1 += 1;
            }
            if cut.0 + cut.1 >= self.sides.old.len() {
                return Ok(settle(first.unwrap_or(Found::Nowhere), cut));
            }
        }
    }

    fn attempt(&mut self, cut: (usize, usize), ends: (bool, bool), expected: i64) -> Result<Found, Limit> {
        let old = &self.sides.old;
        let old = old.get(cut.0..old.len() - cut.1).unwrap_or_default();
        self.budget.spend(old.len() as u64)?;
        let only = match ends {
            (true, _) => Some(0),
            (_, true) => Some(self.target.lines.len().checked_sub(old.len()).unwrap_or(usize::MAX)),
            _ => None,
        };
        if let Some(at) = only {
            let fits = at != usize::MAX && self.target.has(at, old);
            let ends_file = fits && (!ends.1 || at + old.len() == self.target.lines.len());
            return Ok(if ends_file { self.target.standing(at, old.len()) } else { Found::Nowhere });
        }
        let at = usize::try_from(expected - self.target.shift()).ok().filter(|at| *at >= self.target.floor());
        match at {
            Some(at) if self.target.has(at, old) => Ok(Found::At(at)),
            _ => self.target.nearest(old, expected, self.budget),
        }
    }

    /// Keeps a hunk from joining two lines where one has no newline.
    fn ends(&self, (start, cut): Place) -> Result<Place, RejectKind> {
        let lines = &self.target.lines;
        let end = start + self.sides.old.len() - cut.0 - cut.1;
        if !self.sides.new_ends_with_newline && end < lines.len() {
            return Err(RejectKind::NotAtEnd { line: start + 1 });
        }
        if start == lines.len() && !lines.ends_with_newline() && self.sides.new_len > 0 {
            return Err(RejectKind::JoinsLines { line: lines.len() });
        }
        Ok((start, cut))
    }
}

fn settle(found: Found, cut: (usize, usize)) -> Result<Place, RejectKind> {
    match found {
        Found::At(at) => Ok((at, cut)),
        Found::OutOfOrder(at) => Err(RejectKind::OutOfOrder { line: at + 1 }),
        Found::Overlap(hunk) => Err(RejectKind::Overlap { hunk }),
        Found::Nowhere => Err(RejectKind::NotFound),
    }
}
