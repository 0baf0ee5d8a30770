//! What two texts have in common at both ends.

/// How many bytes of whole lines two texts share at their begin, and how many at the end of what is left then.
pub(super) fn common_ends(before: &[u8], after: &[u8]) -> (usize, usize) {
    let prefix = common_prefix(before, after);
    if prefix == before.len() && prefix == after.len() {
        return (prefix, 0);
    }
    let prefix = memchr::memrchr(b'\n', &before[..prefix]).map_or(0, |at| at + 1);
    let (before, after) = (&before[prefix..], &after[prefix..]);
    (prefix, whole_lines(before, after, common_suffix(before, after)))
}

/// Shortens a common suffix until it starts with a line on both sides.
fn whole_lines(before: &[u8], after: &[u8], suffix: usize) -> usize {
    let starts_line = |text: &[u8]| suffix == text.len() || text[text.len() - suffix - 1] == b'\n';
    if starts_line(before) && starts_line(after) {
        return suffix;
    }
    let common = &before[before.len() - suffix..];
    memchr::memchr(b'\n', common).map_or(0, |at| suffix - at - 1)
}

/// Bytes that are compared at once.
const BLOCK: usize = 32;

/// Of a comparison of whole arrays WebAssembly makes one byte by byte; of words, the compiler makes vector instructions.
fn is_equal(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> bool {
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    words.fold(0, |differs, (a, b)| differs | u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)) == 0
}

fn common_prefix(before: &[u8], after: &[u8]) -> usize {
    let blocks = before.as_chunks::<BLOCK>().0.iter().zip(after.as_chunks::<BLOCK>().0);
    let equal = BLOCK * blocks.take_while(|(a, b)| is_equal(a, b)).count();
    equal + before[equal..].iter().zip(&after[equal..]).take_while(|(a, b)| a == b).count()
}

fn common_suffix(before: &[u8], after: &[u8]) -> usize {
    let blocks = before.as_rchunks::<BLOCK>().1.iter().rev().zip(after.as_rchunks::<BLOCK>().1.iter().rev());
    let equal = BLOCK * blocks.take_while(|(a, b)| is_equal(a, b)).count();
    let (before, after) = (&before[..before.len() - equal], &after[..after.len() - equal]);
    equal + before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lines;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'b')], 0..12)
    }

    proptest! {
        #[test]
        fn are_the_equal_lines(start in "(aa\n|b\n|[ab]{40}\n){0,4}", before in text(), after in text(), end in "\n?(aa\n|b\n|[ab]{40}\n){0,4}a?") {
            let before = [start.as_bytes(), &before, end.as_bytes()].concat();
            let after = [start.as_bytes(), &after, end.as_bytes()].concat();
            let (prefix, suffix) = common_ends(&before, &after);
            let (old, new) = (Lines::of(&before).unwrap(), Lines::of(&after).unwrap());
            let lines = old.iter().zip(new.iter()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(prefix, old.span(0..lines).len());
            let rest = old.len().min(new.len()) - lines;
            let tail = (0..rest).take_while(|at| old.get(old.len() - 1 - at) == new.get(new.len() - 1 - at)).count();
            prop_assert_eq!(suffix, old.span(old.len() - tail..old.len()).len());
        }
    }

    #[test]
    fn a_line_end_that_is_missing_is_a_difference() {
        assert_eq!(common_ends(b"a\nb", b"a\nb\n"), (2, 0));
        assert_eq!(common_ends(b"b", b"a\nb"), (0, 1));
        assert_eq!(common_ends(b"ab\n", b"b\n"), (0, 0));
        assert_eq!(common_ends(b"a\nb", b"a\nb"), (3, 0));
    }
}
