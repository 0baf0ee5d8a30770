use crate::Input;
use millwright_core::diff::{
    Context, Entry, FileStats, Format, Mode, Options, Pair, Renames, TreeError, pairs, write_patch,
};
use millwright_core::hash::Seed;
use millwright_core::patch::{ApplyOptions, Body, ParseOptions, Patch, TreeFile};
use millwright_core::{Budget, Limit};
use std::collections::BTreeMap;

const MODES: [Mode; 4] = [Mode::File, Mode::Executable, Mode::Symlink, Mode::Gitlink];

/// Names that need quotes, and names that begin as others.
const PATHS: [&[u8]; 10] =
    [b"a", b"b", b"src/a", b"src/ab", b"a b", b"\"q\"\\", b"\xff\n", b"t\tab", b"d\xc3\xa9j\xc3\xa0", b" "];

/// Two trees: each path that differs is in one pair or is half of a rename, the patch makes the second tree of the first and the first of the second, and no
/// seed matters.
///
/// Input: how alike renames are, context, quotes, seeds, budget; a path of any bytes, and the contents of files, each with the knobs of its path, tree and mode.
pub fn diff_trees(input: &[u8]) {
    let mut input = Input::new(input);
    let renames = input
        .flag()
        .then_some(Renames { similarity: input.choice(&[50, 100, 0, 1, 99]), limit: input.choice(&[1000, 1, 0, 2]) });
    let lines = input.choice(&[3, 0, 1]);
    let format = Format {
        context: Context { lines, between_hunks: 0 },
        quote_path: input.flag(),
        id_digits: input.choice(&[usize::MAX, 0, 7]),
    };
    let (seed, other, tight) = (input.seed(), input.seed(), input.tight_budget());
    let own = input.text();
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for bytes in input.rest(12) {
        let path = match input.knob(PATHS.len() as u32) as usize {
            0 if !own.is_empty() && !own.contains(&0) => own,
            nth => PATHS[nth.saturating_sub(1)],
        };
        let mode = input.choice(&MODES);
        let id = (mode == Mode::Gitlink)
            .then_some(&b"\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90"[..]);
        let entry = Entry { path, mode, id, bytes: if mode == Mode::Gitlink { b"" } else { bytes } };
        match input.knob(2) {
            0 => drop(before.insert(path, entry)),
            1 => drop(after.insert(path, entry)),
            _ => {
                before.insert(path, entry);
                after.insert(path, entry);
            }
        }
    }
    let [old, new]: [Vec<Entry>; 2] = [&before, &after].map(|tree| tree.values().rev().copied().collect());
    let found = pairs(&old, &new, renames, seed, &mut Input::ample_budget()).expect("two trees");
    let again = pairs(&old, &new, renames, other, &mut Input::ample_budget()).expect("two trees");
    assert_eq!((&found.pairs, found.degraded), (&again.pairs, again.degraded), "the seed matters");
    for pairs in [&found.pairs, &pairs(&old, &new, renames, seed, &mut tight.clone()).expect("two trees").pairs] {
        complete(pairs, &before, &after, renames);
        for budget in [Input::ample_budget(), tight.clone()] {
            patch(pairs, &before, &after, &format, seed, budget);
        }
    }
    twice(&old);
}

type Tree<'a> = BTreeMap<&'a [u8], Entry<'a>>;

/// With all pairs undone, the trees are equal.
fn complete(pairs: &[Pair], before: &Tree, after: &Tree, renames: Option<Renames>) {
    assert!(pairs.is_sorted_by_key(|pair| pair.entry().path));
    let (mut old, mut new) = (before.clone(), after.clone());
    for pair in pairs {
        for (entry, tree) in [(pair.before(), &mut old), (pair.after(), &mut new)] {
            if let Some(entry) = entry {
                assert_eq!(tree.remove(entry.path), Some(*entry));
            }
        }
        if let Pair::Renamed { before, after, similarity } = pair {
            let least = renames.expect("renames were not asked for").similarity;
            assert!(before.path != after.path && *similarity >= least && *similarity <= 100);
            assert!(*similarity < 100 || before.bytes == after.bytes);
        }
    }
    assert_eq!(old, new);
}

fn patch(pairs: &[Pair], before: &Tree, after: &Tree, format: &Format, seed: Seed, mut budget: Budget) {
    let options = Options { seed, ..Options::default() };
    let mut text = Vec::new();
    let stats = write_patch(pairs, &options, format, &mut budget, &mut text).expect("memory");
    assert_eq!(stats.len(), pairs.len());
    let patch = Patch::parse(&text, &ParseOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&text)));
    assert_eq!(patch.files.len(), pairs.len());
    for ((file, pair), stats) in patch.files.iter().zip(pairs).zip(&stats) {
        assert_eq!(file.old_path.as_deref(), pair.before().map(|entry| entry.path));
        assert_eq!(file.new_path.as_deref(), pair.after().map(|entry| entry.path));
        assert_eq!(stats.binary, file.body == Body::BinaryDiffers);
    }
    // Nobody has what a gitlink leads to, and a binary file is only mentioned.
    let is_there = |tree: &Tree| tree.values().all(|entry| entry.mode != Mode::Gitlink);
    if stats.iter().any(|FileStats { binary, .. }| *binary) || !is_there(before) || !is_there(after) {
        return;
    }
    for (reverse, from, to) in [(false, before, after), (true, after, before)] {
        let files: Vec<_> = from
            .values()
            .map(|entry| TreeFile { path: entry.path, mode: bits(entry.mode), bytes: entry.bytes })
            .collect();
        let options = ApplyOptions { reverse, anchored: format.context.lines > 0, seed, ..ApplyOptions::default() };
        let changes = patch.apply(&files, &options, &mut Input::ample_budget()).expect("an ample budget");
        for result in &changes.files {
            assert_eq!(*result, Ok(()), "reverse: {reverse}\n{}", String::from_utf8_lossy(&text));
        }
        let mut made: BTreeMap<_, _> =
            files.iter().map(|file| (file.path.to_vec(), (file.mode, file.bytes.to_vec()))).collect();
        for path in &changes.deleted {
            made.remove(path);
        }
        made.extend(changes.written.into_iter().map(|file| (file.path, (file.mode, file.bytes))));
        let expected: BTreeMap<_, _> =
            to.values().map(|entry| (entry.path.to_vec(), (bits(entry.mode), entry.bytes.to_vec()))).collect();
        assert_eq!(made, expected, "reverse: {reverse}\n{}", String::from_utf8_lossy(&text));
    }
}

fn bits(mode: Mode) -> u32 {
    u32::from_str_radix(mode.octal(), 8).expect("octal digits")
}

/// A path that comes twice is refused.
fn twice(tree: &[Entry]) {
    let Some(first) = tree.first() else { return };
    let twice = [tree, &[*first]].concat();
    let error = pairs(&twice, tree, None, Seed(0), &mut Budget::new(0)).expect_err("no tree");
    assert!(matches!(error, TreeError::Duplicate { .. }) && error != TreeError::Limit(Limit::Budget { units: 0 }));
}
