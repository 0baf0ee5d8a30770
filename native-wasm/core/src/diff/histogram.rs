use super::region::{Region, Tokens};
use crate::{Budget, Limit};

/// How often a token may occur before a region to count as rare enough to split it.
const MAX_OCCURRENCES: u32 = 64;

/// What a look at a region showed.
#[derive(Debug)]
pub(super) enum Found {
    /// The sides have no token in common.
    Nothing,
    /// The parts between what is equal.
    Split(Vec<Region>),
    /// The sides have only tokens in common that are too frequent to tell what belongs together.
    OnlyFrequent,
    /// The budget was spent before the end.
    OutOfBudget,
}

/// Finds in a region the longest run of equal tokens among those with the rarest token, as the histogram diff of `JGit` does.
///
/// The tables are indexed by token and by position, so a region is entered and left in time linear in its size without any hashing.
#[derive(Debug)]
pub(super) struct Histogram {
    /// For each token the first position in the region of the before side, and how many there are.
    tokens: Vec<Occurrences>,
    /// For each position the next one of the same token.
    next: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Occurrences {
    first: u32,
    count: u32,
}

/// No further position.
const END: u32 = u32::MAX;

#[derive(Debug, Default)]
struct Run {
    before: usize,
    after: usize,
    len: usize,
}

impl Histogram {
    pub(super) fn new(all: &Tokens) -> Result<Self, Limit> {
        let mut tokens = Limit::reserve(all.count)?;
        tokens.resize(all.count, Occurrences::default());
        let mut next = Limit::reserve(all.before.len())?;
        next.resize(all.before.len(), END);
        Ok(Self { tokens, next })
    }

    /// Looks for a split of a region.
    pub(super) fn find(&mut self, tokens: &Tokens, region: &Region, budget: &mut Budget) -> Found {
        if budget.spend(region.len() as u64).is_err() {
            return Found::OutOfBudget;
        }
        for at in region.before.clone().rev() {
            let entry = &mut self.tokens[tokens.before[at] as usize];
            self.next[at] = if entry.count == 0 { END } else { entry.first };
            *entry = Occurrences { first: at as u32, count: entry.count + 1 };
        }
        let found = self.longest_rare(tokens, region, budget);
        for at in region.before.clone() {
            self.tokens[tokens.before[at] as usize].count = 0;
        }
        found
    }

    fn longest_rare(&self, tokens: &Tokens, region: &Region, budget: &mut Budget) -> Found {
        let mut best = Run::default();
        let mut rarest = MAX_OCCURRENCES;
        let mut has_common = false;
        let mut at = region.after.start;
        while at < region.after.end {
            let token = self.tokens[tokens.after[at] as usize];
            has_common |= token.count > 0;
            if token.count == 0 || token.count > rarest {
                at += 1;
                continue;
            }
            let mut behind = at + 1;
            let mut position = token.first;
            while position != END {
                let (run, rarity) = self.extend(tokens, region, position as usize, at);
                if budget.spend(run.len as u64).is_err() {
                    return Found::OutOfBudget;
                }
                behind = behind.max(run.after + run.len);
                let end = (run.before + run.len) as u32;
                if run.len > best.len || rarity < rarest {
                    rarest = rarity.min(rarest);
                    best = run;
                }
                while position < end {
                    position = self.next[position as usize];
                }
            }
            at = behind;
        }
        match (best.len, has_common) {
            (0, false) => Found::Nothing,
            (0, true) => Found::OnlyFrequent,
            _ => Found::Split(around(region, &best)),
        }
    }

    /// The whole run of equal tokens around a pair, and the occurrences of its rarest token.
    fn extend(&self, tokens: &Tokens, region: &Region, before: usize, after: usize) -> (Run, u32) {
        let count_of = |at: usize| self.tokens[tokens.before[at] as usize].count;
        let mut rarity = count_of(before);
        let (mut start, mut after_start) = (before, after);
        while start > region.before.start
            && after_start > region.after.start
            && tokens.before[start - 1] == tokens.after[after_start - 1]
        {
            start -= 1;
            after_start -= 1;
            rarity = rarity.min(count_of(start));
        }
        let (mut end, mut after_end) = (before + 1, after + 1);
        while end < region.before.end && after_end < region.after.end && tokens.before[end] == tokens.after[after_end] {
            rarity = rarity.min(count_of(end));
            end += 1;
            after_end += 1;
        }
        (Run { before: start, after: after_start, len: end - start }, rarity)
    }
}

/// What is left of a region on both sides of a run; the later part first, since the parts go on a stack.
fn around(region: &Region, run: &Run) -> Vec<Region> {
    vec![
        Region { before: run.before + run.len..region.before.end, after: run.after + run.len..region.after.end },
        Region { before: region.before.start..run.before, after: region.after.start..run.after },
    ]
}
