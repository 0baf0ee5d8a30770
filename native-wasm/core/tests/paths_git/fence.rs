//! The fence: what git refuses to put into an index with the protections of all systems on.

use crate::git::{Folder, git};
use millwright_core::paths::{Mode, check};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// Whether git takes all of these paths.
fn git_takes(repository: &Folder, paths: &[(Mode, Vec<u8>)]) -> Result<(), String> {
    let mut input = Vec::new();
    for (mode, path) in paths {
        let mode = if *mode == Mode::Symlink { "120000" } else { "100644" };
        input.extend_from_slice(format!("{mode} {BLOB}\t").as_bytes());
        input.extend_from_slice(path);
        input.push(0);
    }
    let protected = ["-c", "core.protectNTFS=true", "-c", "core.protectHFS=true"];
    let arguments = [&protected[..], &["update-index", "--add", "--replace", "-z", "--index-info"]].concat();
    let output = git(repository.path(), &arguments, &input);
    if output.status.success() && output.stderr.is_empty() {
        return Ok(());
    }
    Err(output.stderr.escape_ascii().to_string())
}

/// Components around those that git refuses.
fn component() -> impl Strategy<Value = Vec<u8>> {
    let names: &[&[u8]] = &[
        b".git",
        b".GIT",
        b"git~1",
        b"GIT~1",
        b"git~2",
        b"git",
        b".",
        b"..",
        b"",
        b".gitmodules",
        b".GitModules",
        b"gitmod~1",
        b"GITMOD~4",
        b"gitmod~5",
        b"gi7eba~1",
        b"GI7EBA~9",
        b"gi7eb~10",
        b"g~123456",
        b"~1000000",
        b".gitattributes",
        b".gitignore",
        b"a",
        b"...",
        b".gi",
        b"x",
    ];
    let ignored: &[&[u8]] = &[
        b"",
        b"",
        b"\xe2\x80\x8c",
        b"\xe2\x80\x8d",
        b"\xe2\x80\x8e",
        b"\xe2\x80\x8f",
        b"\xe2\x80\xaa",
        b"\xe2\x80\xae",
        b"\xe2\x81\xaa",
        b"\xe2\x81\xaf",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xe2\x80",
        b"\xc2\xad",
        b"\xc4\xb1",
    ];
    let behind: &[&[u8]] = &[
        b"",
        b"",
        b"",
        b" ",
        b".",
        b". .",
        b":",
        b"::$INDEX_ALLOCATION",
        b"\\x",
        b"\\",
        b"  .",
        b"x",
        b"\xff",
        b"~1",
        b":stream",
    ];
    let before: &[&[u8]] = &[b"", b"", b"", b"", b"a\\", b" ", b"\\"];
    let parts = (
        proptest::sample::select(before),
        proptest::sample::select(names),
        0usize..16,
        proptest::sample::select(ignored),
        proptest::sample::select(behind),
    );
    parts.prop_map(|(before, name, at, ignored, behind)| {
        let (start, end) = name.split_at(at.min(name.len()));
        [before, start, ignored, end, behind].concat()
    })
}

fn path() -> impl Strategy<Value = (Mode, Vec<u8>)> {
    let path = proptest::collection::vec(prop_oneof![3 => component(), 1 => Just(b"dir".to_vec())], 1..3);
    let path = path.prop_map(|components| components.join(&b'/'));
    (prop_oneof![Just(Mode::File), Just(Mode::Symlink)], path)
}

#[test]
fn whatever_git_refuses_is_refused() {
    const PATHS: usize = 6_000;
    let repository = Folder::repository("fence");
    let mut runner = TestRunner::deterministic();
    let paths: Vec<_> = (0..PATHS).map(|_| path().new_tree(&mut runner).unwrap().current()).collect();
    let taken: Vec<_> = paths.iter().filter(|(mode, path)| check(path, *mode).is_empty()).cloned().collect();
    assert!((PATHS / 50..PATHS / 2).contains(&taken.len()), "{} of {PATHS} are taken", taken.len());
    git_takes(&repository, &taken).unwrap();
}

#[test]
fn git_refuses_what_this_test_is_about() {
    let repository = Folder::repository("fence-refused");
    let cases: [(Mode, &[u8]); 12] = [
        (Mode::File, b".git/x"),
        (Mode::File, b"a/.GIT"),
        (Mode::File, b"git~1/x"),
        (Mode::File, b".g\xe2\x80\x8cit"),
        (Mode::File, b".git "),
        (Mode::File, b".git::$INDEX_ALLOCATION/x"),
        (Mode::File, b"a\\.git"),
        (Mode::File, b"a/../b"),
        (Mode::File, b"a//b"),
        (Mode::File, b".git\xff"),
        (Mode::Symlink, b".gitmodules"),
        (Mode::Symlink, b"gi7eba~1"),
    ];
    for (mode, path) in cases {
        assert!(git_takes(&repository, &[(mode, path.to_vec())]).is_err(), "{}", path.escape_ascii());
        assert!(!check(path, mode).is_empty(), "{}", path.escape_ascii());
    }
}
