//! Searches against a naive scan of the whole contents by the regex crate, and changed indexes against fresh ones.

use super::*;
use crate::Budget;
use crate::lex::Language;
use crate::outline::{DefinitionKind, outline};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const PATHS: [&str; 8] = ["a", "b.rs", "src/ab.rs", "src/ab_test.rs", "vendor/a.c", "src/B.rs", "c.rs", "src/aab/e.rs"];

fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ab]{1,4}".prop_map(String::into_bytes),
        4 => "[abAB_ 1.]{1,4}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["\nfn ab() {}", "\nimpl ab {}", "; fn a() {}", "\nmod B {", "}"]).prop_map(Into::into),
        2 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just("é\u{212a}".as_bytes().to_vec()),
        1 => Just(b"\xff".to_vec()),
        1 => Just(b"k\r".to_vec()),
    ];
    proptest::collection::vec(piece, 0..max).prop_map(|pieces| pieces.concat())
}

fn corpus() -> impl Strategy<Value = BTreeMap<&'static str, Vec<u8>>> {
    proptest::collection::btree_map(prop::sample::select(&PATHS[..]), text(60), 0..6)
}

/// A regex, and the same for the regex crate, which must be told not to match line ends.
fn regex() -> impl Strategy<Value = (String, String)> {
    let same = |pattern: &str| (pattern.to_owned(), pattern.to_owned());
    let leaf = prop_oneof![
        5 => "[ab]{1,4}".prop_map(|literal| (literal.clone(), literal)),
        2 => "[abABk1_]{1,5}".prop_map(|literal| (literal.clone(), literal)),
        1 => prop::sample::select(vec![r"\.", ".", "[ab]", r"\d", r"\w", "é", "^", "$", "[a-f0-9]", "(?i:k)", r"(?-u:\xff)"]).prop_map(same),
        1 => prop::sample::select(vec![("[^a]", r"[^a\n]"), (r"\s", r"[\s--\n]"), (r"\b", r"(?-u:\b)"), (r"\B", r"(?-u:\B)"), ("(?-u:[^a])", r"(?-u:[^a\n])"), ("(?s:.)", r"[^\n]")])
            .prop_map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())),
    ];
    let part = leaf.prop_recursive(3, 10, 3, |part| {
        let joined = |by: &'static str| {
            move |parts: Vec<(String, String)>| {
                let (ours, theirs): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                (format!("(?:{})", ours.join(by)), format!("(?:{})", theirs.join(by)))
            }
        };
        let repeats = vec!["*", "+", "?", "{2}", "{1,3}", "{4,}", "{0}", "*?", "+?", "{0,2}"];
        prop_oneof![
            2 => proptest::collection::vec(part.clone(), 2..4).prop_map(joined("")),
            1 => proptest::collection::vec(part.clone(), 2..4).prop_map(joined("|")),
            4 => (part, prop::sample::select(repeats)).prop_map(|((ours, theirs), times)| (format!("({ours}){times}"), format!("({theirs}){times}"))),
        ]
    });
    proptest::collection::vec(part, 1..4).prop_map(|parts| {
        let (ours, theirs): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (ours.concat(), theirs.concat())
    })
}

fn index(corpus: &BTreeMap<&str, Vec<u8>>, block_bytes: usize) -> Index {
    let mut index = Index::with_blocks(Rules::default(), block_bytes).unwrap();
    for (path, contents) in corpus {
        index.put(path.as_bytes(), contents).unwrap();
    }
    index
}

/// Where the names of definitions are, without those of implementations.
fn names(path: &str, contents: &[u8]) -> Vec<(usize, usize)> {
    let Some(language) = Language::of_path(path.as_bytes()) else { return Vec::new() };
    let found = outline(language, contents).unwrap();
    let real = found.iter().filter(|found| found.kind != DefinitionKind::Implementation);
    real.map(|found| (found.name.start as usize, found.name.end as usize)).collect()
}

/// Path, line, start and end of all hits in the order of the documentation.
fn naive(corpus: &BTreeMap<&str, Vec<u8>>, pattern: &str) -> Vec<(String, u32, usize, usize)> {
    let regex = ::regex::bytes::Regex::new(pattern).unwrap();
    let finds =
        |text: &[u8]| regex.find_iter(text).map(|hit| hit.range()).filter(|hit| !hit.is_empty()).collect::<Vec<_>>();
    let mut hits = Vec::new();
    for (path, contents) in corpus {
        let names = names(path, contents);
        for hit in finds(contents) {
            let is_definition = names.contains(&(hit.start, hit.end));
            let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            let before = hit.start.checked_sub(1).and_then(|at| contents.get(at));
            let class = if is_definition { 0 } else { 1 + u8::from(is_word(before) || is_word(contents.get(hit.end))) };
            let is_other = ["src/ab_test.rs", "vendor/a.c"].contains(path);
            let key = (class, finds(path.as_bytes()).is_empty(), is_other, path.len(), *path, hit.start);
            let line = contents[..hit.start].split(|byte| *byte == b'\n').count() as u32;
            hits.push((key, ((*path).to_owned(), line, hit.start, hit.end)));
        }
    }
    hits.sort();
    hits.into_iter().map(|(_, hit)| hit).collect()
}

