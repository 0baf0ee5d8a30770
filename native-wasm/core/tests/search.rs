//! Search as its users see it: ranking, limits, hostile queries and contents.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use millwright_core::search::{
    Definition, Index, Matching, Paths, Query, Rules, SearchError, Skip, Statistics, Wildcard, everywhere,
};
use millwright_core::{Budget, Limit};

const PLAIN: Matching = Matching { any_case: false, word: false };

fn index(files: &[(&str, &[u8])]) -> Index {
    let mut index = Index::new(Rules::default()).unwrap();
    for (path, contents) in files {
        assert_eq!(index.put(path.as_bytes(), contents), Ok(None), "{path}");
    }
    index
}

fn regex(pattern: &str) -> Query {
    Query::regex(pattern, PLAIN).unwrap()
}

/// `path:line:text` of each hit.
fn found(index: &Index, query: &Query, limit: u32) -> Vec<String> {
    let hits = index.search(query, &everywhere, limit, &mut Budget::default()).unwrap().hits;
    let shown = hits.iter().map(|hit| {
        let document = index.document(hit.doc).unwrap();
        let text = &document.contents()[hit.start as usize..hit.end as usize];
        format!("{}:{}:{}", String::from_utf8_lossy(document.path()), hit.line, String::from_utf8_lossy(text))
    });
    shown.collect()
}

#[test]
fn the_best_hits_come_first() {
    let mut index = index(&[
        ("z/uses.rs", b"parse();\n"),
        ("a/uses.rs", b"parse();\n"),
        ("a/longer_uses.rs", b"parse();\n"),
        ("lib.rs", b"reparse();\n"),
        ("src/parse.rs", b"use x;\nparse(); parse();\n"),
        ("a/b_test.rs", b"parse();\n"),
        ("tests/parse.rs", b"parse();\n"),
        ("vendor/x/y/z/defines.rs", b"\n\nfn parse() {}\n"),
    ]);
    let definition = Definition { line: 3, kind: 1, start: 5, end: 10 };
    assert!(index.define(b"vendor/x/y/z/defines.rs", vec![definition]));
    let query = Query::literal(b"parse", PLAIN).unwrap();
    let expected = [
        "vendor/x/y/z/defines.rs:3:parse",
        "src/parse.rs:2:parse",
        "src/parse.rs:2:parse",
        "tests/parse.rs:1:parse",
        "a/uses.rs:1:parse",
        "z/uses.rs:1:parse",
        "a/longer_uses.rs:1:parse",
        "a/b_test.rs:1:parse",
        "lib.rs:1:parse",
    ];
    assert_eq!(found(&index, &query, 99), expected);
    for limit in 0..expected.len() {
        let found = index.search(&query, &everywhere, limit as u32, &mut Budget::default()).unwrap();
        assert_eq!((found.hits.len(), found.more), (limit, true));
    }
    assert!(!index.search(&query, &everywhere, expected.len() as u32, &mut Budget::default()).unwrap().more);
}

#[test]
fn equal_hits_come_by_path() {
    let name = |nth: u8| format!("{}.rs", char::from(nth));
    let mut index = Index::new(Rules::default()).unwrap();
    for nth in (b'A'..=b'z').rev() {
        index.put(name(nth).as_bytes(), if nth % 20 == 0 { b"rare frequent" } else { b"frequent" }).unwrap();
    }
    let paths = |word: &str| -> Vec<String> {
        found(&index, &regex(word), 99).iter().map(|hit| hit.split_once(':').unwrap().0.to_owned()).collect()
    };
    assert_eq!(paths("rare"), ["P.rs", "d.rs", "x.rs"]);
    assert_eq!(paths("frequent"), (b'A'..=b'z').map(name).collect::<Vec<_>>());
}

