//! Whole trees of this repository's history, from one commit to another and back.

use crate::git::git_output;
use crate::history::{objects, repository};
use millwright_core::Budget;
use millwright_core::patch::{ApplyOptions, ParseOptions, Patch, TreeFile};
use std::collections::BTreeMap;
use std::path::Path;

/// Mode and contents by path.
type Tree = BTreeMap<Vec<u8>, (u32, Vec<u8>)>;

fn tree(root: &Path, commit: &str) -> Tree {
    let listing = git_output(root, &["ls-tree", "-r", "-z", "--full-tree", commit], b"");
    let entries: Vec<(&str, &str, &[u8])> = listing
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t').unwrap();
            let mut fields = std::str::from_utf8(&entry[..tab]).unwrap().split(' ');
            (fields.next().unwrap(), fields.nth(1).unwrap(), &entry[tab + 1..])
        })
        .collect();
    let objects = objects(root, &entries.iter().map(|(_, id, _)| id.as_bytes()).collect::<Vec<_>>());
    let file = |(mode, id, path): &(&str, &str, &[u8])| {
        (path.to_vec(), (u32::from_str_radix(mode, 8).unwrap(), objects[id.as_bytes()].clone()))
    };
    entries.iter().map(file).collect()
}

fn check(what: &str, patch: &[u8], old: &Tree, new: &Tree, reverse: bool) {
    let patch = Patch::parse(patch, &ParseOptions::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let file = |(path, (mode, bytes)): (&'_ Vec<u8>, &'_ (u32, Vec<u8>))| (path.clone(), *mode, bytes.clone());
    let held: Vec<_> = old.iter().map(file).collect();
    let files: Vec<_> = held.iter().map(|(path, mode, bytes)| TreeFile { path, mode: *mode, bytes }).collect();
    let options = ApplyOptions { reverse, ..ApplyOptions::default() };
    let changes = patch.apply(&files, &options, &mut Budget::default()).unwrap();
    for (file, result) in patch.files.iter().zip(&changes.files) {
        assert!(result.is_ok(), "{what}: {:?} to {:?}: {result:?}", file.old_path, file.new_path);
    }
    let mut made = old.clone();
    for path in changes.deleted {
        assert!(made.remove(&path).is_some());
    }
    made.extend(changes.written.into_iter().map(|file| (file.path, (file.mode, file.bytes))));
    for path in made.keys().chain(new.keys()) {
        assert!(made.get(path) == new.get(path), "{what}: {}", String::from_utf8_lossy(path));
    }
}

#[test]
fn trees_of_this_repository_come_out_as_git_has_them() {
    let Some(root) = repository() else { return };
    let commits = git_output(&root, &["rev-list", "--first-parent", "-n", "25", "HEAD"], b"");
    let commits: Vec<&str> = std::str::from_utf8(&commits).unwrap().lines().collect();
    let (Some(new), Some(old)) = (commits.first(), commits.last()) else { return };
    let (old_tree, new_tree) = (tree(&root, old), tree(&root, new));
    let binary = ["--binary", "--full-index", "--no-ext-diff", "-M", "-C"];
    for options in [&["-U3"][..], &["-U0"], &["-M10%", "-B"]] {
        let patch = git_output(&root, &[&["diff"], &binary[..], options, &[old, new]].concat(), b"");
        check(&options.join(" "), &patch, &old_tree, &new_tree, false);
        check(&options.join(" "), &patch, &new_tree, &old_tree, true);
    }
    let range = format!("{old}..{new}");
    let merges = git_output(&root, &["rev-list", "--merges", "-n1", &range], b"");
    if merges.is_empty() {
        let mails = git_output(&root, &[&["format-patch", "--stdout"], &binary[..], &[&range]].concat(), b"");
        check("mails", &mails, &old_tree, &new_tree, false);
        check("mails", &mails, &new_tree, &old_tree, true);
    }
}
