use super::index::LineIndex;
use super::sides::{Sides, directed};
use super::{Hunk, HunkLine};
use crate::hash::{Seed, same};
use crate::{Budget, Limit, Lines};

/// A file to which hunks are applied. Nothing is moved in it: hunks get regions of its lines, in the order of the file.
pub(super) struct Target<'a, 'p> {
    pub lines: Lines<'a>,
    regions: Vec<Region>,
    index: Option<LineIndex<'p>>,
    hunks: &'a [Hunk<'p>],
    seed: Seed,
    /// Lines that may still be looked at one by one, before the index is worth its cost.
    looks: usize,
}

/// Lines of the file that a hunk replaces.
#[derive(Clone, Copy)]
pub(super) struct Region {
    /// Number of the hunk.
    pub hunk: usize,
    /// The lines, from 0.
    pub start: usize,
    pub end: usize,
    /// By how much later lines have moved, by this and all earlier regions.
    pub shift: i64,
    /// Lines of context of the hunk that are not used, at both ends.
    pub cut: (usize, usize),
}

/// What a search has found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    At(usize),
    /// Before a region that is there already.
    OutOfOrder(usize),
    /// In lines of the region of this hunk.
    Overlap(usize),
    Nowhere,
}

impl<'a, 'p> Target<'a, 'p> {
    pub fn new(contents: &'a [u8], hunks: &'a [Hunk<'p>], seed: Seed) -> Result<Self, Limit> {
        let lines = Lines::of(contents)?;
        let looks = lines.len();
        Ok(Self { lines, regions: Limit::reserve(hunks.len())?, index: None, hunks, seed, looks })
    }

    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    pub fn add(&mut self, hunk: usize, start: usize, cut: (usize, usize), sides: &Sides<'_>) {
        let removed = sides.old.len() - cut.0 - cut.1;
        let shift = self.shift() + signed(sides.new_len) - signed(sides.old.len());
        self.regions.push(Region { hunk, start, end: start + removed, shift, cut });
    }

    /// By how much the lines behind all regions have moved.
    pub fn shift(&self) -> i64 {
        self.regions.last().map_or(0, |region| region.shift)
    }

    /// Where the last region ends.
    pub fn floor(&self) -> usize {
        self.regions.last().map_or(0, |region| region.end)
    }

    /// The number of a line once the regions are replaced. A later line never has a smaller one, inside of regions too.
    pub fn moved(&self, line: usize) -> i64 {
        let before = self.regions.partition_point(|region| region.end <= line);
        let shift = before.checked_sub(1).and_then(|at| self.regions.get(at)).map_or(0, |region| region.shift);
        let moved = signed(line) + shift;
        self.regions.get(before).map_or(moved, |next| moved.min(signed(next.end) + next.shift))
    }

    /// Where a hunk begins by its header, as [`Self::moved`] counts.
    pub fn expected(&self, sides: &Sides<'_>) -> i64 {
        let last = signed(self.lines.len()) + self.shift();
        i64::try_from(sides.new_start.saturating_sub(1)).map_or(last, |start| start.min(last))
    }

    /// What is true of a place whose lines are those that are wanted.
    pub fn standing(&self, start: usize, len: usize) -> Found {
        let next = self.regions.partition_point(|region| region.end <= start);
        match self.regions.get(next) {
            Some(region) if region.start < start + len => Found::Overlap(region.hunk),
            Some(_) => Found::OutOfOrder(start),
            None => Found::At(start),
        }
    }

    /// Whether the lines are in the file from `at` on.
    pub fn has(&self, at: usize, wanted: &[HunkLine<'_>]) -> bool {
        self.has_first(at, wanted) == wanted.len()
    }

    /// How many of the lines are in the file from `at` on before one is not; none where there is no room for all.
    fn has_first(&self, at: usize, wanted: &[HunkLine<'_>]) -> usize {
        if at + wanted.len() > self.lines.len() {
            return 0;
        }
        let is_there = |(line, wanted): (usize, &HunkLine<'_>)| {
            let line = self.lines.get(line);
            let text = line.strip_suffix(b"\n");
            text.is_some() == wanted.newline && same(text.unwrap_or(line), wanted.text)
        };
        (at..).zip(wanted).take_while(|each| is_there(*each)).count()
    }

    pub fn index(&mut self, budget: &mut Budget) -> Result<&LineIndex<'p>, Limit> {
        let index = if let Some(index) = self.index.take() {
            index
        } else {
            // The lines of both sides: those of the new one tell what is applied already.
            let wanted = self.hunks.iter().flat_map(|hunk| directed(hunk, false));
            LineIndex::new(&self.lines, wanted, self.seed, budget)?
        };
        Ok(self.index.insert(index))
    }

    /// The nearest place of the lines to `expected`, a line as [`Self::moved`] counts; of two as near, the later one. A place in a region
    /// counts only where there is no other.
    pub fn nearest(&mut self, wanted: &[HunkLine<'_>], expected: i64, budget: &mut Budget) -> Result<Found, Limit> {
        if let Some(at) = self.beside(wanted, expected, budget)? {
            return Ok(Found::At(at));
        }
        self.index(budget)?;
        let Some(index) = &self.index else { return Ok(Found::Nowhere) };
        let ids = index.ids(wanted)?;
        budget.spend(ids.len() as u64 / 8 + 1)?;
        let rarest = ids.iter().enumerate().min_by_key(|(_, id)| index.places(**id).len());
        let Some((ahead, id)) = rarest else { return Ok(Found::Nowhere) };
        let newline = wanted.last().is_none_or(|line| line.newline);
        let places = index.places(*id);
        let places = places.get(places.partition_point(|place| (*place as usize) < ahead)..).unwrap_or_default();
        let start = |place: &u32| *place as usize - ahead;
        let (before, behind) = places.split_at(places.partition_point(|place| self.moved(start(place)) < expected));
        let (mut before, mut behind) = (before.iter().rev().map(start).peekable(), behind.iter().map(start).peekable());
        let mut overlap = Found::Nowhere;
        loop {
            let next = match (before.peek(), behind.peek()) {
                (Some(left), Some(right)) if expected - self.moved(*left) < self.moved(*right) - expected => {
                    before.next()
                }
                (_, Some(_)) => behind.next(),
                (Some(_), None) => before.next(),
                (None, None) => return Ok(overlap),
            };
            let Some(at) = next else { return Ok(overlap) };
            if index.matches(at, &ids, newline, budget)? {
                match self.standing(at, ids.len()) {
                    Found::Overlap(hunk) => overlap = Found::Overlap(hunk),
                    found => return Ok(found),
                }
            }
        }
    }

    /// The same, one line after the other, as far as all lines are behind the regions: most hunks that have moved are not far away.
    fn beside(&mut self, wanted: &[HunkLine<'_>], expected: i64, budget: &mut Budget) -> Result<Option<usize>, Limit> {
        let Some(expected) = usize::try_from(expected - self.shift()).ok().filter(|_| self.index.is_none()) else {
            return Ok(None);
        };
        // A place before the end of the last region counts otherwise: the index knows.
        let Some(reach) = expected.checked_sub(self.floor()) else { return Ok(None) };
        for distance in 0..=reach {
            for at in [expected + distance, expected - distance] {
                let there = self.has_first(at, wanted);
                if there == wanted.len() {
                    return Ok(Some(at));
                }
                budget.spend(there as u64 + 1)?;
                self.looks = self.looks.saturating_sub(there + 1);
            }
            if self.looks == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// The first places of the lines from `from` on, so many at most.
    pub fn all(
        &mut self,
        wanted: &[HunkLine<'_>],
        from: usize,
        most: usize,
        budget: &mut Budget,
    ) -> Result<Vec<usize>, Limit> {
        let index = self.index(budget)?;
        let ids = index.ids(wanted)?;
        let newline = wanted.last().is_none_or(|line| line.newline);
        let mut found = Vec::new();
        let rarest = ids.iter().enumerate().min_by_key(|(_, id)| index.places(**id).len());
        let Some((ahead, id)) = rarest else { return Ok(found) };
        for place in index.places(*id) {
            let Some(at) = (*place as usize).checked_sub(ahead).filter(|at| *at >= from) else { continue };
            if index.matches(at, &ids, newline, budget)? {
                found.push(at);
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Inputs are far smaller than either type holds.
pub(crate) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
