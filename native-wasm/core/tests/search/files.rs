//! Which files are searched, and what they define.

use super::{PLAIN, found, globs, index, regex};
use millwright_core::glob::{Case, Globs};
use millwright_core::outline::DefinitionKind;
use millwright_core::search::{Index, Name, PathFilter, Paths, Query, Rules, Skip, Statistics, everywhere};
use millwright_core::{Budget, Limit};

#[test]
fn only_files_that_the_filter_accepts() {
    let index = index(&[("src/a.rs", b"word"), ("src/b.ts", b"word"), ("docs/a.md", b"word")]);
    let paths = Paths { only: globs(&["src/**"]), not: globs(&["**/*.ts"]) };
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
fn many_globs_are_work() {
    let index = index(&[("some/path/of/a/file.rs", b"word")]);
    let globs = |count: usize| Globs::compile(&vec![&b"**/*a*b*c*d"[..]; count], Case::Sensitive).unwrap();
    let query = Query::literal(b"word", PLAIN).unwrap();
    let spent = |paths: &dyn PathFilter| {
        let mut budget = Budget::default();
        index.count(&query, paths, &mut budget).unwrap();
        Budget::DEFAULT_UNITS - budget.left()
    };
    assert!(spent(&Paths { only: globs(1), not: Globs::default() }) < spent(&everywhere) + 10);
    assert!(spent(&Paths { only: globs(500), not: globs(500) }) > spent(&everywhere) + 5_000);
}

#[test]
fn definitions_by_name() {
    let rust = b"struct Parse;\nimpl Parse {\n    fn parse(&self) {\n    }\n}\nfn parse_all() {}\n";
    let mut index = index(&[
        ("src/parse.rs", rust),
        ("tests/a.rs", b"fn parse() {}\n"),
        ("b/longer.go", b"\nfunc parse() {\n\tparse()\n}\n"),
        ("README.md", b"fn parse() {}\n"),
    ]);
    let listed = |index: &Index, name: &Name, paths: &dyn PathFilter, limit| {
        let definitions = index.definitions(name, paths, limit, &mut Budget::default()).unwrap();
        let shown = definitions.found.iter().map(|found| {
            let document = index.document(found.doc).unwrap();
            let name = String::from_utf8_lossy(&document.contents()[found.start as usize..found.end as usize]);
            let path = String::from_utf8_lossy(document.path());
            format!("{path}:{}-{}: {:?} {name}", found.line, found.last_line, found.kind)
        });
        (shown.collect::<Vec<_>>(), definitions.more)
    };
    let exact = Name { name: b"parse", ..Name::default() };
    let all = [
        "b/longer.go:2-4: Function parse",
        "src/parse.rs:3-4: Method parse",
        "tests/a.rs:1-1: Function parse",
        "src/parse.rs:6-6: Function parse_all",
    ];
    let strings = |shown: &[&str]| shown.iter().map(|each| (*each).to_owned()).collect::<Vec<_>>();
    assert_eq!(listed(&index, &exact, &everywhere, 9), (strings(&all[..3]), false));
    assert_eq!(listed(&index, &exact, &everywhere, 3), (strings(&all[..3]), false));
    let prefix = Name { prefix: true, ..exact };
    for limit in 0..5 {
        let first = strings(&all[..limit.min(4)]);
        assert_eq!(listed(&index, &prefix, &everywhere, limit as u32), (first, limit < 4), "{limit}");
    }
    let kinds = Name { kinds: &[DefinitionKind::Class, DefinitionKind::Method], name: b"", prefix: true };
    let expected = strings(&["src/parse.rs:1-1: Class Parse", all[1]]);
    assert_eq!(listed(&index, &kinds, &everywhere, 9), (expected, false));
    let paths = Paths { only: globs(&["src/**"]), not: Globs::default() };
    assert_eq!(listed(&index, &exact, &paths, 9), (strings(&all[1..2]), false));
    assert_eq!(listed(&index, &Name { name: b"", ..exact }, &everywhere, 9), (Vec::new(), false));
    assert_eq!(listed(&index, &Name { name: b"pars", ..exact }, &everywhere, 9), (Vec::new(), false));

    assert_eq!(index.statistics().definitions, 6);
    index.remove(b"src/parse.rs");
    index.put(b"tests/a.rs", b"fn other() {}\n").unwrap();
    assert_eq!(listed(&index, &prefix, &everywhere, 9), (strings(&all[..1]), false));
    assert_eq!(index.statistics().definitions, 2);
    let spent = Err(Limit::Budget { units: 5 });
    assert_eq!(index.definitions(&prefix, &everywhere, 9, &mut Budget::new(5)), spent);
}

#[test]
fn a_document_has_an_outline() {
    let index = index(&[("a.py", b"class A:\n    def b(self):\n        pass\n"), ("a.txt", b"class A:\n")]);
    let outline = |path: &[u8]| index.document(index.find(path).unwrap()).unwrap().outline().unwrap();
    let lines: Vec<_> = outline(b"a.py").iter().map(|found| (found.line, found.last_line, found.parent)).collect();
    assert_eq!(lines, [(1, 3, None), (2, 3, Some(0))]);
    assert!(outline(b"a.txt").is_empty());
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
}
