use crate::Input;
use millwright_core::glob::{Case, Globs};
use millwright_core::lex::Language;
use millwright_core::outline::{DefinitionKind, outline};
use millwright_core::search::{
    Hits, Index, Matching, Name, PathFilter, Paths, Query, Rules, SearchError, Statistics, everywhere,
};
use millwright_core::{Budget, Limit};
use std::collections::{BTreeMap, BTreeSet};

/// Paths of different ranks.
const PATHS: [&[u8]; 8] =
    [b"a", b"b.rs", b"src/ab.rs", b"src/ab_test.rs", b"vendor/a.c", b"src/B.rs", b"\xff\n", b"src/aab/e.rs"];

/// More work than a query over the texts of a fuzzer takes, unless the regex is hostile.
const UNITS: u64 = 4_000_000;

/// An index that changes, and queries: an index that was changed is like a fresh one, the hits are those of a scan of all texts, and the definitions
/// those of their outlines.
///
/// Input: whether the query is a regex, any case, words, the limit, budget, and for each change its path and what happens; the pattern, a glob of
/// paths, and the contents of each change.
pub fn search(input: &[u8]) {
    let mut input = Input::new(input);
    let is_regex = !input.flag();
    let matching = Matching { any_case: input.flag(), word: input.flag() };
    let (limit, mut tight) = (input.knob(5), input.tight_budget());
    let (pattern, glob) = (input.text(), input.text());
    let mut changed = Index::new(Rules::default()).expect("memory");
    let files = change(&mut changed, &mut input);
    let fresh = fresh(&files);
    let counted = |index: &Index| Statistics { list_bytes: 0, ..index.statistics() };
    assert_eq!(counted(&changed), counted(&fresh));
    assert_eq!(definitions(&changed, pattern), outlines(&files, pattern));

    let query = if is_regex {
        let Ok(pattern) = str::from_utf8(pattern) else { return };
        Query::regex(pattern, matching)
    } else {
        Query::literal(pattern, matching)
    };
    let query = match query {
        Ok(query) => query,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let SearchError::Syntax { offset, .. } = error {
                assert!(offset as usize <= pattern.len());
            }
            return;
        }
    };
    paths(glob, &changed, &query);
    let Some(all) = run(&changed, &query, u32::MAX, &everywhere) else { return };
    assert!(!all.more);
    assert_eq!(
        Some(hits(&changed, &all)),
        run(&fresh, &query, u32::MAX, &everywhere).map(|found| hits(&fresh, &found)),
        "changes matter"
    );
    let best = run(&changed, &query, limit, &everywhere).expect("less work than without a limit");
    assert_eq!(best.hits, all.hits[..all.hits.len().min(limit as usize)], "the limit matters");
    assert_eq!(best.more, all.hits.len() > limit as usize);
    if let Ok(count) = changed.count(&query, &everywhere, &mut Budget::new(UNITS)) {
        assert_eq!(count.hits, all.hits.len() as u64);
    }
    match changed.search(&query, &everywhere, u32::MAX, &mut tight) {
        Ok(hasty) => assert_eq!(hasty, all, "the budget matters"),
        Err(error) => assert!(matches!(error, SearchError::Limit(Limit::Budget { .. }))),
    }
    let mut found = hits(&changed, &all);
    found.sort();
    if let Some(expected) = naive(&files, pattern, is_regex, matching) {
        assert_eq!(found, expected);
    }
}

fn fresh(files: &Files) -> Index {
    let mut index = Index::new(Rules::default()).expect("memory");
    for (path, contents) in files {
        index.put(path, contents).expect("memory");
    }
    index
}

type Files<'a> = BTreeMap<&'a [u8], &'a [u8]>;

/// Puts, removes and skips.
fn change<'a>(index: &mut Index, input: &mut Input<'a>) -> Files<'a> {
    let mut files = Files::new();
    for contents in input.rest(24) {
        let path = input.choice(&PATHS);
        match input.knob(4) {
            0 => assert_eq!(index.remove(path), files.remove(path).is_some()),
            _ if index.put(path, contents).expect("memory").is_none() => {
                files.insert(path, contents);
            }
            _ => {
                // Skipped files are counted, which the other index would have to do too.
                index.remove(path);
                files.remove(path);
            }
        }
    }
    files
}

/// Where the names are that begin with a prefix.
fn definitions(index: &Index, prefix: &[u8]) -> BTreeSet<(Vec<u8>, u32)> {
    let name = Name { name: prefix, prefix: true, kinds: &[] };
    let found = index.definitions(&name, &everywhere, u32::MAX, &mut Input::ample_budget()).expect("an ample budget");
    assert!(!found.more);
    let place = |doc: u32, start| (index.document(doc).expect("a document").path().to_vec(), start);
    let places: BTreeSet<_> = found.found.iter().map(|found| place(found.doc, found.start)).collect();
    assert_eq!(places.len(), found.found.len(), "one is found twice");
    places
}

