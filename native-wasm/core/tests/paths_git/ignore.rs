//! The rules of `.gitignore` files.

use crate::git::{Folder, git};
use millwright_core::{Budget, ignore::Ignore};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fmt::Write as _;

/// Folders of each case.
const FOLDERS: [&str; 9] = ["a", "a/b", "a/bb", "a/b/a", "b", "b/foo", "foo", "foo/a", "a b"];

/// Files of each case that are asked about; they need not exist.
const FILES: [&str; 22] = [
    "a/a",
    "a/b/a/a",
    "a/b/a/foo.c",
    "a/b/b",
    "a/b/foo.c",
    "a/foo",
    "a/x.c",
    "b/a",
    "b/b",
    "b/foo/a",
    "b/x.c",
    "c",
    "foo.c",
    "foo/a/b",
    "foo/b",
    "foo/x",
    "a b/c ",
    "a b/d",
    "[a",
    "#a",
    "!a",
    "x ",
];

/// Folders that have a rule file; the first is that of the case.
const RULE_FOLDERS: [&str; 4] = ["", "a", "a/b", "foo"];

fn rules() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(&["a", "b", "foo", "x", ".c"][..]),
        4 => proptest::sample::select(&["*", "**", "?", "/**/", "**/", "/**", "*.c"][..]),
        4 => Just("/"),
        2 => proptest::sample::select(&["[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[!]a]", "[[:alpha:]]", "[[:x]", "[[:no:]]", "[z-a]", "[a/b]", "[\\]a]", "[a-]"][..]),
        1 => proptest::sample::select(&["\\a", "\\*", "\\ ", " ", "#", "!", "[", "]", "\\", "\\[", "\t", "\\!", "\\#", "***"][..]),
    ];
    let line = (
        proptest::sample::select(&["", "", "", "!", "/", "!/"][..]),
        proptest::collection::vec(piece, 1..5),
        proptest::sample::select(&["", "", "", "/", " ", "\r", "//"][..]),
    );
    let text = line.prop_map(|(head, pieces, tail)| format!("{head}{}{tail}", pieces.concat()));
    proptest::collection::vec(text, 0..5).prop_map(|lines| lines.join("\n"))
}

#[test]
fn decide_as_git_does() {
    const CASES: usize = 250;
    let repository = Folder::repository("ignore");
    let mut runner = TestRunner::deterministic();
    // The file of the user comes behind that of the root, which comes behind those of the cases.
    let whole = [(".git/info/exclude", "x.c\n"), (".gitignore", "!/c1*/**/x.c\n")];
    let mut files = Vec::new();
    for (name, rules) in whole {
        repository.write(name, rules.as_bytes());
        files.push((String::new(), name.to_owned(), rules.to_owned()));
    }
    let mut asked = Vec::new();
    for case in 0..CASES {
        for folder in FOLDERS {
            std::fs::create_dir_all(repository.path().join(format!("c{case}/{folder}"))).unwrap();
            asked.push((format!("c{case}/{folder}"), true));
        }
        asked.extend(FILES.map(|file| (format!("c{case}/{file}"), false)));
        for folder in RULE_FOLDERS {
            let rules = rules().new_tree(&mut runner).unwrap().current();
            let folder = format!("c{case}/{folder}").trim_end_matches('/').to_owned();
            let name = format!("{folder}/.gitignore");
            repository.write(&name, rules.as_bytes());
            files.push((folder, name, rules));
        }
    }
    let input: String = asked.iter().flat_map(|(path, _)| [path.as_str(), "\0"]).collect();
    let output = git(repository.path(), &["check-ignore", "--no-index", "-v", "-n", "-z", "--stdin"], input.as_bytes());
    let fields: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    assert_eq!(fields.len(), asked.len() * 4 + 1, "{}", output.stderr.escape_ascii());

    let given: Vec<(&[u8], &[u8])> =
        files.iter().map(|(folder, _, rules)| (folder.as_bytes(), rules.as_bytes())).collect();
    let ignore = Ignore::new(&given).unwrap();
    let (mut cursor, mut budget) = (ignore.cursor(), Budget::new(u64::MAX));
    let mut differences = String::new();
    let mut ruled = 0;
    for ((path, is_folder), field) in asked.iter().zip(fields.chunks(4)) {
        let text = |at: usize| String::from_utf8_lossy(field[at]).into_owned();
        let git = (!field[0].is_empty()).then(|| (text(0), text(1)));
        let found = cursor.matched(path.as_bytes(), *is_folder, &mut budget).unwrap();
        let ours = found.map(|found| (files[found.file as usize].1.clone(), found.line.to_string()));
        ruled += usize::from(git.is_some());
        if ours != git {
            let _ = writeln!(differences, "{path} (folder: {is_folder}): git {git:?} by {:?}, ours {ours:?}", text(2));
        }
    }
    assert!(ruled > asked.len() / 5, "the rules are too seldom met: {ruled} of {}", asked.len());
    assert!(differences.is_empty(), "{differences}");
}
