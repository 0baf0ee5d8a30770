//! Every patch that git makes is read, and applied it gives what git says that it does.

use crate::git::{Folder, git, git_output};
use millwright_core::Budget;
use millwright_core::patch::{ApplyOptions, Body, Change, FilePatch, ParseOptions, Patch};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const REVERSE: ApplyOptions =
    ApplyOptions { reverse: true, fuzz: 0, anchored: true, seed: millwright_core::hash::Seed(0) };

pub fn repository() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = root.join(".git").exists();
    if !found {
        eprintln!("skipped: the sources are not in a git repository");
    }
    found.then_some(root)
}

fn parse<'a>(bytes: &'a [u8], strip: u32, what: &str) -> Patch<'a> {
    Patch::parse(bytes, &ParseOptions { lenient: false, strip }).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Applies a file both ways.
fn check(file: &FilePatch<'_>, old: &[u8], new: &[u8], what: &str) {
    let name = String::from_utf8_lossy(file.new_path.as_ref().or(file.old_path.as_ref()).unwrap());
    let there = file.apply(old, &ApplyOptions::default(), &mut Budget::default());
    let there = there.unwrap_or_else(|error| panic!("{what} {name}: {error}"));
    assert!(there.bytes == new, "{what} {name}: another result");
    assert!(there.hunks.iter().all(|hunk| hunk.offset == 0 && hunk.fuzz == (0, 0)), "{what} {name}: not at its place");
    let back = file.apply(new, &REVERSE, &mut Budget::default());
    let back = back.unwrap_or_else(|error| panic!("{what} {name} back: {error}"));
    assert!(back.bytes == old, "{what} {name}: another result back");
}

/// The contents of objects.
pub fn objects(repository: &Path, ids: &[&[u8]]) -> HashMap<Vec<u8>, Vec<u8>> {
    let output = git_output(repository, &["cat-file", "--batch"], &ids.join(&b'\n'));
    let (mut rest, mut found) = (&output[..], HashMap::new());
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let header = String::from_utf8(rest[..end].to_vec()).unwrap();
        let size: usize = header.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{header}"));
        found.insert(rest[..40].to_vec(), rest[end + 1..][..size].to_vec());
        rest = &rest[end + 1 + size + 1..];
    }
    found
}

fn check_history(repository: &Path, arguments: &[&str]) {
    let what = arguments.join(" ");
    let output = git_output(repository, arguments, b"");
    let patch = parse(&output, 1, &what);
    let nothing = |id: &[u8]| id.iter().all(|digit| *digit == b'0');
    let is_blob = |file: &&FilePatch<'_>| file.new_mode.or(file.old_mode) != Some(0o160_000);
    let ids = patch.files.iter().filter(is_blob).filter_map(|file| file.ids).flat_map(|(old, new)| [old, new]);
    let objects = objects(repository, &ids.filter(|id| !nothing(id)).collect::<Vec<_>>());
    let mut checked = 0;
    for file in patch.files.iter().filter(is_blob) {
        let Some((old, new)) = file.ids else {
            assert!(matches!(&file.body, Body::Hunks(hunks) if hunks.is_empty()), "{what}: {file:?}");
            continue;
        };
        let contents = |id: &[u8]| if nothing(id) { &b""[..] } else { &objects[id] };
        check(file, contents(old), contents(new), &what);
        checked += 1;
    }
    assert!(checked > 0, "{what}: no file was checked");
}

#[test]
fn this_repository_s_history_applies_both_ways() {
    let Some(root) = repository() else { return };
    let log = ["log", "-p", "--format=commit %H", "--full-index", "--no-merges"];
    for options in [
        &["--binary", "-n12", "--no-renames"][..],
        &["--binary", "-n12", "-M", "-C"],
        &["--binary", "-n6", "-U0"],
        &["--binary", "-n6", "-U10"],
        &["--binary", "-n6", "--minimal", "--no-prefix", "--src-prefix=old/", "--dst-prefix=newer/"],
        &["--binary", "-n6", "--patience", "--ws-error-highlight=all"],
    ] {
        check_history(&root, &[&log[..], options].concat());
    }
    let mails = ["format-patch", "--stdout", "--root", "--full-index", "--binary", "-M", "-20", "HEAD"];
    check_history(&root, &mails);
    let output = git_output(&root, &mails, b"");
    let mails = output.split(|byte| *byte == b'\n').filter(|line| line.ends_with(b" Mon Sep 17 00:00:00 2001")).count();
    assert_eq!(parse(&output, 1, "mails").files.last().unwrap().message as usize, mails - 1);
}

