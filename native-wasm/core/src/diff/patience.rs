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

/// Splits a region at once at all tokens that are unique on both sides and in the same order on both, as many as possible.
pub(super) fn split(tokens: &Tokens, region: &Region, budget: &mut Budget) -> Result<Found, Limit> {
    // A token is looked at a few times, and sorting takes its logarithm.
    if budget.spend(region.len() as u64 * 8).is_err() {
        return Ok(Found::OutOfBudget);
    }
    let before = sorted(tokens.before, region.before.clone())?;
    let after = sorted(tokens.after, region.after.clone())?;
    let mut anchors = Limit::reserve(before.len().min(after.len()))?;
    let mut has_common = false;
    let (mut i, mut j) = (0, 0);
    while let (Some((a, at)), Some((b, other))) = (before.get(i), after.get(j)) {
        if a == b {
            has_common = true;
            if is_unique(&before, i) && is_unique(&after, j) {
                anchors.push(Anchor { before: *at, after: *other, previous: 0 });
            }
        }
        let order = a.cmp(b);
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    if anchors.is_empty() {
        return Ok(if has_common { Found::OnlyFrequent } else { Found::Nothing });
    }
    anchors.sort_unstable_by_key(|anchor| anchor.before);
    let chain = longest_chain(&mut anchors)?;
    Ok(Found::Split(between(tokens, region, &anchors, chain)?))
}

/// The tokens of a range with their positions, by token.
fn sorted(tokens: &[u32], range: core::ops::Range<usize>) -> Result<Vec<(u32, u32)>, Limit> {
    let mut items = Limit::reserve(range.len())?;
    items.extend(range.map(|at| (tokens[at], at as u32)));
    items.sort_unstable();
    Ok(items)
}

/// Whether no neighbour has the same token.
fn is_unique(items: &[(u32, u32)], at: usize) -> bool {
    let token = items[at].0;
    (at == 0 || items[at - 1].0 != token) && items.get(at + 1).is_none_or(|(next, _)| *next != token)
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
        match split(&tokens, &region, &mut Budget::new(1000)).unwrap() {
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
