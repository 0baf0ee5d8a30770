//! Changes made to real tests: those of this repository, and those of Go, Rust and Python where their toolchains are installed.

// The exemption for tests does not reach the helpers of a file of tests.
#![allow(clippy::expect_used)]

mod mutate;

use millwright_core::Budget;
use millwright_core::hash::Seed;
use millwright_core::weakening::{File, Finding, check};
use mutate::{Language, Mutation, mutations};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files whose names end so, below a folder: every few of them, in order, so that they come from all over it.
fn files(folder: &Path, suffix: &str, contains: &str, most: usize) -> Vec<(String, String)> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if name != "node_modules" && name != "target" && !name.starts_with('.') && found.len() < 1500 {
                    folders.push(path);
                }
            } else if name.ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    let step = (found.len() / (most * 2)).max(1);
    let readable = found.into_iter().step_by(step).filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        (text.len() < 30_000 && text.contains(contains)).then_some((name, text))
    });
    readable.take(most).collect()
}

fn home(variable: &str, below: &str) -> PathBuf {
    std::env::var_os(variable)
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(below), PathBuf::from)
}

fn output(program: &str, arguments: &[&str]) -> PathBuf {
    let found = std::process::Command::new(program).args(arguments).output();
    PathBuf::from(
        found.map_or_else(|_| String::new(), |found| String::from_utf8_lossy(&found.stdout).trim().to_owned()),
    )
}

fn findings(path: &str, old: &str, mutation: &Mutation) -> Vec<Finding> {
    let old = old.as_bytes();
    let new = mutation.new.as_bytes();
    let path = path.as_bytes();
    let files = match &mutation.new_path {
        None => vec![File { path, old: Some(old), new: Some(new) }],
        Some(new_path) => {
            vec![
                File { path, old: Some(old), new: None },
                File { path: new_path.as_bytes(), old: None, new: Some(new) },
            ]
        }
    };
    check(&files, Seed(1), &mut Budget::default()).expect("the files are small")
}

fn is_held_out(path: &str) -> bool {
    path.bytes().fold(7_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619)) >> 16 & 1 == 1
}

#[test]
fn changes_of_real_tests_are_told_apart() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = [
        ("script", Language::Script, files(&repository, ".test.ts", "expect(", 16)),
        ("go", Language::Go, files(&output("go", &["env", "GOROOT"]).join("src"), "_test.go", "testing.T", 16)),
        ("rust", Language::Rust, files(&home("CARGO_HOME", ".cargo").join("registry/src"), ".rs", "#[test]", 16)),
        (
            "python",
            Language::Python,
            files(
                &output("python3", &["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]),
                ".py",
                "def test_",
                60,
            ),
        ),
    ];
    // For each half and mutation: right, wrong and missing findings.
    let mut scores: BTreeMap<(bool, String), [u32; 3]> = BTreeMap::new();
    for (name, language, files) in &sources {
        if files.is_empty() {
            println!("{name}: skipped, since there are no tests in the toolchain's caches");
        }
        for (path, text) in files {
            let path = match language {
                Language::Python if !path.rsplit('/').next().unwrap_or_default().starts_with("test_") => {
                    format!("tests/{path}")
                }
                _ => path.clone(),
            };
            for mutation in mutations(&path, text, *language) {
                let mut found = findings(&path, text, &mutation);
                let score = |index: usize, scores: &mut BTreeMap<(bool, String), [u32; 3]>| {
                    for key in ["all".to_owned(), (*name).to_owned(), format!("{name}: {}", mutation.name)] {
                        scores.entry((is_held_out(&path), key)).or_default()[index] += 1;
                    }
                };
                if let Some(kind) = mutation.expected {
                    if let Some(at) = found.iter().position(|finding| finding.kind == kind) {
                        found.remove(at);
                        score(0, &mut scores);
                    } else {
                        score(2, &mut scores);
                        if !is_held_out(&path) {
                            println!("missing: {name} {path}: {}", mutation.name);
                        }
                    }
                }
                for finding in &found {
                    score(1, &mut scores);
                    if !is_held_out(&path) {
                        println!(
                            "wrong: {name} {path}: {}: {:?} {:?} {} {}",
                            mutation.name, finding.kind, finding.side, finding.line, finding.message
                        );
                    }
                }
            }
        }
    }
    for ((held_out, key), [right, wrong, missing]) in &scores {
        let half = if *held_out { "held out" } else { "tuned on" };
        let precision = f64::from(*right) / f64::from((right + wrong).max(1));
        let recall = f64::from(*right) / f64::from((right + missing).max(1));
        println!(
            "{half}: {key}: precision {precision:.2}, recall {recall:.2} ({right} right, {wrong} wrong, {missing} missing)"
        );
        if *held_out && !key.contains(':') {
            assert!(precision >= 0.9 && recall >= 0.9, "{key}: precision {precision:.2}, recall {recall:.2}");
        }
    }
}
