use super::canonical::Canonical;
use super::difference::Plain;
use super::{Difference, NearMiss, difference};
use crate::hash::{Interner, Seed};
use crate::patch::{push, signed};
use crate::sort;
use crate::{Budget, Limit, Lines};
use core::cmp::Reverse;
use memchr::memmem;

/// Finds places of a file that are like a text.
pub(super) struct Near<'a> {
    lines: Lines<'a>,
    canonical: Canonical,
    seed: Seed,
}

/// Most places that are named.
const NAMED: usize = 3;

/// A text that is looked for.
struct Search<'s> {
    lines: Lines<'s>,
    canonical: Canonical,
}

impl<'a> Near<'a> {
    pub fn new(contents: &'a [u8], seed: Seed, budget: &mut Budget) -> Result<Self, Limit> {
        budget.spend(contents.len() as u64 / 8)?;
        let lines = Lines::of(contents)?;
        let canonical = Canonical::of(&lines)?;
        Ok(Self { lines, canonical, seed })
    }

    /// The places that are most like a text: those that are equal but for white space and characters that look alike, else those with
    /// most of its lines, else lines that begin and end as one of it.
    pub fn of(&self, text: &[u8], budget: &mut Budget) -> Result<Vec<NearMiss>, Limit> {
        budget.spend((self.lines.bytes().len() as u64 + text.len() as u64) / 8)?;
        let lines = Lines::of(text)?;
        let search = Search { canonical: Canonical::of(&lines)?, lines };
        let starts = match self.alike(&search) {
            None => return Ok(Vec::new()),
            Some(starts) if !starts.is_empty() => starts,
            Some(_) => match self.windows(&search)? {
                starts if !starts.is_empty() => starts,
                _ => self.similar_lines(&search)?,
            },
        };
        Ok(starts.into_iter().filter_map(|start| self.miss(&search, start)).collect())
    }

    /// Where the file is equal but for white space and characters that look alike. `None` if there is nothing else in the text.
    fn alike(&self, search: &Search<'_>) -> Option<Vec<i64>> {
        let text = search.canonical.bytes();
        let blank = text.iter().take_while(|byte| **byte == b'\n').count();
        let text = text.get(blank..)?.trim_ascii_end();
        if text.is_empty() {
            return None;
        }
        let found = memmem::find_iter(self.canonical.bytes(), text).take(NAMED);
        Some(found.map(|at| signed(self.canonical.line_at(at)) - signed(blank)).collect())
    }

    /// The windows with most lines of the text, a third of them at least, none within another.
    fn windows(&self, search: &Search<'_>) -> Result<Vec<i64>, Limit> {
        let mut known = Interner::new(search.canonical.len(), self.seed)?;
        // For each different line, how often the text has it, and where first.
        let mut wanted: Vec<(u32, usize)> = Limit::reserve(search.canonical.len())?;
        let mut filled = 0u32;
        for line in 0..search.canonical.len() {
            let text = search.canonical.line(line);
            if text.is_empty() {
                continue;
            }
            filled += 1;
            let number = known.intern(text)? as usize;
            match wanted.get_mut(number) {
                Some((count, _)) => *count += 1,
                None => wanted.push((1, line)),
            }
        }
        let mut ids = Limit::reserve(self.canonical.len())?;
        ids.extend((0..self.canonical.len()).map(|line| known.find(self.canonical.line(line))));
        let mut seen: Vec<u32> = Limit::reserve(wanted.len())?;
        seen.resize(wanted.len(), 0);
        let (mut common, mut end, mut found) = (0u32, 0, Vec::new());
        for (start, first) in ids.iter().enumerate() {
            while end < ids.len().min(start + search.canonical.len()) {
                if let Some((seen, wanted)) = pair(&mut seen, &wanted, ids.get(end).copied().flatten()) {
                    *seen += 1;
                    common += u32::from(*seen <= wanted.0);
                }
                end += 1;
            }
            if let Some((seen, wanted)) = pair(&mut seen, &wanted, *first) {
                if common.saturating_mul(3) >= filled {
                    push(&mut found, (Reverse(common), start, wanted.1))?;
                }
                common -= u32::from(*seen <= wanted.0);
                *seen -= 1;
            }
        }
        sort::unstable(&mut found);
        let mut chosen: Vec<(usize, usize)> = Vec::new();
        for (_, start, line) in found {
            if chosen.iter().all(|(other, _)| other.abs_diff(start) >= search.canonical.len()) {
                chosen.push((start, line));
                if chosen.len() == NAMED {
                    break;
                }
            }
        }
        Ok(chosen.into_iter().map(|(start, line)| signed(start) - signed(line)).collect())
    }

