use super::region::{Region, Tokens};
use crate::{Budget, Limit};
use core::ops::Range;

/// The least number of edits on a path after which the search takes the best split so far instead of the shortest path.
const MIN_EDITS: usize = 128;

/// Myers' greedy search in linear space ("An O(ND) Difference Algorithm and Its Variations", 1986) on an explicit stack, with a bound on the
/// edits that one search looks for.
#[derive(Debug, Default)]
pub(super) struct Myers {
    /// For each diagonal how far a path comes on the before side, plus one: from the start, and from the end. Between searches no diagonal has
    /// a path.
    forward: Vec<u32>,
    backward: Vec<u32>,
    /// For each token; all false between searches.
    seen: Vec<bool>,
}

/// The tokens of a region that occur on both sides of it, and where each was.
struct Common {
    tokens: Vec<u32>,
    /// The tokens from the last to the first.
    reversed: Vec<u32>,
    positions: Vec<u32>,
}

impl Common {
    /// The tokens of a range as a path from the end comes by them.
    fn backward(&self, range: &Range<usize>) -> &[u32] {
        &self.reversed[self.tokens.len() - range.end..self.tokens.len() - range.start]
    }
}

impl Myers {
    /// Marks what has changed in a region, and says whether the budget lasted.
    pub(super) fn mark(
        &mut self,
        tokens: &Tokens,
        region: &Region,
        before: &mut [u8],
        after: &mut [u8],
        budget: &mut Budget,
    ) -> Result<bool, Limit> {
        // What one side alone has can only have changed, and would only make the search longer.
        if self.seen.is_empty() {
            self.seen = Limit::reserve(tokens.count)?;
            self.seen.resize(tokens.count, false);
        }
        let (one, other) = ((tokens.before, region.before.clone()), (tokens.after, region.after.clone()));
        let old = common(&mut self.seen, one.clone(), other.clone())?;
        let new = common(&mut self.seen, other, one)?;
        region.replace(before, after);
        for position in &old.positions {
            before[*position as usize] = 0;
        }
        for position in &new.positions {
            after[*position as usize] = 0;
        }
        self.search(&old, &new, before, after, budget)
    }

    fn search(
        &mut self,
        old: &Common,
        new: &Common,
        before: &mut [u8],
        after: &mut [u8],
        budget: &mut Budget,
    ) -> Result<bool, Limit> {
        let tokens = Tokens { before: &old.tokens, after: &new.tokens, count: 0 };
        let size = tokens.before.len() + tokens.after.len() + 3;
        for paths in [&mut self.forward, &mut self.backward] {
            paths.clear();
            paths.try_reserve(size).map_err(|_| Limit::Memory { bytes: size as u64 * 4 })?;
            paths.resize(size, NO_PATH);
        }
        let max_edits = MIN_EDITS.max(size.isqrt());
        let mut in_time = true;
        let mut stack = vec![Region { before: 0..tokens.before.len(), after: 0..tokens.after.len() }];
        while let Some(region) = stack.pop() {
            let region = region.trim(&tokens);
            let split = if !in_time || region.before.is_empty() || region.after.is_empty() {
                None
            } else {
                let split = self.split(old, new, &region, max_edits, budget);
                in_time = !budget.is_spent();
                split
            };
            if let Some((x, y)) = split {
                stack.push(Region { before: x..region.before.end, after: y..region.after.end });
                stack.push(Region { before: region.before.start..x, after: region.after.start..y });
            } else {
                old.positions[region.before].iter().for_each(|position| before[*position as usize] = 1);
                new.positions[region.after].iter().for_each(|position| after[*position as usize] = 1);
            }
        }
        Ok(in_time)
    }

    /// A point in which a short path through the region can be cut into two shorter ones; `None` when the budget is spent.
    ///
    /// Both sides have tokens, and their first and last ones differ: the path has two edits at least, so both parts are smaller.
    fn split(
        &mut self,
        old: &Common,
        new: &Common,
        region: &Region,
        max_edits: usize,
        budget: &mut Budget,
    ) -> Option<(usize, usize)> {
        // A part without progress cannot be, and would be a hang.
        self.meeting(old, new, region, max_edits, budget).filter(|(x, y)| {
            let (x, y) = (x - region.before.start, y - region.after.start);
            0 < x + y && x + y < region.len()
        })
    }

