//! What is too large is refused before it is read, and what is deep takes no longer than what is long.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use millwright_core::diff::{self, Diff, Format, Options, Pair, TreeError};
use millwright_core::edits::{self, EditsError};
use millwright_core::glob::{Case, Glob, GlobErrorKind};
use millwright_core::hash::Seed;
use millwright_core::ignore::Ignore;
use millwright_core::lex::{Language, code_tokens, spans};
use millwright_core::outline::outline;
use millwright_core::patch::{ApplyError, ApplyOptions, ParseErrorKind, ParseOptions, Patch, TreeFile};
use millwright_core::paths::{self, ListingErrorKind, Policy, PolicyRules, Violation};
use millwright_core::search::{Index, Matching, Query, Rules, SearchError};
use millwright_core::secrets::{self, Detector, ScanOptions};
use millwright_core::weakening::{File, WeakeningError, check};
use millwright_core::{Budget, Limit, Lines, MAX_INPUT_BYTES};

const PATCH: &[u8] = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

/// A line of 1 GiB and a byte. It takes no memory as long as nobody reads it, and then the test is slow.
fn huge() -> (Vec<u8>, Limit) {
    let bytes = vec![0; MAX_INPUT_BYTES + 1];
    let limit = Limit::Size { actual: bytes.len() as u64, max: MAX_INPUT_BYTES as u64 };
    (bytes, limit)
}

#[test]
fn a_line_beyond_the_limit_is_refused_by_diff_patch_and_edits() {
    let (huge, limit) = huge();
    let budget = &mut Budget::default();
    assert_eq!(Lines::of(&huge).unwrap_err(), limit);
    assert_eq!(Diff::of(b"", &huge, &Options::default(), budget).unwrap_err(), limit);
    let entry = diff::Entry { path: b"x", mode: diff::Mode::File, id: None, bytes: &huge };
    assert_eq!(diff::pairs(&[entry], &[], None, Seed(0), budget).unwrap_err(), TreeError::Limit(limit));

    let parsed = Patch::parse(&huge, &ParseOptions::default());
    assert_eq!(parsed.unwrap_err().kind, ParseErrorKind::Limit(limit));
    let patch = Patch::parse(PATCH, &ParseOptions::default()).unwrap();
    let options = ApplyOptions::default();
    assert_eq!(patch.files[0].apply(&huge, &options, budget), Err(ApplyError::Limit(limit)));
    let files = [TreeFile { path: b"x", mode: 0o100_644, bytes: &huge }];
    assert_eq!(patch.apply(&files, &options, budget).map(|changes| changes.files), Err(limit));

    assert_eq!(edits::apply(Some(&huge), &[], Seed(0), budget), Err(EditsError::Limit(limit)));
}

#[test]
fn a_line_beyond_the_limit_is_refused_by_paths_search_secrets_and_scanners() {
    let (huge, limit) = huge();
    let budget = &mut Budget::default();
    assert_eq!(paths::parse_listing(&huge).unwrap_err().kind, ListingErrorKind::Limit(limit));
    let entry = paths::Entry { mode: paths::Mode::File, id: b"", path: &huge, target: None };
    let policy = Policy::new(&PolicyRules::default()).unwrap();
    // With its end.
    let with_end = Limit::Size { actual: huge.len() as u64 + 1, max: MAX_INPUT_BYTES as u64 };
    assert_eq!(paths::judge(&[], &[entry], &policy, budget).unwrap_err(), with_end);
    assert_eq!(Ignore::new(&[(b"", &huge)]).unwrap_err(), limit);
    assert_eq!(Glob::compile(&huge, Case::Sensitive).unwrap_err().kind, GlobErrorKind::TooLong);

    let mut index = Index::new(Rules::default()).unwrap();
    assert_eq!(index.put(b"x", &huge), Err(limit));
    assert_eq!(index.put(&huge, b"x"), Err(limit));
    let too_long = Limit::Size { actual: huge.len() as u64, max: 4096 };
    assert_eq!(Query::literal(&huge, Matching::default()).unwrap_err(), SearchError::Limit(too_long));

    let detector = Detector::new(secrets::Rules::built_in().unwrap(), &[]);
    assert_eq!(detector.scan(&huge, &ScanOptions::default(), budget), Err(limit));
    let error = WeakeningError::FileTooLarge { file: 0, actual: huge.len() as u64 };
    assert_eq!(check(&[File { path: b"a.test.ts", old: None, new: Some(&huge) }], Seed(0), budget), Err(error));
    assert_eq!(code_tokens(Language::Rust, &huge), Err(limit));
    assert_eq!(outline(Language::Rust, &huge), Err(limit));
    assert_eq!(spans(Language::Rust, &huge).count(), 0);
}

#[test]
fn a_path_of_a_hundred_thousand_folders_is_a_finding() {
    let path = [&b"a/".repeat(100_000)[..], b"b"].concat();
    let names = |violation| paths::check(&path, paths::Mode::File).iter().any(|fault| fault.violation == violation);
    assert!(names(Violation::Deep) && names(Violation::LongPath));
    assert_eq!(paths::canonical(&path), path);
    assert_eq!(paths::canonical(&b"../".repeat(100_000)).len(), 299_999);

    let entry = |path, mode, target| paths::Entry { mode, id: b"1", path, target };
    let after = [
        entry(&path, paths::Mode::File, None),
        entry(b"link", paths::Mode::Symlink, Some(&path[..])),
        entry(b"self", paths::Mode::Symlink, Some(b"self")),
    ];
    let policy = Policy::new(&PolicyRules { deny: &[b"**/b", b"**/x/**"], ..PolicyRules::default() }).unwrap();
    let report = paths::judge(&[], &after, &policy, &mut Budget::default()).unwrap();
    let found: Vec<_> = report.findings().iter().map(|finding| finding.violation).collect();
    for violation in [Violation::Deep, Violation::DeniedGlob, Violation::Cycle] {
        assert!(found.contains(&violation), "{violation:?} is not in {found:?}");
    }
    assert!(Glob::compile(b"**/a/b", Case::Sensitive).unwrap().is_match(&path));
}

#[test]
fn a_path_of_a_hundred_thousand_folders_is_a_name_in_a_patch() {
    let name = [&b"a/".repeat(100_000)[..], b"b"].concat();
    let entry = diff::Entry { path: &name, mode: diff::Mode::File, id: None, bytes: b"text\n" };
    let (mut written, budget) = (Vec::new(), &mut Budget::default());
    diff::write_patch(&[Pair::Added(entry)], &Options::default(), &Format::default(), budget, &mut written).unwrap();
    let patch = Patch::parse(&written, &ParseOptions::default()).unwrap();
    assert_eq!(patch.files[0].new_path.as_deref(), Some(&name[..]));
    let changes = patch.apply(&[], &ApplyOptions::default(), budget).unwrap();
    assert_eq!(changes.written[0].path, name);
}
