//! What a patch does to a set of files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

use millwright_core::Budget;
use millwright_core::patch::{ApplyError, ApplyOptions, ParseOptions, Patch, TreeFile};
use std::collections::BTreeMap;

type Tree = BTreeMap<String, (u32, String)>;

fn tree(files: &[(&str, u32, &str)]) -> Tree {
    files.iter().map(|(path, mode, text)| ((*path).to_owned(), (*mode, (*text).to_owned()))).collect()
}

fn apply(patch: &str, tree: &Tree, reverse: bool) -> (Tree, Vec<Result<(), ApplyError>>) {
    let patch = Patch::parse(patch.as_bytes(), &ParseOptions::default()).unwrap();
    let files: Vec<TreeFile<'_>> = tree
        .iter()
        .map(|(path, (mode, text))| TreeFile { path: path.as_bytes(), mode: *mode, bytes: text.as_bytes() })
        .collect();
    let options = ApplyOptions { reverse, ..ApplyOptions::default() };
    let changes = patch.apply(&files, &options, &mut Budget::default()).unwrap();
    let mut tree = tree.clone();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for path in &changes.deleted {
        assert!(tree.remove(&text(path)).is_some());
    }
    for file in &changes.written {
        tree.insert(text(&file.path), (file.mode, text(&file.bytes)));
    }
    (tree, changes.files)
}

fn both_ways(patch: &str, old: &Tree, new: &Tree) {
    let (there, results) = apply(patch, old, false);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(there, *new);
    let (back, results) = apply(patch, new, true);
    assert!(results.iter().all(Result::is_ok), "back: {results:?}");
    assert_eq!(back, *old);
}

const F: u32 = 0o100_644;

#[test]
fn files_are_created_deleted_moved_copied_and_change_modes() {
    let patch = "diff --git a/new b/new\nnew file mode 100755\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+new\n\
                 diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\
                 diff --git a/from b/to\nsimilarity index 50%\nrename from from\nrename to to\n--- a/from\n+++ b/to\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\
                 diff --git a/one b/two\nsimilarity index 100%\ncopy from one\ncopy to two\n\
                 diff --git a/one b/one\n--- a/one\n+++ b/one\n@@ -1 +1 @@\n-1\n+2\n\
                 diff --git a/script b/script\nold mode 100644\nnew mode 100755\n\
                 diff --git a/empty b/empty\nnew file mode 100644\nindex 0000000..e69de29\n";
    let old = tree(&[
        ("gone", F, "gone\n"),
        ("from", 0o100_755, "a\nb\n"),
        ("one", F, "1\n"),
        ("script", F, "s\n"),
        ("x", F, "x"),
    ]);
    let new = tree(&[
        ("new", 0o100_755, "new\n"),
        ("to", 0o100_755, "a\nc\n"),
        ("one", F, "2\n"),
        ("two", F, "1\n"),
        ("script", 0o100_755, "s\n"),
        ("empty", F, ""),
        ("x", F, "x"),
    ]);
    let (there, results) = apply(patch, &old, false);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(there, new);
}

#[test]
fn two_files_change_names() {
    let patch = "diff --git a/x b/y\nrename from x\nrename to y\ndiff --git a/y b/x\nrename from y\nrename to x\n";
    both_ways(patch, &tree(&[("x", F, "1"), ("y", F, "2")]), &tree(&[("x", F, "2"), ("y", F, "1")]));
    // If one of them cannot, the other's contents are not lost.
    let patch = "diff --git a/x b/y\nrename from x\nrename to y\n\
                 diff --git a/y b/x\nrename from y\nrename to x\n--- a/y\n+++ b/x\n@@ -1 +1 @@\n-other\n+2\n";
    let old = tree(&[("x", F, "1\n"), ("y", F, "2\n")]);
    let (new, results) = apply(patch, &old, false);
    assert_eq!(new, old);
    assert_eq!(results[0], Err(ApplyError::Exists));
    assert!(matches!(results[1], Err(ApplyError::Rejected(_))));
}

#[test]
fn a_copy_goes_back_if_it_still_is_one() {
    let patch = "diff --git a/x b/y\ncopy from x\ncopy to y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n";
    both_ways(patch, &tree(&[("x", F, "1\n")]), &tree(&[("x", F, "1\n"), ("y", F, "2\n")]));
    let (_, results) = apply(patch, &tree(&[("x", F, "3\n"), ("y", F, "2\n")]), true);
    assert_eq!(results, [Err(ApplyError::CopyDiffers)]);
}

#[test]
fn a_file_becomes_a_link() {
    let patch = "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-text\n\
                 diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+target\n\\ No newline at end of file\n";
    both_ways(patch, &tree(&[("x", F, "text\n")]), &tree(&[("x", 0o120_000, "target")]));
    let (_, results) = apply(patch, &tree(&[("x", 0o120_000, "text\n")]), false);
    assert_eq!(results[0], Err(ApplyError::TypeDiffers { expected: F, found: 0o120_000 }));
}

#[test]
fn messages_build_on_each_other() {
    let from = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\n";
    let patch = format!(
        "{from}diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n-- \n2.39.5\n\n\
         {from}diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-2\n+3\n-- \n2.39.5\n\n\
         {from}diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-3\n+4\n-- \n2.39.5\n\n"
    );
    both_ways(&patch, &tree(&[("x", F, "1\n")]), &tree(&[("y", F, "4\n")]));
    // In one message, a file that occurs twice is changed twice, and may go away.
    let patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-2\n";
    both_ways(patch, &tree(&[("x", F, "1\n")]), &tree(&[]));
}

#[test]
fn each_file_is_reported_and_those_that_fail_stay() {
    let patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n@@ -3 +3 @@\n-other\n+4\n\
                 --- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n\
                 --- a/missing\n+++ b/missing\n@@ -1 +1 @@\n-1\n+2\n\
                 --- /dev/null\n+++ b/there\n@@ -0,0 +1 @@\n+1\n\
                 --- a/made\n+++ b/made\n@@ -0,0 +1 @@\n+1\n\
                 diff --git a/pic b/pic\nindex 1234567..89abcde 100644\nBinary files a/pic and b/pic differ\n";
    let old = tree(&[("x", F, "1\n2\n3\n"), ("y", F, "1\n"), ("there", F, ""), ("pic", F, "\0")]);
    let (new, results) = apply(patch, &old, false);
    let Err(ApplyError::Rejected(rejects)) = &results[0] else { panic!("{results:?}") };
    assert_eq!(rejects.iter().map(|reject| reject.hunk).collect::<Vec<_>>(), [1]);
    assert_eq!(
        results[1..],
        [Ok(()), Err(ApplyError::Missing), Err(ApplyError::Exists), Ok(()), Err(ApplyError::NoBinaryData)]
    );
    let expected =
        tree(&[("x", F, "1\n2\n3\n"), ("y", F, "2\n"), ("there", F, ""), ("made", F, "1\n"), ("pic", F, "\0")]);
    assert_eq!(new, expected);
}