    fn meeting(
        &mut self,
        old: &Common,
        new: &Common,
        region: &Region,
        max_edits: usize,
        budget: &mut Budget,
    ) -> Option<(usize, usize)> {
        let Region { before, after } = region;
        let (n, m) = (before.len(), after.len());
        let sides = (&old.tokens[before.clone()], &new.tokens[after.clone()]);
        let mut forward = Frontier::new(&mut self.forward, sides);
        // All runs the other way round: a place that is x away from the end lies on diagonal (n - m) - k.
        let mut backward = Frontier::new(&mut self.backward, (old.backward(before), new.backward(after)));
        let from_end = |(x, y): (usize, usize)| (n - x, m - y);
        let mut edits = 0;
        let met = loop {
            let met = if (n + m) % 2 == 1 {
                let met = forward.advance::<true>(edits, &backward, budget)?;
                if met.is_none() {
                    backward.advance::<false>(edits, &forward, budget)?;
                }
                met
            } else {
                forward.advance::<false>(edits, &backward, budget)?;
                backward.advance::<true>(edits, &forward, budget)?.map(from_end)
            };
            if met.is_some() || edits == max_edits {
                break met;
            }
            edits += 1;
        };
        let (x, y) = met.unwrap_or_else(|| {
            let (ahead, behind) = (forward.farthest(edits), backward.farthest(edits));
            if ahead.0 + ahead.1 >= behind.0 + behind.1 { ahead } else { from_end(behind) }
        });
        forward.clear(edits);
        backward.clear(edits);
        Some((before.start + x, after.start + y))
    }
}

/// Of a diagonal that no path ends on.
const NO_PATH: u32 = 0;

/// The ends of the farthest paths with so many edits from one corner, by diagonal.
struct Frontier<'a> {
    /// Index: diagonal x - y, plus m + 1. Value: x, plus one.
    paths: &'a mut [u32],
    old: &'a [u32],
    new: &'a [u32],
}

impl<'a> Frontier<'a> {
    fn new(paths: &'a mut [u32], (old, new): (&'a [u32], &'a [u32])) -> Self {
        // The first path comes from above the corner.
        paths[new.len() + 2] = 1;
        Self { paths, old, new }
    }

    /// Takes away the paths, after so many edits, so that the next search finds none.
    fn clear(&mut self, edits: usize) {
        let (n, m) = (self.old.len(), self.new.len());
        self.paths[m.saturating_sub(edits) + 1..=m + 2 + n.min(edits)].fill(NO_PATH);
    }

    /// Indexes of the first and the last of the diagonals that paths with so many edits can end on and that cross the region: every other one does.
    fn diagonals(&self, edits: usize) -> (usize, usize) {
        let (n, m) = (self.old.len(), self.new.len());
        let high = if edits <= n { m + edits } else { (m + 2 * n).saturating_sub(edits) };
        (m.abs_diff(edits) + 1, high + 1)
    }

    /// Makes all paths longer by one edit. With `MEETS` a place where one meets a path from the other corner, which is one edit behind or as far;
    /// `None` when the budget is spent.
    #[expect(clippy::option_option, reason = "out of budget is not the same as not met")]
    fn advance<const MEETS: bool>(
        &mut self,
        edits: usize,
        other: &Self,
        budget: &mut Budget,
    ) -> Option<Option<(usize, usize)>> {
        let (n, m) = (self.old.len(), self.new.len());
        let (low, high) = self.diagonals(edits);
        let mut left = self.paths[low - 1];
        let mut looks = 0;
        let mut met = None;
        for index in (low..=high).step_by(2) {
            let right = self.paths[index + 1];
            let start = right.max(left + 1) as usize - 1;
            left = right;
            let mut x = start;
            let mut y = x + m + 1 - index;
            while let (Some(old), Some(new)) = (self.old.get(x), self.new.get(y))
                && old == new
            {
                x += 1;
                y += 1;
            }
            looks += x - start + 1;
            self.paths[index] = x as u32 + 1;
            // The same diagonal as the other side counts it.
            if MEETS && other.paths[n + m + 2 - index] as usize + x > n && x <= n && y <= m {
                met = Some((x, y));
                break;
            }
        }
        budget.spend(looks as u64).ok()?;
        Some(met)
    }

