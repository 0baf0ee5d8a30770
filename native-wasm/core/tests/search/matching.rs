//! What matches.

use super::{PLAIN, found, index, regex};
use millwright_core::Limit;
use millwright_core::search::{Matching, Query, SearchError};

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
