use super::region::{Region, Tokens};
use crate::{Budget, Limit};
use core::ops::Range;

/// The least number of edits on a path after which the search takes the best split so far instead of the shortest path.
const MIN_EDITS: usize = 256;

/// Myers' greedy search in linear space ("An O(ND) Difference Algorithm and Its Variations", 1986) on an explicit stack, with a bound on the
/// edits that one search looks for.
#[derive(Debug, Default)]
pub(super) struct Myers {
    /// For each diagonal how far a path comes on the before side: from the start, and from the end.
    forward: Vec<u32>,
    backward: Vec<u32>,
}

/// The tokens of a region that occur on both sides of it, and where each was.
struct Common {
    tokens: Vec<u32>,
    positions: Vec<u32>,
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
        let old = common(tokens.before, region.before.clone(), tokens.after, region.after.clone())?;
        let new = common(tokens.after, region.after.clone(), tokens.before, region.before.clone())?;
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
            paths.resize(size, 0);
        }
        let max_edits = MIN_EDITS.max(size.isqrt());
        let mut in_time = true;
        let mut stack = vec![Region { before: 0..tokens.before.len(), after: 0..tokens.after.len() }];
        while let Some(region) = stack.pop() {
            let region = region.trim(&tokens);
            let split = if !in_time || region.before.is_empty() || region.after.is_empty() {
                None
            } else {
                let split = self.split(&tokens, &region, max_edits, budget);
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
        tokens: &Tokens,
        region: &Region,
        max_edits: usize,
        budget: &mut Budget,
    ) -> Option<(usize, usize)> {
        // A part without progress cannot be, and would be a hang.
        self.meeting(tokens, region, max_edits, budget).filter(|(x, y)| {
            let (x, y) = (x - region.before.start, y - region.after.start);
            0 < x + y && x + y < region.len()
        })
    }

    fn meeting(
        &mut self,
        tokens: &Tokens,
        region: &Region,
        max_edits: usize,
        budget: &mut Budget,
    ) -> Option<(usize, usize)> {
        let (old, new) = (&tokens.before[region.before.clone()], &tokens.after[region.after.clone()]);
        let (n, m) = (old.len(), new.len());
        let at = |x: usize, y: usize| (region.before.start + x, region.after.start + y);
        let mut forward = Frontier::new(&mut self.forward, n, m);
        let mut backward = Frontier::new(&mut self.backward, n, m);
        for edits in 0..=max_edits {
            // From the end, all runs the other way round: a place that is x away from the end lies on diagonal (n - m) - k.
            let met = forward.advance(edits, &backward, (n + m) % 2 == 1, |x, y| old[x] == new[y], budget)?;
            if let Some((x, y)) = met {
                return Some(at(x, y));
            }
            let same = |x: usize, y: usize| old[n - 1 - x] == new[m - 1 - y];
            let met = backward.advance(edits, &forward, (n + m) % 2 == 0, same, budget)?;
            if let Some((x, y)) = met {
                return Some(at(n - x, m - y));
            }
        }
        let (x, y) = forward.farthest(max_edits);
        let (back_x, back_y) = backward.farthest(max_edits);
        Some(if x + y >= back_x + back_y { at(x, y) } else { at(n - back_x, m - back_y) })
    }
}

/// The ends of the farthest paths with so many edits from one corner, by diagonal.
struct Frontier<'a> {
    /// Index: diagonal x - y, plus m + 1.
    paths: &'a mut [u32],
    n: usize,
    m: usize,
}

impl<'a> Frontier<'a> {
    fn new(paths: &'a mut [u32], n: usize, m: usize) -> Self {
        // The first path comes from above the corner.
        paths[m + 2] = 0;
        Self { paths, n, m }
    }

    /// Indexes of the diagonals that paths with so many edits can end on and that cross the region.
    fn diagonals(&self, edits: usize) -> core::iter::StepBy<core::ops::RangeInclusive<usize>> {
        let low = self.m.abs_diff(edits);
        let high = if edits <= self.n { self.m + edits } else { (self.m + 2 * self.n).saturating_sub(edits) };
        (low + 1..=high + 1).step_by(2)
    }

    /// Makes all paths longer by one edit. A place where one meets a path from the other corner, if `meets`; `None` when the budget is spent.
    #[expect(clippy::option_option, reason = "out of budget is not the same as not met")]
    fn advance(
        &mut self,
        edits: usize,
        other: &Self,
        meets: bool,
        same: impl Fn(usize, usize) -> bool,
        budget: &mut Budget,
    ) -> Option<Option<(usize, usize)>> {
        let (n, m) = (self.n, self.m);
        for index in self.diagonals(edits) {
            let (left, right) = (self.paths[index - 1], self.paths[index + 1]);
            let lowest = index + edits == m + 1;
            let highest = index == m + 1 + edits;
            let start = if lowest || (!highest && left < right) { right as usize } else { left as usize + 1 };
            let mut x = start;
            let mut y = x + m + 1 - index;
            while x < n && y < m && same(x, y) {
                x += 1;
                y += 1;
            }
            budget.spend((x - start) as u64 + 1).ok()?;
            self.paths[index] = x as u32;
            // The same diagonal as the other side counts it.
            let mirrored = n + m + 2 - index;
            let reached = if meets { other.reached(mirrored, edits) } else { None };
            if reached.is_some_and(|other_x| x + other_x >= n) && x <= n && y <= m {
                return Some(Some((x, y)));
            }
        }
        Some(None)
    }

    /// How far the path on a diagonal came, if there is one: the other side is one edit behind when the sum of the lengths is odd.
    fn reached(&self, index: usize, edits: usize) -> Option<usize> {
        let edits = if (self.n + self.m) % 2 == 1 { edits.checked_sub(1)? } else { edits };
        let diagonal = index.abs_diff(self.m + 1);
        (diagonal <= edits).then(|| self.paths[index] as usize)
    }

    /// The end of the path that came farthest, inside of the region.
    fn farthest(&self, edits: usize) -> (usize, usize) {
        self.diagonals(edits)
            .map(|index| (self.paths[index] as usize, index))
            .map(|(x, index)| (x, x + self.m + 1 - index))
            .filter(|(x, y)| *x <= self.n && *y <= self.m)
            .max_by_key(|(x, y)| x + y)
            .unwrap_or((self.n, 0))
    }
}

fn common(side: &[u32], range: Range<usize>, other: &[u32], others: Range<usize>) -> Result<Common, Limit> {
    let mut known = Limit::reserve(others.len())?;
    known.extend_from_slice(&other[others]);
    known.sort_unstable();
    known.dedup();
    let mut tokens = Limit::reserve(range.len())?;
    let mut positions = Limit::reserve(range.len())?;
    for at in range {
        if known.binary_search(&side[at]).is_ok() {
            tokens.push(side[at]);
            positions.push(at as u32);
        }
    }
    Ok(Common { tokens, positions })
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
        let in_time =
            Myers::default().mark(&tokens, &region, &mut before, &mut after, &mut Budget::new(budget)).unwrap();
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
