//! The labelled changes of `labelled/weakening`: precision and recall of each kind and language, and of the half that is held out.

// The exemption for tests does not reach the helpers of a file of tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millwright_core::Budget;
use millwright_core::hash::Seed;
use millwright_core::weakening::{File, Finding, Fragment, Kind, Side, check, check_fragments};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SETS: [(&str, &str); 6] = [
    ("script", include_str!("../labelled/weakening/script.txt")),
    ("python", include_str!("../labelled/weakening/python.txt")),
    ("go", include_str!("../labelled/weakening/go.txt")),
    ("rust", include_str!("../labelled/weakening/rust.txt")),
    ("java", include_str!("../labelled/weakening/java.txt")),
    ("gate", include_str!("../labelled/weakening/gate.txt")),
];

#[derive(Default)]
struct CaseFile {
    path: String,
    old: String,
    new: String,
    has_old: bool,
    has_new: bool,
    partial: bool,
}

/// A finding that is expected: at one of these lines of a file.
struct Expected {
    file: usize,
    kind: Kind,
    old_line: Option<u32>,
    new_line: Option<u32>,
}

#[derive(Default)]
struct Case {
    name: String,
    files: Vec<CaseFile>,
    expected: Vec<Expected>,
}

fn kind_of(name: &str) -> Kind {
    match name {
        "TestFileDeleted" => Kind::TestFileDeleted,
        "TestDeleted" => Kind::TestDeleted,
        "TestSkipped" => Kind::TestSkipped,
        "TestFocused" => Kind::TestFocused,
        "AssertionRemoved" => Kind::AssertionRemoved,
        "ExpectationLoosened" => Kind::ExpectationLoosened,
        "GateLowered" => Kind::GateLowered,
        _ => panic!("unknown kind {name}"),
    }
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut last = ' ';
    for line in text.lines() {
        let (mark, rest) = line.split_at(line.len().min(1));
        if mark == "#" {
            cases.push(Case { name: rest.trim().to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its name");
        if mark == "@" {
            let (how, path) = rest.split_once(' ').expect("a file has a path");
            case.files.push(CaseFile {
                path: path.to_owned(),
                has_old: how != "+",
                has_new: how != "-",
                partial: how == "~",
                ..CaseFile::default()
            });
            continue;
        }
        let at = case.files.len() - 1;
        let file = &mut case.files[at];
        if mark == "!" {
            let lines = |text: &str| text.lines().count() as u32;
            case.expected.push(Expected {
                file: at,
                kind: kind_of(rest),
                old_line: (last != '+').then(|| lines(&file.old)),
                new_line: (last != '-').then(|| lines(&file.new)),
            });
            continue;
        }
        last = mark.chars().next().unwrap_or(' ');
        if last != '+' {
            file.old += rest;
            file.old += "\n";
        }
        if last != '-' {
            file.new += rest;
            file.new += "\n";
        }
    }
    cases
}

fn findings(case: &Case) -> Vec<Finding> {
    if case.files.iter().any(|file| file.partial) {
        let fragment = |file: &'_ CaseFile| -> (Vec<u8>, Vec<u8>, Vec<u8>) {
            (file.path.clone().into(), file.old.clone().into(), file.new.clone().into())
        };
        let owned: Vec<_> = case.files.iter().map(fragment).collect();
        let fragments: Vec<Fragment<'_>> =
            owned.iter().map(|(path, old, new)| Fragment { path, old, old_line: 1, new, new_line: 1 }).collect();
        let found = check_fragments(&fragments, Seed(1), &mut Budget::default()).unwrap();
        assert!(found.iter().all(|finding| finding.partial));
        return found;
    }
    let files: Vec<File<'_>> = case
        .files
        .iter()
        .map(|file| File {
            path: file.path.as_bytes(),
            old: file.has_old.then_some(file.old.as_bytes()),
            new: file.has_new.then_some(file.new.as_bytes()),
        })
        .collect();
    check(&files, Seed(1), &mut Budget::default()).unwrap()
}

fn fits(expected: &Expected, finding: &Finding) -> bool {
    let line = if finding.side == Side::Old { expected.old_line } else { expected.new_line };
    expected.file == finding.file && expected.kind == finding.kind && line == Some(finding.line)
}

/// Findings that are right, wrong and missing.
#[derive(Default, Clone, Copy)]
struct Score {
    right: u32,
    wrong: u32,
    missing: u32,
}

impl Score {
    fn precision(self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missing).max(1))
    }
}

fn is_held_out(name: &str) -> bool {
    name.bytes().fold(7_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619)) >> 16 & 1 == 1
}

#[test]
fn labelled_changes_are_told_apart() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut failures = String::new();
    let mut count = 0;
    for (set, text) in SETS {
        for case in cases(text) {
            count += 1;
            let found = findings(&case);
            let half = if is_held_out(&case.name) { "held out" } else { "tuned on" };
            let mut add = |kind: Kind, change: fn(&mut Score)| {
                for key in [format!("{half}: all"), format!("{half}: {set}"), format!("{half}: {kind:?}")] {
                    change(scores.entry(key).or_default());
                }
            };
            let mut left = found.clone();
            let mut says = String::new();
            for expected in &case.expected {
                if let Some(at) = left.iter().position(|finding| fits(expected, finding)) {
                    left.remove(at);
                    add(expected.kind, |score| score.right += 1);
                } else {
                    add(expected.kind, |score| score.missing += 1);
                    let _ =
                        write!(says, " missing {:?} {:?}/{:?};", expected.kind, expected.old_line, expected.new_line);
                }
            }
            for finding in &left {
                add(finding.kind, |score| score.wrong += 1);
                let _ =
                    write!(says, " wrong {:?} {:?} {} {};", finding.kind, finding.side, finding.line, finding.message);
            }
            if !says.is_empty() && half == "tuned on" {
                let _ = writeln!(failures, "{set}: {}:{says}", case.name);
            }
        }
    }
    println!("{count} cases");
    for (key, score) in &scores {
        println!(
            "{key}: precision {:.2}, recall {:.2} ({} right, {} wrong, {} missing)",
            score.precision(),
            score.recall(),
            score.right,
            score.wrong,
            score.missing
        );
    }
    assert!(failures.is_empty(), "cases that rules are tuned on:\n{failures}");
    for (key, score) in scores.iter().filter(|(key, _)| key.starts_with("held out")) {
        assert!(
            score.precision() >= 0.9 && score.recall() >= 0.9,
            "{key}: {:.2} {:.2}",
            score.precision(),
            score.recall()
        );
    }
}
