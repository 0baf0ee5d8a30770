//! Which old test is which new one.

use super::scope::{Scope, ScopeKind};
use super::sketch::Sketch;
use super::source::Source;
use crate::Budget;
use crate::hash::hash;
use crate::sort;

/// A scope of one of the sources of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) source: usize,
    pub(super) scope: usize,
}

/// What belongs together, and what is left.
pub(super) struct Pairing {
    pub(super) pairs: Vec<(Place, Place)>,
    pub(super) old: Vec<Place>,
    pub(super) new: Vec<Place>,
}

/// A test to be paired.
struct Item {
    place: Place,
    change: usize,
    kind: ScopeKind,
    /// The hash of the names on the way to it.
    path: u64,
    name: u64,
    body: u64,
    is_small: bool,
    taken: bool,
}

/// Below this many thousandths, tests of a file are not alike; those of two files have to be more so.
const ALIKE: u32 = 600;
const ALIKE_ELSEWHERE: u32 = 750;

/// Tests of a file whose names have so much in common may have changed more.
const ALIKE_NAME: u32 = 500;
const ALIKE_WITH_NAME: u32 = 300;

/// A body of fewer tokens is like many others.
const MIN_BODY: usize = 8;

pub(super) fn pair(old_sources: &[Source<'_>], new_sources: &[Source<'_>], budget: &mut Budget) -> Pairing {
    let mut old = items(old_sources);
    let mut new = items(new_sources);
    let mut pairs = Vec::new();
    // From what says most to what says least; moves to other files come behind everything within the file.
    by_key(&mut old, &mut new, &mut pairs, |item| Some((item.change as u64, item.path)));
    by_key(&mut old, &mut new, &mut pairs, |item| {
        (item.kind != ScopeKind::Root).then_some((item.change as u64, item.body))
    });
    by_key(&mut old, &mut new, &mut pairs, |item| {
        (item.kind != ScopeKind::Root).then_some((item.change as u64, item.name))
    });
    by_key(&mut old, &mut new, &mut pairs, |item| (item.kind != ScopeKind::Root).then_some((item.path, item.body)));
    by_key(&mut old, &mut new, &mut pairs, |item| {
        (item.kind == ScopeKind::Test && !item.is_small).then_some((0, item.body))
    });
    by_likeness(old_sources, new_sources, &mut old, &mut new, &mut pairs, budget);
    by_key(&mut old, &mut new, &mut pairs, |item| (item.kind != ScopeKind::Root).then_some((1, item.path)));
    sort::unstable(&mut pairs);
    let left = |items: Vec<Item>| items.into_iter().filter(|item| !item.taken).map(|item| item.place).collect();
    Pairing { pairs, old: left(old), new: left(new) }
}

fn items(sources: &[Source<'_>]) -> Vec<Item> {
    let mut items = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let mut paths: Vec<u64> = Vec::with_capacity(source.scopes.len());
        for (scope_at, scope) in source.scopes.iter().enumerate() {
            let outer = scope.parent.and_then(|parent| paths.get(parent)).copied().unwrap_or(0);
            let path = if scope.name.is_empty() { outer } else { hash(&scope.name, source.seed.within(outer)) };
            paths.push(path);
            if scope.kind == ScopeKind::Suite {
                continue;
            }
            let mark = match scope.kind {
                ScopeKind::Test => 1,
                ScopeKind::Helper => 2,
                _ => 3,
            };
            items.push(Item {
                place: Place { source: at, scope: scope_at },
                change: source.change,
                kind: scope.kind,
                path: path.wrapping_mul(4) ^ mark,
                name: hash(&scope.name, source.seed.within(mark)),
                body: source.shape(&scope.body).wrapping_mul(4) ^ mark,
                is_small: scope.body.len() < MIN_BODY,
                taken: false,
            });
        }
    }
    items
}

/// Pairs those with equal keys, in order.
fn by_key(
    old: &mut [Item],
    new: &mut [Item],
    pairs: &mut Vec<(Place, Place)>,
    key: impl Fn(&Item) -> Option<(u64, u64)>,
) {
    let ordered = |items: &[Item]| {
        let mut keys: Vec<((u64, u64), usize)> = Vec::new();
        keys.extend(
            items.iter().enumerate().filter(|(_, item)| !item.taken).filter_map(|(at, item)| Some((key(item)?, at))),
        );
        sort::unstable(&mut keys);
        keys
    };
    let (old_keys, new_keys) = (ordered(old), ordered(new));
    let (mut i, mut j) = (0, 0);
    while let (Some((a, from)), Some((b, to))) = (old_keys.get(i), new_keys.get(j)) {
        if a == b {
            take(&mut old[*from], &mut new[*to], pairs);
        }
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
}

fn take(old: &mut Item, new: &mut Item, pairs: &mut Vec<(Place, Place)>) {
    old.taken = true;
    new.taken = true;
    pairs.push((old.place, new.place));
}

fn by_likeness(
    old_sources: &[Source<'_>],
    new_sources: &[Source<'_>],
    old: &mut [Item],
    new: &mut [Item],
    pairs: &mut Vec<(Place, Place)>,
    budget: &mut Budget,
) {
    let mut sketches = |sources: &[Source<'_>], items: &[Item]| -> Vec<(usize, Sketch, Sketch)> {
        let left = items.iter().enumerate().filter(|(_, item)| !item.taken && item.kind == ScopeKind::Test);
        left.filter_map(|(at, item)| {
            let source = sources.get(item.place.source)?;
            let body = &scope_of(source, item.place)?.body;
            budget.spend(body.len().min(4096) as u64 * 4).ok()?;
            Some((at, Sketch::of(source, body), Sketch::of_name(&scope_of(source, item.place)?.name, source.seed)))
        })
        .collect()
    };
    let old_left = sketches(old_sources, old);
    let new_left = sketches(new_sources, new);
    let mut alike: Vec<(core::cmp::Reverse<u32>, usize, usize)> = Vec::new();
    for (i, a, old_name) in &old_left {
        // A unit is about one comparison of a hash.
        if budget.spend(new_left.len() as u64 * 64).is_err() {
            break;
        }
        for (j, b, new_name) in &new_left {
            let likeness = a.likeness(b);
            let is_near = old[*i].change == new[*j].change;
            let least =
                match (is_near, is_near && likeness >= ALIKE_WITH_NAME && old_name.likeness(new_name) >= ALIKE_NAME) {
                    (_, true) => ALIKE_WITH_NAME,
                    (true, false) => ALIKE,
                    (false, false) => ALIKE_ELSEWHERE,
                };
            if likeness >= least {
                alike.push((core::cmp::Reverse(likeness), *i, *j));
            }
        }
    }
    sort::unstable(&mut alike);
    for (_, i, j) in alike {
        if !old[i].taken && !new[j].taken {
            take(&mut old[i], &mut new[j], pairs);
        }
    }
}

pub(super) fn scope_of<'s>(source: &'s Source<'_>, place: Place) -> Option<&'s Scope> {
    source.scopes.get(place.scope)
}
