use super::HunkLine;
use crate::hash::{Interner, Seed};
use crate::{Budget, Limit, Lines};

/// Where the lines of the hunks are in a file. Made once a hunk is not at its place, so that no search walks over the file again.
pub(super) struct LineIndex<'p> {
    known: Interner<'p>,
    /// The number of each line of the file; [`UNKNOWN`] for what no hunk has.
    ids: Vec<u32>,
    /// Where the lines of each number begin in `places`, and one more.
    starts: Vec<u32>,
    /// The lines of the file by number, then by place.
    places: Vec<u32>,
    ends_with_newline: bool,
}

pub(super) const UNKNOWN: u32 = u32::MAX;

impl<'p> LineIndex<'p> {
    pub fn new(
        lines: &Lines<'_>,
        wanted: impl Iterator<Item = HunkLine<'p>>,
        seed: Seed,
        budget: &mut Budget,
    ) -> Result<Self, Limit> {
        let mut known = Interner::new(0, seed)?;
        for line in wanted {
            budget.spend(1)?;
            known.intern(line.text)?;
        }
        budget.spend(lines.len() as u64)?;
        let mut ids = Limit::reserve(lines.len())?;
        let mut starts = Limit::reserve(known.len() + 2)?;
        starts.resize(known.len() + 2, 0u32);
        for line in lines.iter() {
            let id = known.find(line.strip_suffix(b"\n").unwrap_or(line)).unwrap_or(UNKNOWN);
            ids.push(id);
            if let Some(count) = starts.get_mut((id as usize).saturating_add(2)) {
                *count += 1;
            }
        }
        // `starts[id + 1]` is where the lines of a number begin now, and where they end when all are placed.
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut places = Limit::reserve(sum as usize)?;
        places.resize(sum as usize, 0);
        for (line, id) in ids.iter().enumerate() {
            if let Some(next) = starts.get_mut((*id as usize).saturating_add(1)) {
                if let Some(place) = places.get_mut(*next as usize) {
                    *place = line as u32;
                }
                *next += 1;
            }
        }
        Ok(Self { known, ids, starts, places, ends_with_newline: lines.ends_with_newline() })
    }

    pub fn id(&self, line: &HunkLine<'_>) -> u32 {
        self.known.find(line.text).unwrap_or(UNKNOWN)
    }

    /// The lines of the file with this number, in their order.
    pub fn places(&self, id: u32) -> &[u32] {
        let id = id as usize;
        match (self.starts.get(id), self.starts.get(id.saturating_add(1))) {
            (Some(start), Some(end)) => self.places.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    pub fn ids(&self, wanted: &[HunkLine<'_>]) -> Result<Vec<u32>, Limit> {
        let mut ids = Limit::reserve(wanted.len())?;
        ids.extend(wanted.iter().map(|line| self.id(line)));
        Ok(ids)
    }

    /// Whether the lines are in the file from `at` on.
    pub fn matches(&self, at: usize, ids: &[u32], newline: bool, budget: &mut Budget) -> Result<bool, Limit> {
        let Some(found) = at.checked_add(ids.len()).and_then(|end| self.ids.get(at..end)) else { return Ok(false) };
        let same = found.iter().zip(ids).take_while(|(found, wanted)| found == wanted).count();
        budget.spend(same as u64 / 8 + 1)?;
        let has_newline = self.ends_with_newline || at + ids.len() < self.ids.len();
        Ok(same == ids.len() && has_newline == newline)
    }
}