#[test]
fn matches_lie_within_lines() {
    let index = index(&[("a", b"one two\r\n  three\r\nfour")]);
    assert_eq!(found(&index, &regex(r"\S+\s*$"), 9), ["a:1:two", "a:2:three", "a:3:four"]);
    assert_eq!(found(&index, &regex("(?s)o.*"), 9), ["a:1:one two\r", "a:3:our"]);
    assert_eq!(found(&index, &regex("[^x]+"), 9), ["a:1:one two\r", "a:2:  three\r", "a:3:four"]);
    assert_eq!(found(&index, &regex(r"\Aone|four\z|\Athree"), 9), ["a:1:one", "a:3:four"]);
    for pattern in ["two\nthree", r"two\r\n", r"[\n]", r"(\n)"] {
        assert_eq!(Query::regex(pattern, PLAIN).err(), Some(SearchError::SpansLines), "{pattern}");
    }
    assert_eq!(Query::literal(b"a\n", PLAIN).err(), Some(SearchError::SpansLines));
}

#[test]
fn empty_matches_are_no_hits() {
    let index = index(&[("a", b"xaax\n\n")]);
    for pattern in ["^", "$", "", "b*", "()", r"\b"] {
        if !pattern.is_empty() {
            assert_eq!(found(&index, &regex(pattern), 9), [""; 0], "{pattern}");
        }
    }
    assert_eq!(found(&index, &regex("a*"), 9), ["a:1:aa"]);
    assert_eq!(Query::regex("", PLAIN).err(), Some(SearchError::Empty));
    assert_eq!(Query::literal(b"", PLAIN).err(), Some(SearchError::Empty));
}

#[test]
fn words_and_cases() {
    let index = index(&[("a", b"Foo food _foo foo-bar FOO \xe9foo a a a")]);
    let find = |literal: &[u8], any_case, word| {
        found(&index, &Query::literal(literal, Matching { any_case, word }).unwrap(), 99).len()
    };
    assert_eq!(find(b"foo", false, false), 4);
    assert_eq!(find(b"foo", false, true), 2);
    assert_eq!(find(b"fOO", true, false), 6);
    assert_eq!(find(b"foo", true, true), 4);
    assert_eq!(find(b"-", true, true), 0);
    assert_eq!(find(b"-bar", false, true), 0);
    // The first occurrence is within a word, and overlaps the second.
    assert_eq!(find(b"a a", false, true), 1);
    assert_eq!(found(&index, &Query::regex("fo+", Matching { any_case: true, word: true }).unwrap(), 99).len(), 4);
}

#[test]
fn only_files_that_the_filter_accepts() {
    let index = index(&[("src/a.rs", b"word"), ("src/b.ts", b"word"), ("docs/a.md", b"word")]);
    let wildcard = |pattern: &str| Wildcard::new(pattern.as_bytes()).unwrap();
    let paths = Paths { only: vec![wildcard("src/")], not: vec![wildcard("*.ts")] };
    let query = Query::literal(b"word", PLAIN).unwrap();
    let hits = index.search(&query, &paths, 9, &mut Budget::default()).unwrap().hits;
    assert_eq!(hits.iter().map(|hit| index.document(hit.doc).unwrap().path()).collect::<Vec<_>>(), [b"src/a.rs"]);
    assert_eq!(
        index.count(&query, &|path: &[u8]| path.ends_with(b".md"), &mut Budget::default()).unwrap().documents,
        1
    );
    // What the filter refuses is not searched.
    let mut budget = Budget::new(100);
    assert_eq!(index.count(&regex(".*"), &|_: &[u8]| false, &mut budget).unwrap().hits, 0);
    assert!(budget.left() > 50);
}

