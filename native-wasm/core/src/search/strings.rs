//! Small sets of strings of byte classes.

use crate::sort;

/// Strings of byte classes, sorted, each once.
pub type Strings = Vec<Vec<u8>>;

/// More strings are not known one by one.
const MAX_STRINGS: usize = 64;
/// Longer strings in all are not known one by one, when there is more than one.
const MAX_STRING_BYTES: usize = 4096;
/// How much is known of the beginnings and ends of matches.
const MAX_EDGE: usize = 8;

/// Sorts them, and drops what is there twice.
pub fn sorted(mut strings: Strings) -> Strings {
    sort::unstable(&mut strings);
    strings.dedup();
    strings
}

/// Whether they are few enough to be known one by one.
pub fn are_few(strings: &Strings) -> bool {
    strings.len() <= 1
        || strings.len() <= MAX_STRINGS && strings.iter().map(Vec::len).sum::<usize>() <= MAX_STRING_BYTES
}

/// Each of the left followed by each of the right, unless those are too many.
pub fn product(left: &Strings, right: &Strings) -> Option<Strings> {
    if left.len() * right.len() > MAX_STRINGS {
        return None;
    }
    let strings = left.iter().flat_map(|left| right.iter().map(|right| [&left[..], right].concat()));
    Some(sorted(strings.collect())).filter(are_few)
}

/// The edges of strings, as long as they are not too many.
pub fn trimmed(strings: &[Vec<u8>], edge: fn(&[u8], usize) -> &[u8]) -> Strings {
    let mut len = MAX_EDGE;
    loop {
        let edges = sorted(strings.iter().map(|string| edge(string, len).to_vec()).collect());
        if are_few(&edges) {
            return edges;
        }
        len /= 2;
    }
}

/// The beginning of a string.
pub fn first(string: &[u8], len: usize) -> &[u8] {
    string.get(..len).unwrap_or(string)
}

/// The end of a string.
pub fn last(string: &[u8], len: usize) -> &[u8] {
    string.get(string.len().saturating_sub(len)..).unwrap_or(string)
}