fn outlines(files: &Files, prefix: &[u8]) -> BTreeSet<(Vec<u8>, u32)> {
    let mut places = BTreeSet::new();
    for (path, contents) in files {
        let Some(language) = Language::of_path(path) else { continue };
        for definition in outline(language, contents).expect("memory") {
            let name = &contents[definition.name.start as usize..definition.name.end as usize];
            if definition.kind != DefinitionKind::Implementation && name.starts_with(prefix) {
                places.insert((path.to_vec(), definition.name.start));
            }
        }
    }
    places
}

fn run(index: &Index, query: &Query, limit: u32, paths: &dyn PathFilter) -> Option<Hits> {
    match index.search(query, paths, limit, &mut Budget::new(UNITS)) {
        Ok(hits) => Some(hits),
        Err(SearchError::Limit(Limit::Budget { .. })) => None,
        Err(error) => panic!("{error}"),
    }
}

type Hit = (Vec<u8>, usize, usize, u32);

fn hits(index: &Index, found: &Hits) -> Vec<Hit> {
    let hit = |hit: &millwright_core::search::Hit| {
        let document = index.document(hit.doc).expect("a document");
        let context = document.context(hit, 1, 1);
        assert!(context.start <= hit.start && hit.end <= context.end && context.line <= hit.line);
        (document.path().to_vec(), hit.start as usize, hit.end as usize, hit.line)
    };
    found.hits.iter().map(hit).collect()
}

/// A filter lets through the hits in the files that it accepts.
fn paths(glob: &[u8], index: &Index, query: &Query) {
    let Ok(globs) = Globs::compile(&[glob], Case::Sensitive) else { return };
    let only = Paths { only: globs.clone(), ..Paths::default() };
    let not = Paths { not: globs, ..Paths::default() };
    let [Some(all), Some(some), Some(others)] =
        [&everywhere as &dyn PathFilter, &only, &not].map(|paths| run(index, query, u32::MAX, paths))
    else {
        return;
    };
    let (all, mut parts) = (hits(index, &all), hits(index, &some));
    assert!(parts.iter().all(|(path, ..)| only.accepts(path)));
    parts.extend(hits(index, &others));
    parts.sort();
    let mut all = all;
    all.sort();
    assert_eq!(parts, all);
}

/// The hits line by line, where the regex crate takes the pattern as the core does.
fn naive(files: &Files, pattern: &[u8], is_regex: bool, matching: Matching) -> Option<Vec<Hit>> {
    let pattern = if is_regex {
        str::from_utf8(pattern).ok()?.to_owned()
    } else {
        let escaped: String = pattern.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("(?-u:{escaped})")
    };
    let is_ascii = files.values().all(|contents| contents.is_ascii());
    if !is_comparable(&pattern, is_ascii) || files.values().any(|contents| contents.contains(&b'\r')) {
        return None;
    }
    let (before, behind) = if matching.word { (r"(?-u:\b{start-half})", r"(?-u:\b{end-half})") } else { ("", "") };
    let case = if matching.any_case { "(?i)" } else { "" };
    let regex = regex::bytes::RegexBuilder::new(&format!("{case}{before}(?:{pattern}){behind}"))
        .multi_line(true)
        .size_limit(1 << 20)
        .build()
        .ok()?;
    let mut found = Vec::new();
    for (path, contents) in files {
        let mut start = 0;
        for (line, text) in (1..).zip(contents.split(|byte| *byte == b'\n')) {
            for hit in regex.find_iter(text).filter(|hit| !hit.is_empty()) {
                found.push((path.to_vec(), start + hit.start(), start + hit.end(), line));
            }
            start += text.len() + 1;
        }
    }
    found.sort();
    Some(found)
}

/// Whether a pattern means the same for a line on its own in the syntax of the regex crate: it asks for no edges of the text, sets no flags that
/// make lines or the pattern something else, and has no boundaries that ASCII and Unicode see elsewhere.
fn is_comparable(pattern: &str, is_ascii: bool) -> bool {
    let flags = pattern.split("(?").skip(1).map(|rest| rest.split([':', ')', '<']).next().unwrap_or_default());
    let boundaries = [r"\b", r"\B", r"\<", r"\>"];
    ![r"\A", r"\z"].iter().any(|edge| pattern.contains(edge))
        && flags.into_iter().all(|flags| flags.chars().all(|flag| "iUsu-P".contains(flag)))
        && (is_ascii || !boundaries.iter().any(|boundary| pattern.contains(boundary)))
}