#[test]
fn skipped_files_are_known_with_their_reason() {
    let mut index = Index::new(Rules { max_bytes: 10_000, ..Rules::default() }).unwrap();
    assert_eq!(index.put(b"a.png", b"\x89PNG\0word"), Ok(Some(Skip::Binary)));
    assert_eq!(index.put(b"huge.json", &b" ".repeat(20_000)), Ok(Some(Skip::TooLarge)));
    assert_eq!(index.put(b"app.min.js", &[b'x'; 5_000]), Ok(Some(Skip::Minified)));
    assert_eq!(index.put(b"target/a", b"word"), Ok(None));
    assert_eq!(index.put(b"empty", b""), Ok(None));
    index.skip(b"target/a", Skip::Ignored).unwrap();
    let files: Vec<_> = index.files().map(|(path, file)| (path, file.err())).collect();
    assert_eq!(
        files,
        [
            (&b"a.png"[..], Some(Skip::Binary)),
            (b"app.min.js", Some(Skip::Minified)),
            (b"empty", None),
            (b"huge.json", Some(Skip::TooLarge)),
            (b"target/a", Some(Skip::Ignored)),
        ]
    );
    let Statistics { documents, bytes, binary, too_large, minified, ignored, .. } = index.statistics();
    assert_eq!((documents, bytes, binary, too_large, minified, ignored), (1, 0, 1, 1, 1, 1));
    assert_eq!(found(&index, &regex("word"), 9), [""; 0]);
    assert!(index.remove(b"a.png") && !index.remove(b"a.png"));
    assert_eq!((index.find(b"empty").is_some(), index.find(b"huge.json")), (true, None));
    assert!(!index.define(b"huge.json", Vec::new()));
}

