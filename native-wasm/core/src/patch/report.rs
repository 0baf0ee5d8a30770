use super::reject::{Near, Reject, RejectKind};
use super::sides::Sides;
use super::target::{Found, Target, signed};
use super::{Hunk, HunkLine};
use crate::edits::{Difference, difference};
use crate::sort;
use crate::{Budget, Limit};

/// Finds out why a hunk has no place.
pub(super) struct Report<'t, 'a, 'p, 's> {
    pub target: &'t mut Target<'a, 'p>,
    pub number: usize,
    pub hunk: &'s Hunk<'s>,
    pub sides: &'s Sides<'s>,
    pub budget: &'s mut Budget,
}

/// Lines that are at more places than this say little about where a hunk belongs.
const COMMON: usize = 64;

/// How many places are weighed at most.
const WEIGHED: usize = 4096;

impl Report<'_, '_, '_, '_> {
    pub fn reject(mut self, kind: RejectKind) -> Result<Reject, Limit> {
        let mut nearest = Vec::new();
        let kind = match kind {
            RejectKind::NotFound => {
                if let Some(kind) = self.explained()? {
                    kind
                } else {
                    nearest = self.nearest()?;
                    if nearest.is_empty() { RejectKind::NotFound } else { RejectKind::ContextDiffers }
                }
            }
            // A hunk that came before took the lines, or is this one again.
            RejectKind::Overlap { .. } | RejectKind::OutOfOrder { .. } => self.applied()?.unwrap_or(kind),
            kind => kind,
        };
        let expected = self.hunk.placed.then_some(self.sides.old_start);
        Ok(Reject { hunk: self.number, offset: self.hunk.offset, expected, kind, nearest })
    }

    fn expected(&self) -> i64 {
        self.target.expected(self.sides)
    }

    fn explained(&mut self) -> Result<Option<RejectKind>, Limit> {
        if let Some(kind) = self.applied()? {
            return Ok(Some(kind));
        }
        if self.sides.old.is_empty() {
            return Ok(None);
        }
        let found = self.target.nearest(&self.sides.old, self.expected(), self.budget)?;
        Ok(match found {
            Found::At(at) | Found::OutOfOrder(at) if !self.hunk.placed => Some(RejectKind::OutOfOrder { line: at + 1 }),
            Found::At(at) | Found::OutOfOrder(at) if !self.sides.has_context => {
                Some(RejectKind::Elsewhere { line: at + 1 })
            }
            Found::At(at) | Found::OutOfOrder(at) if self.sides.old_start <= 1 && at > 0 => {
                Some(RejectKind::NotAtStart { line: at + 1 })
            }
            Found::At(at) | Found::OutOfOrder(at) => Some(RejectKind::NotAtEnd { line: at + 1 }),
            Found::Overlap(hunk) => Some(RejectKind::Overlap { hunk }),
            Found::Nowhere => None,
        })
    }

    /// Whether the file is as the hunk would make it. A hunk that only removes lines is known by the context that then is together.
    fn applied(&mut self) -> Result<Option<RejectKind>, Limit> {
        let Sides { added, new_len, leading, trailing, old_start, .. } = self.sides;
        if *new_len == 0 || added.is_empty() && (*leading == 0 || *trailing == 0) {
            return Ok(None);
        }
        let new = self.sides.new_lines()?;
        let at = if self.hunk.placed && !self.sides.has_context {
            let at = usize::try_from(old_start.saturating_sub(1)).unwrap_or(usize::MAX);
            Some(at).filter(|at| *at < self.target.lines.len() && self.target.has(*at, &new))
        } else {
            match self.target.nearest(&new, self.expected(), self.budget)? {
                Found::At(at) | Found::OutOfOrder(at) => Some(at),
                Found::Overlap(_) | Found::Nowhere => None,
            }
        };
        Ok(at.map(|at| RejectKind::AlreadyApplied { line: at + 1 }))
    }

    /// The places with most of the old lines at their distances.
    fn nearest(&mut self) -> Result<Vec<Near>, Limit> {
        let expected = self.expected();
        let old = &self.sides.old;
        let index = self.target.index(self.budget)?;
        let mut starts = Vec::new();
        for (ahead, id) in index.ids(old)?.into_iter().enumerate() {
            let places = index.places(id);
            let weighed = if places.len() <= COMMON { places } else { &[] };
            starts.extend(weighed.iter().map(|place| i64::from(*place) - signed(ahead)));
            if starts.len() > WEIGHED {
                break;
            }
        }
        self.budget.spend(starts.len() as u64 * 4)?;
        sort::unstable(&mut starts);
        let shift = self.target.shift();
        let mut runs: Vec<(usize, i64)> =
            starts.chunk_by(|one, other| one == other).filter_map(|run| Some((run.len(), *run.first()?))).collect();
        sort::unstable_by_key(&mut runs, |(same, start)| {
            (core::cmp::Reverse(*same), (start + shift).abs_diff(expected), *start)
        });
        runs.truncate(3);
        self.budget.spend(old.len() as u64 * 3)?;
        Ok(runs.into_iter().filter_map(|(_, start)| self.near(start)).collect())
    }

    fn near(&self, start: i64) -> Option<Near> {
        let differences =
            self.sides.old.iter().zip(start..).map(|(wanted, line)| (wanted, line, self.differs(wanted, line)));
        let same = differences.clone().filter(|(.., difference)| difference.is_none()).count();
        let (wanted, line, difference) =
            differences.into_iter().find_map(|(wanted, line, how)| Some((wanted, line, how?)))?;
        let number = |line: i64| usize::try_from(line + 1).unwrap_or(0).max(1);
        Some(Near { line: number(start), same, differs_at: number(line), offset: wanted.offset, difference })
    }

    fn differs(&self, wanted: &HunkLine<'_>, line: i64) -> Option<Difference> {
        let lines = &self.target.lines;
        let Some(found) = usize::try_from(line).ok().filter(|line| *line < lines.len()).map(|line| lines.get(line))
        else {
            return Some(Difference::EndOfFile);
        };
        let text = found.strip_suffix(b"\n");
        let unlike = (text.is_some() != wanted.newline).then_some(Difference::FinalNewline);
        difference(wanted.text, text.unwrap_or(found)).or(unlike)
    }
}