#[test]
fn versions_of_modules_apply_both_ways() {
    let Some(cache) = std::process::Command::new("go").args(["env", "GOMODCACHE"]).output().ok() else {
        return eprintln!("skipped: there is no Go");
    };
    let cache = PathBuf::from(String::from_utf8(cache.stdout).unwrap().trim());
    let pairs = [
        ("golang.org/x", "net@v0.43.0", "net@v0.58.0", "-U3"),
        ("golang.org/x", "text@v0.19.0", "text@v0.41.0", "-U0"),
        ("golang.org/x", "mod@v0.26.0", "mod@v0.40.0", "-U10"),
        ("golang.org/x", "crypto@v0.28.0", "crypto@v0.56.0", "--minimal"),
    ];
    for (folder, old, new, option) in pairs {
        let folder = cache.join(folder);
        if !folder.join(old).exists() || !folder.join(new).exists() {
            eprintln!("skipped: {old} and {new} are not in the module cache");
            continue;
        }
        let arguments =
            ["diff", "--no-index", "--no-ext-diff", "--full-index", "--binary", "-M", "-C", option, old, new];
        let output = git_output(&folder, &arguments, b"");
        let what = arguments.join(" ");
        // `a/net@v0.43.0/file`: the folder of the version goes away too.
        let patch = parse(&output, 2, &what);
        assert!(patch.files.len() > 10, "{what}");
        let (mut bytes, mut renames) = (0, 0);
        for file in &patch.files {
            let contents = |version: &str, name: &Option<std::borrow::Cow<'_, [u8]>>| match name {
                Some(name) => std::fs::read(folder.join(version).join(std::str::from_utf8(name).unwrap())).unwrap(),
                None => Vec::new(),
            };
            let (old, new) = (contents(old, &file.old_path), contents(new, &file.new_path));
            check(file, &old, &new, &what);
            renames += usize::from(matches!(file.change, Change::Rename | Change::Copy));
            bytes += old.len() + new.len();
            if bytes > 3 << 20 {
                break;
            }
        }
        eprintln!("{what}: {} files, {renames} renames or copies, {bytes} bytes", patch.files.len());
    }
}

#[test]
fn names_and_contents_of_all_kinds_apply_both_ways() {
    let folder = Folder::new("patch-kinds");
    let root = folder.path();
    git_output(root, &["init", "-q"], b"");
    let noise: Vec<u8> = (0..5000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut changed = noise.clone();
    changed[2500] ^= 1;
    let text = (0..60).map(|line| format!("line {line}\n")).collect::<String>();
    let old: Vec<(&str, Vec<u8>)> = vec![
        ("plain", b"a\nb\nc\n".to_vec()),
        ("two words", b"a\r\nb\r\n".to_vec()),
        ("quote\"d\t\u{e4}", b"a\nb".to_vec()),
        ("binary", noise.clone()),
        ("gone binary", noise),
        ("empty", Vec::new()),
        ("moved", text.clone().into_bytes()),
        ("no newline", b"a\nb".to_vec()),
        ("-- ", b"-- \n-- a\n++ b\n".to_vec()),
        ("latin", b"\xe4\n\xff\xfe\n".to_vec()),
    ];
    let new: Vec<(&str, Vec<u8>)> = vec![
        ("plain", b"a\nB\nc\nd\n".to_vec()),
        ("two words", b"a\r\nB\n".to_vec()),
        ("quote\"d\t\u{e4}", b"a\nb\n".to_vec()),
        ("binary", changed),
        ("new empty", Vec::new()),
        ("b/moved here", text.replace("line 30", "another line").into_bytes()),
        ("no newline", b"a\nc".to_vec()),
        ("-- ", b"-- \n++ b\n-- c\n".to_vec()),
        ("latin", b"\xe4\n\xff\n".to_vec()),
    ];
    for (name, bytes) in &old {
        folder.write(name, bytes);
    }
    git_output(root, &["add", "-A"], b"");
    for (name, _) in &old {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    for (name, bytes) in &new {
        folder.write(name, bytes);
    }
    git_output(root, &["add", "-A", "-N"], b"");
    for option in ["-U3", "-U0", "--no-renames", "-R", "--irreversible-delete"] {
        let output = git_output(root, &["diff", "--binary", "-M", "--no-ext-diff", option], b"");
        let patch = parse(&output, 1, option);
        assert!(patch.files.len() >= 9, "{option}");
        for file in &patch.files {
            let contents = |all: &[(&str, Vec<u8>)], name: &Option<std::borrow::Cow<'_, [u8]>>| {
                let wanted = name.as_deref().unwrap_or_default();
                all.iter()
                    .find(|(name, _)| name.as_bytes() == wanted)
                    .map(|(_, bytes)| bytes.clone())
                    .unwrap_or_default()
            };
            let (before, after) = if option == "-R" { (&new, &old) } else { (&old, &new) };
            let (before, after) = (contents(before, &file.old_path), contents(after, &file.new_path));
            // Such a patch lacks what it deletes.
            if option != "--irreversible-delete" || file.change != Change::Delete {
                check(file, &before, &after, option);
            }
        }
    }
    assert!(git(root, &["diff", "--quiet"], b"").status.code() == Some(1));
}
