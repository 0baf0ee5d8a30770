use super::histogram::{Found, Histogram};
use super::{myers::Myers, patience::Patience};
use crate::{Budget, Limit};
use core::ops::Range;

/// Two sides as numbers, of which equal ones stand for equal lines or words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    pub(super) before: &'a [u32],
    pub(super) after: &'a [u32],
    /// How many different ones there are: each is below it.
    pub(super) count: usize,
}

/// A part of both sides, in indexes of [`Tokens`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) before: Range<usize>,
    pub(super) after: Range<usize>,
}

impl Region {
    /// Without what is equal at both ends.
    pub(super) fn trim(&self, tokens: &Tokens) -> Self {
        let (before, after) = (&tokens.before[self.before.clone()], &tokens.after[self.after.clone()]);
        let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        let tail = before[head..].iter().rev().zip(after[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        Self {
            before: self.before.start + head..self.before.end - tail,
            after: self.after.start + head..self.after.end - tail,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Marks all of it as changed.
    pub(super) fn replace(&self, before: &mut [u8], after: &mut [u8]) {
        before[self.before.clone()].fill(1);
        after[self.after.clone()].fill(1);
    }
}

/// The least work of the histogram that is not worth thinking about.
const HISTOGRAM_FREE: u64 = 1 << 17;

/// Work of the histogram per token above which it makes no headway: each split is found by a look at the whole region, so a region that is
/// split at its very end each time takes quadratic time.
const HISTOGRAM_PER_TOKEN: u64 = 16;

/// Marks what has changed, and says whether the budget lasted: when it did not, what was left is marked as a whole.
///
/// Histogram first; where that is slow, the tokens that are unique on both sides; where there is no rare one, Myers. A unit of the budget is a
/// token that is looked at.
pub(super) fn mark(tokens: &Tokens, before: &mut [u8], after: &mut [u8], budget: &mut Budget) -> Result<bool, Limit> {
    let whole = Region { before: 0..tokens.before.len(), after: 0..tokens.after.len() }.trim(tokens);
    let mut histogram_left = HISTOGRAM_FREE.max(whole.len() as u64 * HISTOGRAM_PER_TOKEN);
    let mut histogram = Histogram::new(tokens)?;
    let (mut patience, mut myers) = (Patience::default(), Myers::default());
    let mut stack = vec![whole];
    let mut in_time = true;
    while let Some(region) = stack.pop() {
        if !in_time || region.before.is_empty() || region.after.is_empty() {
            region.replace(before, after);
            continue;
        }
        let found = if histogram_left == 0 {
            patience.split(tokens, &region, budget)?
        } else {
            let units = budget.left();
            let found = histogram.find(tokens, &region, budget);
            histogram_left = histogram_left.saturating_sub(units - budget.left());
            found
        };
        match found {
            Found::Nothing => region.replace(before, after),
            Found::Split(parts) => {
                stack.try_reserve(parts.len()).map_err(|_| Limit::Memory { bytes: parts.len() as u64 })?;
                stack.extend(parts);
            }
            Found::OnlyFrequent => in_time = myers.mark(tokens, &region, before, after, budget)?,
            Found::OutOfBudget => {
                in_time = false;
                region.replace(before, after);
            }
        }
    }
    Ok(in_time)
}
