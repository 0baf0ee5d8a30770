//! Sorting with code that all lists share. A sort of the standard library is 7 KB of WebAssembly for each type and each order, and sixty of them were a third of all.
//! These take longer: for what is short, or rare. Where a sort takes time, the standard library has the right one.

use core::cmp::Ordering;

/// Sorts, equal items in any order. Needs no memory.
pub fn unstable<T: Ord>(items: &mut [T]) {
    unstable_by(items, T::cmp);
}

/// Sorts by a key, items with equal ones in any order. Needs no memory.
pub fn unstable_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    unstable_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison, equal items in any order. Needs no memory.
pub fn unstable_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let len = items.len();
    heap_sort(len, &mut |step| match step {
        Step::Compare(a, b) => compare(&items[a], &items[b]),
        Step::Swap(a, b) => {
            items.swap(a, b);
            Ordering::Equal
        }
    });
}

/// Sorts by a key, items with equal ones as they were. Takes memory for a number for each.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison, equal items as they were. Takes memory for a number for each.
pub fn by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    // For each place, where its item comes from.
    let mut sources: Vec<u32> = (0..items.len() as u32).collect();
    numbers(&mut sources, &mut |a, b| compare(&items[a as usize], &items[b as usize]).then(a.cmp(&b)));
    for start in 0..items.len() {
        // Each cycle of the permutation is followed once.
        let mut at = start;
        while sources[at] as usize != start {
            let from = core::mem::replace(&mut sources[at], at as u32) as usize;
            items.swap(at, from);
            at = from;
        }
        sources[at] = at as u32;
    }
}

/// Sorts numbers of items by a comparison of these: in place, and fast where they are sorted.
pub fn numbers(order: &mut [u32], compare: &mut dyn FnMut(u32, u32) -> Ordering) {
    order.sort_unstable_by(|a, b| compare(*a, *b));
}

enum Step {
    Compare(usize, usize),
    Swap(usize, usize),
}

fn heap_sort(len: usize, step: &mut dyn FnMut(Step) -> Ordering) {
    for root in (0..len / 2).rev() {
        sift_down(root, len, step);
    }
    for end in (1..len).rev() {
        step(Step::Swap(0, end));
        sift_down(0, end, step);
    }
}

fn sift_down(mut root: usize, len: usize, step: &mut dyn FnMut(Step) -> Ordering) {
    loop {
        let mut child = 2 * root + 1;
        if child >= len {
            return;
        }
        if child + 1 < len && step(Step::Compare(child, child + 1)).is_lt() {
            child += 1;
        }
        if step(Step::Compare(root, child)).is_ge() {
            return;
        }
        step(Step::Swap(root, child));
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items in proptest::collection::vec((0u8..6, any::<u8>()), 0..60)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            let mut sorted = items.clone();
            unstable(&mut sorted);
            prop_assert_eq!(&sorted, &expected);

            expected.clone_from(&items);
            expected.sort_by_key(|item| item.0);
            sorted.clone_from(&items);
            by_key(&mut sorted, |item| item.0);
            prop_assert_eq!(&sorted, &expected);

            sorted.clone_from(&items);
            unstable_by_key(&mut sorted, |item| item.0);
            prop_assert!(sorted.is_sorted_by_key(|item| item.0));
            sorted.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(&sorted, &expected);
        }
    }
}