    /// The lines that begin and end most like the longest line of the text, over half of it at least.
    fn similar_lines(&self, search: &Search<'_>) -> Result<Vec<i64>, Limit> {
        let longest =
            (0..search.canonical.len()).max_by_key(|line| (search.canonical.line(*line).len(), Reverse(*line)));
        let Some(longest) = longest else { return Ok(Vec::new()) };
        let wanted = search.canonical.line(longest);
        let mut found = Vec::new();
        for line in 0..self.canonical.len() {
            let text = self.canonical.line(line);
            let same = |(one, other): &(&u8, &u8)| one == other;
            let before = wanted.iter().zip(text).take_while(same).count();
            let most = wanted.len().min(text.len()) - before;
            let behind = wanted.iter().rev().zip(text.iter().rev()).take(most).take_while(same).count();
            if (before + behind) * 2 > wanted.len().max(text.len()) {
                push(&mut found, (Reverse(before + behind), line))?;
            }
        }
        sort::unstable(&mut found);
        Ok(found.into_iter().take(NAMED).map(|(_, line)| signed(line) - signed(longest)).collect())
    }

    /// Says how a place differs where the text would begin with line `start`.
    fn miss(&self, search: &Search<'_>, start: i64) -> Option<NearMiss> {
        let last = search.lines.len().checked_sub(1)?;
        let mut miss: Option<NearMiss> = None;
        let mut same = 0;
        let first = usize::try_from(start).unwrap_or(0);
        let end = usize::try_from(start + signed(last) + 1).unwrap_or(0).min(self.lines.len());
        for (number, line) in (0..=last).zip(start..) {
            let how = self.line_difference(search, number, line);
            same += usize::from(how.is_none_or(|how| how < Difference::FinalNewline));
            let Some(how) = how else { continue };
            let differs_at = usize::try_from(line + 1).unwrap_or(0).max(1);
            let miss = miss.get_or_insert_with(|| NearMiss {
                lines: first + 1..end + 1,
                bytes: self.lines.range(first).start..self.lines.range(end.saturating_sub(1)).end,
                same: 0,
                differs_at,
                search_line: number + 1,
                difference: how,
            });
            miss.difference = both(miss.difference, how);
        }
        miss.map(|miss| NearMiss { same, ..miss })
    }

    fn line_difference(&self, search: &Search<'_>, number: usize, line: i64) -> Option<Difference> {
        let wanted = search.lines.get(number);
        let Some(line) = usize::try_from(line).ok().filter(|line| *line < self.lines.len()) else {
            return Some(Difference::EndOfFile);
        };
        let found = self.lines.get(line);
        let (wanted_text, found_text) = (text(wanted), text(found));
        // The text may begin and end within a line.
        let (first, last) = (number == 0, number + 1 == search.lines.len() && !wanted.ends_with(b"\n"));
        let within = |found: &[u8], wanted: &[u8]| match (first, last) {
            (true, true) => memmem::find(found, wanted).is_some(),
            (true, false) => found.ends_with(wanted),
            (false, true) => found.starts_with(wanted),
            (false, false) => false,
        };
        if within(found_text, wanted_text) {
            return None;
        }
        let Some(how) = difference(wanted_text, found_text) else {
            return (wanted.ends_with(b"\n") && !found.ends_with(b"\n")).then_some(Difference::FinalNewline);
        };
        if how < Difference::SpaceAndLookalike || !(first || last) {
            return Some(how);
        }
        let plain = |text: &[u8]| Plain(text).collect::<Vec<u8>>();
        if within(&plain(found_text), &plain(wanted_text)) {
            return Some(Difference::Lookalike);
        }
        let alike = within(self.canonical.line(line), search.canonical.line(number));
        Some(if alike { Difference::SpaceAndLookalike } else { how })
    }
}

/// What explains two differences.
fn both(one: Difference, other: Difference) -> Difference {
    match (one.min(other), one.max(other)) {
        (low, Difference::Lookalike) if low < Difference::Lookalike => Difference::SpaceAndLookalike,
        (_, high) => high,
    }
}

fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn pair<'s, 'w>(
    seen: &'s mut [u32],
    wanted: &'w [(u32, usize)],
    id: Option<u32>,
) -> Option<(&'s mut u32, &'w (u32, usize))> {
    let id = id? as usize;
    Some((seen.get_mut(id)?, wanted.get(id)?))
}
