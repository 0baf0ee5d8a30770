//! The order of hits, and where a search ends.

use super::{PLAIN, found, index, regex};
use millwright_core::Budget;
use millwright_core::search::{Index, Matching, Query, Rules, everywhere};

#[test]
fn the_best_hits_come_first() {
    let index = index(&[
        ("z/uses.rs", b"parse();\n"),
        ("a/uses.rs", b"parse();\n"),
        ("a/longer_uses.rs", b"parse();\n"),
        ("lib.rs", b"reparse();\n"),
        ("src/parse.rs", b"impl parse {}\nparse();\n"),
        ("a/b_test.rs", b"parse();\n"),
        ("tests/parse.rs", b"parse();\n"),
        ("vendor/x/y/z/defines.rs", b"\n\nfn parse() {}\n"),
    ]);
    let query = Query::literal(b"parse", PLAIN).unwrap();
    let expected = [
        "vendor/x/y/z/defines.rs:3:parse",
        "src/parse.rs:1:parse",
        "src/parse.rs:2:parse",
        "tests/parse.rs:1:parse",
        "a/uses.rs:1:parse",
        "z/uses.rs:1:parse",
        "a/longer_uses.rs:1:parse",
        "a/b_test.rs:1:parse",
        "lib.rs:1:parse",
    ];
    assert_eq!(found(&index, &query, 99), expected);
    let any_case = Query::literal(b"PARSE", Matching { any_case: true, word: false }).unwrap();
    for query in [query, any_case, regex("p[a]rse")] {
        for limit in 0..expected.len() {
            let found = index.search(&query, &everywhere, limit as u32, &mut Budget::default()).unwrap();
            assert_eq!((found.hits.len(), found.more), (limit, true));
        }
        assert_eq!(found(&index, &query, expected.len() as u32), expected);
        assert!(!index.search(&query, &everywhere, expected.len() as u32, &mut Budget::default()).unwrap().more);
    }
}

#[test]
fn enough_hits_end_the_search() {
    let mut index = Index::new(Rules::default()).unwrap();
    for nth in 0..1000 {
        let defines = if nth == 900 { "fn word() {}\n" } else { "" };
        index.put(format!("{nth}.rs").as_bytes(), format!("{defines}{}", "word!();\n".repeat(100)).as_bytes()).unwrap();
    }
    for query in [Query::literal(b"word", PLAIN).unwrap(), regex("w[o]rd")] {
        let spent = |limit| {
            let mut budget = Budget::new(1 << 40);
            let hits = index.search(&query, &everywhere, limit, &mut budget).unwrap().hits;
            let document = index.document(hits[0].doc).unwrap();
            assert_eq!((document.path(), hits[0].line), (&b"900.rs"[..], 1));
            (1 << 40) - budget.left()
        };
        let (few, all) = (spent(10), spent(u32::MAX));
        assert!(few * 20 < all, "{few} {all}");
    }
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
