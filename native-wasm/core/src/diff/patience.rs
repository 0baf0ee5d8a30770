use super::histogram::Found;
use super::region::{Region, Tokens};
use crate::{Budget, Limit};

/// A token that is unique on both sides.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    before: u32,
    after: u32,
    /// The anchor before it in the longest chain that ends here, plus one.
    previous: u32,
}

/// Splits regions at once at all tokens that are unique on both sides and in the same order on both, as many as possible.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// For each token; none between searches.
    uses: Vec<Uses>,
}

/// How often a token is on both sides of a region, and the last place after.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    before: u32,
    after: u32,
    at: u32,
}

impl Patience {
    pub(super) fn split(&mut self, tokens: &Tokens, region: &Region, budget: &mut Budget) -> Result<Found, Limit> {
        // A token is looked at a few times.
        if budget.spend(region.len() as u64 * 4).is_err() {
            return Ok(Found::OutOfBudget);
        }
        if self.uses.is_empty() {
            self.uses = Limit::reserve(tokens.count)?;
            self.uses.resize(tokens.count, Uses::default());
        }
        let (before, after) = (&tokens.before[region.before.clone()], &tokens.after[region.after.clone()]);
        let mut anchors = Limit::reserve(before.len().min(after.len()))?;
        for token in before {
            self.uses[*token as usize].before += 1;
        }
        for (token, at) in after.iter().zip(region.after.start as u32..) {
            let uses = &mut self.uses[*token as usize];
            *uses = Uses { after: uses.after + 1, at, ..*uses };
        }
        let mut has_common = false;
        for (token, at) in before.iter().zip(region.before.start as u32..) {
            let uses = self.uses[*token as usize];
            has_common |= uses.after > 0;
            if (uses.before, uses.after) == (1, 1) {
                anchors.push(Anchor { before: at, after: uses.at, previous: 0 });
            }
        }
        for token in before.iter().chain(after) {
            self.uses[*token as usize] = Uses::default();
        }
        if anchors.is_empty() {
            return Ok(if has_common { Found::OnlyFrequent } else { Found::Nothing });
        }
        let chain = longest_chain(&mut anchors)?;
        Ok(Found::Split(between(tokens, region, &anchors, chain)?))
    }
}

/// Indexes of the longest chain of anchors that ascends on both sides, the last first. They come sorted by their place before.
fn longest_chain(anchors: &mut [Anchor]) -> Result<Vec<usize>, Limit> {
    // For each length the anchor that ends a chain of it earliest in the after side.
    let mut ends: Vec<u32> = Limit::reserve(anchors.len())?;
    for at in 0..anchors.len() {
        let after = anchors[at].after;
        let len = ends.partition_point(|end| anchors[*end as usize].after < after);
        anchors[at].previous = if len == 0 { 0 } else { ends[len - 1] + 1 };
        match ends.get_mut(len) {
            Some(end) => *end = at as u32,
            None => ends.push(at as u32),
        }
    }
    let mut chain = Limit::reserve(ends.len())?;
    let mut at = ends.last().map_or(0, |end| end + 1);
    while at != 0 {
        chain.push(at as usize - 1);
        at = anchors[at as usize - 1].previous;
    }
    Ok(chain)
}

/// The parts of a region between anchors, without what is equal at their ends; the last part first.
fn between(tokens: &Tokens, region: &Region, anchors: &[Anchor], chain: Vec<usize>) -> Result<Vec<Region>, Limit> {
    let mut parts = Limit::reserve(chain.len() + 1)?;
    let (mut before_end, mut after_end) = (region.before.end, region.after.end);
    for anchor in chain.into_iter().map(|at| anchors[at]) {
        let part =
            Region { before: anchor.before as usize + 1..before_end, after: anchor.after as usize + 1..after_end };
        parts.push(part.trim(tokens));
        (before_end, after_end) = (anchor.before as usize, anchor.after as usize);
    }
    parts.push(Region { before: region.before.start..before_end, after: region.after.start..after_end }.trim(tokens));
    parts.retain(|part| part.len() > 0);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(before: &[u32], after: &[u32]) -> Option<Vec<Region>> {
        let region = Region { before: 0..before.len(), after: 0..after.len() };
        let tokens = Tokens { before, after, count: 100 };
        match Patience::default().split(&tokens, &region, &mut Budget::new(1000)).unwrap() {
            Found::Split(parts) => Some(parts),
            _ => None,
        }
    }

    #[test]
    fn splits_at_all_tokens_that_are_unique_and_in_order() {
        // 9 and 8 are in another order, 5 is not unique; 1, 2, 3 stay.
        let found = parts(&[9, 1, 5, 5, 2, 7, 3, 8], &[1, 6, 5, 8, 2, 3, 9]).unwrap();
        let region = |before, after| Region { before, after };
        assert_eq!(
            found,
            [region(7..8, 6..7), region(5..6, 5..5), region(2..4, 1..4), region(0..1, 0..0)].map(|part| part
                .trim(&Tokens { before: &[9, 1, 5, 5, 2, 7, 3, 8], after: &[1, 6, 5, 8, 2, 3, 9], count: 100 }))
        );
    }

    #[test]
    fn without_unique_tokens_there_is_no_split() {
        assert_eq!(parts(&[1, 1, 2], &[1, 3]), None);
        assert_eq!(parts(&[1], &[2]), None);
    }
}
