use super::entry::{Entry, Mode, Pair};
use super::error::{Side, TreeError};
use super::renames::{Renames, find_renames};
use crate::hash::Seed;
use crate::sort;
use crate::{Budget, Limit};

/// What has changed between two trees.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    /// By path, as git orders them. A change of type is a deletion, then an addition.
    pub pairs: Vec<Pair<'a>>,
    /// Whether there were too many files, or the budget was too small, to compare all for renames; some may be missing then.
    pub degraded: bool,
}

/// Finds the paths that have changed between two trees, given as lists in any order. Equal ids are taken for equal contents.
///
/// With `renames`, deleted and added files whose contents are alike become one. A unit of the budget is then a line that is compared.
///
/// ```
/// use millwright_core::{Budget, hash::Seed, diff::{Entry, Mode, Pair, Renames, pairs}};
/// let file = |path, bytes| Entry { path, mode: Mode::File, id: None, bytes };
/// let before = [file(b"old", b"text\n"), file(b"same", b"")];
/// let after = [file(b"new", b"text\n"), file(b"same", b"")];
/// let found = pairs(&before, &after, Some(Renames::default()), Seed(1), &mut Budget::default())?;
/// assert_eq!(found.pairs, [Pair::Renamed { before: before[0], after: after[0], similarity: 100 }]);
/// # Ok::<(), millwright_core::diff::TreeError>(())
/// ```
///
/// # Errors
/// [`TreeError`] when a list cannot be that of a tree, or when there is no memory.
pub fn pairs<'a>(
    before: &[Entry<'a>],
    after: &[Entry<'a>],
    renames: Option<Renames>,
    seed: Seed,
    budget: &mut Budget,
) -> Result<Pairs<'a>, TreeError> {
    let (before, after) = (sorted(before, Side::Before)?, sorted(after, Side::After)?);
    let mut pairs = Vec::new();
    let (mut deleted, mut added) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (before.into_iter().peekable(), after.into_iter().peekable());
    loop {
        match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(old), Some(new)) if old.path == new.path => {
                if !old.mode.has_type_of(new.mode) {
                    pairs.extend([Pair::Deleted(*old), Pair::Added(*new)]);
                } else if old.mode != new.mode || !old.has_content_of(new) {
                    pairs.push(Pair::Modified { before: *old, after: *new });
                }
                olds.next();
                news.next();
            }
            (Some(old), new) if new.is_none_or(|new| old.path < new.path) => deleted.extend(olds.next()),
            _ => added.extend(news.next()),
        }
    }
    let mut degraded = false;
    if let Some(renames) = renames {
        let found = find_renames(&mut deleted, &mut added, renames, seed, budget)?;
        pairs.extend(found.pairs);
        degraded = found.degraded;
    }
    pairs.extend(deleted.into_iter().map(Pair::Deleted));
    pairs.extend(added.into_iter().map(Pair::Added));
    // Stable: the deletion of a change of type stays before its addition.
    sort::by_key(&mut pairs, |pair| pair.entry().path);
    Ok(Pairs { pairs, degraded })
}

/// The entries by path.
fn sorted<'a>(entries: &[Entry<'a>], side: Side) -> Result<Vec<Entry<'a>>, TreeError> {
    let mut order: Vec<usize> = Limit::reserve(entries.len())?;
    order.extend(0..entries.len());
    sort::by_key(&mut order, |at| entries[*at].path);
    if let Some(pair) = order.windows(2).find(|pair| entries[pair[0]].path == entries[pair[1]].path) {
        return Err(TreeError::Duplicate { side, entry: pair[1] });
    }
    for (entry, Entry { path, mode, id, bytes }) in entries.iter().enumerate() {
        Limit::check_size(bytes)?;
        if path.is_empty() || path.contains(&0) {
            return Err(TreeError::Path { side, entry });
        }
        if *mode == Mode::Gitlink && id.is_none() {
            return Err(TreeError::GitlinkId { side, entry });
        }
    }
    Ok(order.into_iter().map(|at| entries[at]).collect())
}