#[test]
fn wrong_regexes_say_where() {
    for (pattern, offset) in [("ab[", 2), ("a(b", 1), ("*", 0), (r"ab\p{Nope}", 2), (r"(?x)\j", 4)] {
        match Query::regex(pattern, PLAIN).err() {
            Some(SearchError::Syntax { offset: actual, .. }) => assert_eq!(actual, offset, "{pattern}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
    assert_eq!(
        Query::regex("a(b", PLAIN).err().unwrap().to_string(),
        "the regex is wrong at byte 1: unclosed group; correct it, or look for it as a literal"
    );
    let too_long = Limit::Size { actual: 4097, max: 4096 };
    assert_eq!(Query::regex(&"a".repeat(4097), PLAIN).err(), Some(SearchError::Limit(too_long)));
    assert_eq!(Query::literal(&[b'a'; 4097], PLAIN).err(), Some(SearchError::Limit(too_long)));
    assert!(Query::literal(&[b'a'; 4096], PLAIN).is_ok());
}

#[test]
fn regexes_that_explode_when_compiled_are_refused() {
    for pattern in [
        r"\w{5000}",
        "(((((a{100}){100}){100}){100}){100}){100}",
        "((((((((.*){20}){20}){20}){20}){20}){20}){20}){20}",
        "(?i)(k{1,1000}){1,1000}",
        "([^a]{999}|[^b]{999}){99}",
        "a{4294967295}",
        "((a?){1000}){1000}",
    ] {
        assert!(matches!(Query::regex(pattern, PLAIN), Err(SearchError::TooComplex { .. })), "{pattern}");
    }
    let nested = format!("{}a{}", "(".repeat(2000), ")".repeat(2000));
    assert!(matches!(Query::regex(&nested, PLAIN), Err(SearchError::Syntax { .. })));
    // Repeated nothing is nothing.
    assert!(Query::regex("((){4294967295}){4294967295}", PLAIN).is_ok());
    assert!(Query::regex(&["word"; 800].join("|"), PLAIN).is_ok());
}

#[test]
fn regexes_that_explode_when_run_meet_the_budget() {
    let index = index(&[("a", &b"ab".repeat(200_000).chunks(400).collect::<Vec<_>>().join(&b'\n'))]);
    // The DFA of this has 2^500 states.
    for pattern in ["(a|b)*a(a|b){500}c", "(?:[ab]*a[ab]{300}){3}x", "(a*)*c", "(x+x+)+y", "(.*.*.*.*)=z"] {
        let mut budget = Budget::new(20_000_000);
        match index.count(&regex(pattern), &everywhere, &mut budget) {
            Ok(count) => assert_eq!(count.hits, 0, "{pattern}"),
            Err(error) => assert_eq!(error, SearchError::Limit(Limit::Budget { units: 20_000_000 }), "{pattern}"),
        }
    }
    assert_eq!(found(&index, &regex("^ab"), 1), ["a:1:ab"]);
}

#[test]
fn an_automaton_of_ever_new_states_meets_the_budget() {
    let mut state = 1_u64;
    let noise: Vec<u8> = core::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if state >> 40 & 1 == 0 { b'a' } else { b'b' }
    })
    .take(100_000)
    .collect();
    let index = index(&[("a", &noise.chunks(400).collect::<Vec<_>>().join(&b'\n'))]);
    let count = |budget| index.count(&regex("[ab]*a[ab]{200}"), &everywhere, &mut Budget::new(budget));
    assert_eq!(count(10_000_000), Err(SearchError::Limit(Limit::Budget { units: 10_000_000 })));
}

#[test]
fn work_is_bounded_by_the_budget() {
    let mut index = Index::new(Rules { max_mean_line: u32::MAX, ..Rules::default() }).unwrap();
    index.put(b"a", &[&b"aa ".repeat(1000)[..], b"\n"].concat().repeat(10)).unwrap();
    let spent = |query: &Query| {
        let mut budget = Budget::new(1 << 40);
        let hits = index.count(query, &everywhere, &mut budget).unwrap().hits;
        (hits, (1 << 40) - budget.left())
    };
    let whole_words = |literal: &[u8]| Query::literal(literal, Matching { any_case: false, word: true }).unwrap();
    // A literal is much cheaper than its bytes, an automaton is about as dear.
    let (hits, units) = spent(&Query::literal(b"zzz", PLAIN).unwrap());
    assert!(hits == 0 && units < 10, "{units}");
    let (hits, units) = spent(&Query::literal(b"zz", PLAIN).unwrap());
    assert!(hits == 0 && (1_800..2_500).contains(&units), "{units}");
    let (hits, units) = spent(&regex("[y-z]"));
    assert!(hits == 0 && (30_000..31_000).contains(&units), "{units}");
    // Each match makes the automaton look for the end of a longer alternative up to the end of the line.
    let (hits, units) = spent(&regex("a[^b]*b|a"));
    assert!(hits == 20_000 && units > 20_000 * 1_500, "{units}");
    // Each occurrence is within a word, and the next is looked for within it.
    let (hits, units) = spent(&whole_words(&[&b"a "[..], &b"aa ".repeat(500)[..]].concat()));
    assert!(hits == 0 && units > 500 * 1_500 / 16 * 10, "{units}");
}

#[test]
fn any_bytes_are_searched() {
    let all: Vec<u8> = (1..=255).collect();
    let index = index(&[("a", &all), ("b", b"\xff\xfe\xfd"), ("c", "gr\u{fc}n".as_bytes()), ("d", b"\xe2\x84")]);
    assert_eq!(found(&index, &Query::literal(b"\xff\xfe", PLAIN).unwrap(), 9).len(), 1);
    assert_eq!(found(&index, &regex(r"(?-u:\xfe\xff)"), 9).len(), 1);
    assert_eq!(found(&index, &regex("GR\u{dc}N"), 9).len(), 0);
    assert_eq!(found(&index, &regex("(?i)GR\u{dc}N"), 9), ["c:1:gr\u{fc}n"]);
    assert_eq!(found(&index, &regex(r"gr\wn"), 9), ["c:1:gr\u{fc}n"]);
    assert_eq!(found(&index, &regex(r"gr(?-u:\w)n"), 9), [""; 0]);
}

#[test]
fn hits_in_large_files_have_their_lines() {
    let mut text = Vec::new();
    for line in 1..=20_000 {
        text.extend_from_slice(format!("line {line} of many\n").as_bytes());
    }
    let index = index(&[("large", &text)]);
    assert_eq!(
        found(&index, &regex("(ine 7|ine 19999|ine 12345) of"), 9),
        ["large:7:ine 7 of", "large:12345:ine 12345 of", "large:19999:ine 19999 of"]
    );
    let hit = index.search(&regex("line 12345 "), &everywhere, 9, &mut Budget::default()).unwrap().hits[0];
    let document = index.document(hit.doc).unwrap();
    let context = document.context(&hit, 2, 1);
    assert_eq!(context.line, 12343);
    let lines = &document.contents()[context.start as usize..context.end as usize];
    assert_eq!(lines, b"line 12343 of many\nline 12344 of many\nline 12345 of many\nline 12346 of many\n");
    let all = document.context(&hit, u32::MAX, u32::MAX);
    assert_eq!((all.line, all.start, all.end as usize), (1, 0, text.len()));
}