    /// The end of the path that came farthest, inside of the region.
    fn farthest(&self, edits: usize) -> (usize, usize) {
        let (n, m) = (self.old.len(), self.new.len());
        let (low, high) = self.diagonals(edits);
        (low..=high)
            .step_by(2)
            .map(|index| (self.paths[index] as usize - 1, index))
            .map(|(x, index)| (x, x + m + 1 - index))
            .filter(|(x, y)| *x <= n && *y <= m)
            .max_by_key(|(x, y)| x + y)
            .unwrap_or((n, 0))
    }
}

/// The tokens of a side that the other has too. `seen` is for each token, and false before and after.
fn common(
    seen: &mut [bool],
    (side, range): (&[u32], Range<usize>),
    (other, others): (&[u32], Range<usize>),
) -> Result<Common, Limit> {
    let mut tokens = Limit::reserve(range.len())?;
    let mut positions = Limit::reserve(range.len())?;
    other[others.clone()].iter().for_each(|token| seen[*token as usize] = true);
    for at in range {
        if seen[side[at] as usize] {
            tokens.push(side[at]);
            positions.push(at as u32);
        }
    }
    other[others].iter().for_each(|token| seen[*token as usize] = false);
    let mut reversed = Limit::reserve(tokens.len())?;
    reversed.extend(tokens.iter().rev());
    Ok(Common { tokens, reversed, positions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The length of the longest common subsequence, the slow way.
    fn longest_common(a: &[u32], b: &[u32]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (at, y) in b.iter().enumerate() {
                let next = if x == y { diagonal + 1 } else { row[at].max(row[at + 1]) };
                diagonal = row[at + 1];
                row[at + 1] = next;
            }
        }
        row[b.len()]
    }

    fn kept(marks: &[u8], side: &[u32]) -> Vec<u32> {
        marks.iter().zip(side).filter(|(mark, _)| **mark == 0).map(|(_, token)| *token).collect()
    }

    fn run(a: &[u32], b: &[u32], budget: u64) -> (Vec<u32>, bool) {
        let (mut before, mut after) = (vec![0; a.len()], vec![0; b.len()]);
        let region = Region { before: 0..a.len(), after: 0..b.len() };
        let tokens = Tokens { before: a, after: b, count: 10 };
        let mut myers = Myers::default();
        let in_time = myers.mark(&tokens, &region, &mut before, &mut after, &mut Budget::new(budget)).unwrap();
        assert!(!in_time || [myers.forward, myers.backward].concat().iter().all(|path| *path == NO_PATH));
        assert_eq!(kept(&before, a), kept(&after, b));
        (kept(&before, a), in_time)
    }

    proptest! {
        #[test]
        fn path_is_the_shortest(a in proptest::collection::vec(0u32..5, 0..60), b in proptest::collection::vec(0u32..5, 0..60)) {
            let (common, in_time) = run(&a, &b, u64::MAX);
            prop_assert!(in_time);
            prop_assert_eq!(common.len(), longest_common(&a, &b));
        }

        #[test]
        fn a_spent_budget_is_an_answer(a in proptest::collection::vec(0u32..3, 9..60), b in proptest::collection::vec(0u32..3, 9..60), budget in 0u64..300) {
            run(&a, &b, budget);
        }
    }

    #[test]
    fn long_paths_are_cut_short() {
        let a: Vec<u32> = (0..4000u32).map(|at| at.wrapping_mul(0x9e37_79b9) >> 29).collect();
        let b: Vec<u32> = (0..4000u32).map(|at| at.wrapping_mul(0x85eb_ca6b) >> 29).collect();
        let (common, in_time) = run(&a, &b, 4_000_000);
        assert!(in_time);
        assert!(common.len() > 1000, "{}", common.len());
    }
}