fn found(index: &Index, query: &Query, limit: u32) -> (Vec<(String, u32, usize, usize)>, bool) {
    let hits = index.search(query, &everywhere, limit, &mut Budget::default()).unwrap();
    let path = |hit: &Hit| String::from_utf8(index.document(hit.doc).unwrap().path().to_vec()).unwrap();
    (hits.hits.iter().map(|hit| (path(hit), hit.line, hit.start as usize, hit.end as usize)).collect(), hits.more)
}

fn check(
    corpus: &BTreeMap<&str, Vec<u8>>,
    index: &Index,
    query: &Query,
    theirs: &str,
    limit: usize,
) -> Result<(), TestCaseError> {
    let expected = naive(corpus, theirs);
    prop_assert_eq!(&found(index, query, u32::MAX), &(expected.clone(), false));
    let best: Vec<_> = expected.iter().take(limit).cloned().collect();
    prop_assert_eq!(found(index, query, limit as u32), (best, expected.len() > limit));
    let paths: BTreeSet<&String> = expected.iter().map(|(path, ..)| path).collect();
    let count = Count { hits: expected.len() as u64, documents: paths.len() as u32 };
    prop_assert_eq!(index.count(query, &everywhere, &mut Budget::default()).unwrap(), count);
    Ok(())
}

fn matching() -> impl Strategy<Value = Matching> {
    (any::<bool>(), any::<bool>()).prop_map(|(any_case, word)| Matching { any_case, word })
}

fn theirs(pattern: &str, matching: Matching) -> String {
    let case = if matching.any_case { "(?i)" } else { "" };
    let pattern = if matching.word {
        format!(r"(?-u:\b{{start-half}})(?:{pattern})(?-u:\b{{end-half}})")
    } else {
        pattern.to_owned()
    };
    format!("(?mR){case}{pattern}")
}

proptest! {
    #[test]
    fn regexes_find_what_a_scan_finds(corpus in corpus(), (ours, same) in regex(), matching in matching(), limit in 0_usize..5, block in 1_usize..100) {
        let query = Query::regex(&ours, matching).unwrap();
        check(&corpus, &index(&corpus, block), &query, &theirs(&same, matching), limit)?;
    }

    #[test]
    fn literals_find_what_a_scan_finds(corpus in corpus(), literal in prop_oneof![3 => text(2), 1 => Just(b"a a".to_vec()), 2 => Just(b"ab".to_vec())], matching in matching(), limit in 0_usize..5, block in 1_usize..100) {
        let literal: Vec<u8> = literal.into_iter().filter(|byte| *byte != b'\n').collect();
        prop_assume!(!literal.is_empty());
        let query = Query::literal(&literal, matching).unwrap();
        let escaped = literal.iter().map(|byte| format!(r"\x{byte:02x}")).collect::<Vec<_>>().concat();
        let same = theirs(&format!("(?-u:{escaped})"), matching);
        check(&corpus, &index(&corpus, block), &query, &same, limit)?;
    }

    #[test]
    fn a_changed_index_is_like_a_fresh_one(changes in proptest::collection::vec((prop::sample::select(&PATHS[..]), prop::option::of(text(12))), 0..80), (ours, same) in regex()) {
        let mut changed = Index::with_blocks(Rules::default(), 8).unwrap();
        let mut corpus = BTreeMap::new();
        for (path, contents) in changes {
            match contents {
                None => prop_assert_eq!(changed.remove(path.as_bytes()), corpus.remove(path).is_some()),
                Some(contents) => {
                    prop_assert_eq!(changed.put(path.as_bytes(), &contents).unwrap(), None);
                    corpus.insert(path, contents);
                }
            }
        }
        let fresh = index(&corpus, 8);
        let (mut ours_now, mut fresh_now) = (changed.statistics(), fresh.statistics());
        (ours_now.list_bytes, fresh_now.list_bytes) = (0, 0);
        prop_assert_eq!(ours_now, fresh_now);
        for prefix in [false, true] {
            let name = Name { name: b"ab", prefix, kinds: &[] };
            let found = |index: &Index| {
                let found = index.definitions(&name, &everywhere, 99, &mut Budget::default()).unwrap().found;
                found.iter().map(|found| (index.document(found.doc).unwrap().path().to_vec(), found.start)).collect::<Vec<_>>()
            };
            prop_assert_eq!(found(&changed), found(&fresh));
        }
        let query = Query::regex(&ours, Matching::default()).unwrap();
        check(&corpus, &changed, &query, &theirs(&same, Matching::default()), 3)?;
    }
}
