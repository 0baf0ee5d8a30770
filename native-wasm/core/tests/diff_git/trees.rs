use crate::git::{Folder, git_output};
use millwright_core::Budget;
use millwright_core::diff::{Entry, Format, Mode, Options, Pair, Pairs, Renames, pairs, write_patch};
use millwright_core::hash::Seed;
use std::collections::BTreeMap;
use std::path::Path;

/// A tree that is not in git yet: mode and content by path; for a gitlink the content is the id in hexadecimal digits.
type Draft = BTreeMap<Vec<u8>, (Mode, Vec<u8>)>;

/// A tree of git: path, mode, id and content of each entry.
struct Tree(Vec<Stored>);

type Stored = (Vec<u8>, Mode, Vec<u8>, Vec<u8>);

impl Tree {
    fn read(folder: &Path, revision: &str) -> Self {
        let listing = git_output(folder, &["ls-tree", "-r", "-z", "--full-tree", revision], b"");
        let mut entries = Vec::new();
        let mut ids = String::new();
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t').unwrap();
            let words: Vec<&str> = std::str::from_utf8(&line[..tab]).unwrap().split(' ').collect();
            let mode = Mode::from_bits(u32::from_str_radix(words[0], 8).unwrap()).unwrap();
            let id = (0..words[2].len() / 2).map(|at| u8::from_str_radix(&words[2][2 * at..2 * at + 2], 16).unwrap());
            if mode != Mode::Gitlink {
                ids += words[2];
                ids += "\n";
            }
            entries.push((line[tab + 1..].to_vec(), mode, id.collect(), Vec::new()));
        }
        let contents = git_output(folder, &["cat-file", "--batch"], ids.as_bytes());
        let mut rest = &contents[..];
        for (_, _, _, bytes) in entries.iter_mut().filter(|entry| entry.1 != Mode::Gitlink) {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            let size: usize = std::str::from_utf8(&rest[..end]).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
            *bytes = rest[end + 1..end + 1 + size].to_vec();
            rest = &rest[end + size + 2..];
        }
        Self(entries)
    }

    fn entries(&self, ids: bool) -> Vec<Entry<'_>> {
        let id = |mode: Mode, id| (ids || mode == Mode::Gitlink).then_some(id);
        self.0
            .iter()
            .map(|(path, mode, oid, bytes)| Entry { path, mode: *mode, id: id(*mode, &oid[..]), bytes })
            .collect()
    }
}

/// A repository with each draft as a commit of a branch: the number of the pair and a or b.
fn repository(drafts: &[(Draft, Draft)]) -> Folder {
    let sandbox = Folder::new("diff");
    sandbox.git(&["init", "-q"], b"");
    let mut stream = Vec::new();
    for (number, (before, after)) in drafts.iter().enumerate() {
        for (side, draft) in [("a", before), ("b", after)] {
            stream.extend(format!("commit refs/heads/{number}{side}\ncommitter a <a> 0 +0000\ndata 0\n").bytes());
            for (path, (mode, bytes)) in draft {
                let quoted = path.iter().fold(String::new(), |name, byte| name + &format!("\\{byte:03o}"));
                if *mode == Mode::Gitlink {
                    stream.extend(format!("M 160000 {} \"{quoted}\"\n", std::str::from_utf8(bytes).unwrap()).bytes());
                } else {
                    stream.extend(format!("M {} inline \"{quoted}\"\ndata {}\n", mode.octal(), bytes.len()).bytes());
                    stream.extend(bytes);
                    stream.push(b'\n');
                }
            }
        }
    }
    sandbox.git(&["fast-import", "--quiet"], &stream);
    sandbox
}

fn found<'a>(before: &[Entry<'a>], after: &[Entry<'a>]) -> Pairs<'a> {
    let found = pairs(before, after, Some(Renames::default()), Seed(5), &mut Budget::default()).unwrap();
    assert!(!found.degraded);
    found
}

fn patch(pairs: &[Pair], format: &Format) -> Vec<u8> {
    let mut out = Vec::new();
    write_patch(pairs, &Options::default(), format, &mut Budget::default(), &mut out).unwrap();
    out
}

/// Has git apply a patch to a tree, and compares the result with another.
fn apply(sandbox: &Folder, before: &str, after: &str, patch: &[u8]) {
    sandbox.git(&["read-tree", before], b"");
    if !patch.is_empty() {
        sandbox.git(&["apply", "--cached", "--whitespace=nowarn", "-"], patch);
    }
    let tree = sandbox.git(&["write-tree"], b"");
    let expected = sandbox.git(&["rev-parse", &format!("{after}^{{tree}}")], b"");
    assert_eq!(tree, expected, "{before}: {}", String::from_utf8_lossy(patch));
}

fn draft(entries: &[(&str, Mode, &str)]) -> Draft {
    entries.iter().map(|(path, mode, bytes)| (path.as_bytes().to_vec(), (*mode, bytes.as_bytes().to_vec()))).collect()
}

const COMMIT: &str = "0123456789012345678901234567890123456789";
const OTHER_COMMIT: &str = "9876543210987654321098765432109876543210";

/// All kinds of changes in one tree.
fn all_kinds() -> (Draft, Draft) {
    use Mode::{Executable, File, Gitlink, Symlink};
    let text = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
    let alike = "one\ntwo\nthree\nfour\nfive\nsix\n7\n";
    let before = draft(&[
        ("deleted", File, "gone\n"),
        ("deleted empty", File, ""),
        ("dir/moved.txt", File, text),
        ("exact", File, "the same\n"),
        ("file to link", File, "target"),
        ("link", Symlink, "a target"),
        ("link to file", Symlink, "target"),
        ("mode", File, "x\n"),
        ("mode and text", File, "x\n"),
        ("moved mode", File, "one\ntwo\nthree\nanother file\nfour\n"),
        ("no end", File, "a\nb"),
        ("quote\"d\té", File, "a\n"),
        ("same", File, text),
        ("sub", Gitlink, COMMIT),
        ("sub gone", Gitlink, COMMIT),
        ("with space", File, "a\n"),
        ("was file", File, "a\n"),
        ("was folder/a", File, "in a folder\n"),
        ("binary", File, "a\0b"),
        ("binary gone", File, "\0"),
    ]);
    let after = draft(&[
        ("added", Executable, "new\n"),
        ("added empty", File, ""),
        ("other dir/moved.txt", File, alike),
        ("exact copy", File, "the same\n"),
        ("file to link", Symlink, "target"),
        ("link", Symlink, "another target"),
        ("link to file", Executable, "target"),
        ("mode", Executable, "x\n"),
        ("mode and text", Executable, "y\n"),
        ("now mode", Executable, "one\ntwo\nthree\nanother file\nfour\nfive\n"),
        ("no end", File, "a\nb\n"),
        ("quote\"d\té", File, "b\n"),
        ("same", File, text),
        ("sub", Gitlink, OTHER_COMMIT),
        ("sub new", Gitlink, OTHER_COMMIT),
        ("with space", File, "b\n"),
        ("was file/a", File, "quite another\n"),
        ("was folder", File, "something else\n"),
        ("binary", File, "a\0c"),
        ("new \\ binary", File, "c\0"),
    ]);
    (before, after)
}

#[test]
fn patches_of_all_kinds_are_those_of_git() {
    let sandbox = repository(&[all_kinds()]);
    let (before, after) = (Tree::read(sandbox.path(), "0a"), Tree::read(sandbox.path(), "0b"));
    let (before, after) = (before.entries(true), after.entries(true));
    let found = found(&before, &after);
    for (arguments, format) in [
        (["-c", "core.quotePath=true", "--full-index"], Format::default()),
        (
            ["-c", "core.quotePath=false", "--abbrev=12"],
            Format { quote_path: false, id_digits: 12, ..Format::default() },
        ),
    ] {
        let [c, quote, ids] = arguments;
        let theirs = sandbox.git(&[c, quote, "diff", "--histogram", "-M", ids, "0a", "0b"], b"");
        let ours = patch(&found.pairs, &format);
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
    }
}

#[test]
fn git_applies_patches_of_all_kinds() {
    let (mut before, mut after) = all_kinds();
    for draft in [&mut before, &mut after] {
        draft.retain(|_, (_, bytes)| !bytes.contains(&0));
    }
    let sandbox = repository(&[(before, after)]);
    let (before, after) = (Tree::read(sandbox.path(), "0a"), Tree::read(sandbox.path(), "0b"));
    for ids in [true, false] {
        let (before, after) = (before.entries(ids), after.entries(ids));
        apply(&sandbox, "0a", "0b", &patch(&found(&before, &after).pairs, &Format::default()));
        apply(&sandbox, "0b", "0a", &patch(&found(&after, &before).pairs, &Format::default()));
    }
}

/// A tree and what became of it, from a number: contents of few different lines, so that many are alike.
fn generated(number: u64) -> (Draft, Draft) {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let content = |next: &mut dyn FnMut(u64) -> u64| -> Vec<u8> {
        (0..next(12)).flat_map(|_| format!("line {}\n", next(30)).into_bytes()).collect()
    };
    let path = |next: &mut dyn FnMut(u64) -> u64| format!("d{}/e{}/f {}", next(3), next(2), next(6)).into_bytes();
    let mode = |next: &mut dyn FnMut(u64) -> u64| if next(5) == 0 { Mode::Executable } else { Mode::File };
    let mut before = Draft::new();
    for _ in 0..next(15) {
        before.insert(path(&mut next), (mode(&mut next), content(&mut next)));
    }
    let mut after = Draft::new();
    for (old, (old_mode, bytes)) in &before {
        let mut bytes = bytes.clone();
        if next(3) == 0 {
            bytes.extend(content(&mut next).iter().take(20));
        }
        match next(5) {
            0 => {}
            1 | 2 => drop(after.insert(path(&mut next), (mode(&mut next), bytes))),
            3 => drop(after.insert(old.clone(), (mode(&mut next), bytes))),
            _ => drop(after.insert(old.clone(), (*old_mode, bytes))),
        }
    }
    (before, after)
}

#[test]
fn git_applies_patches_of_generated_trees() {
    let drafts: Vec<(Draft, Draft)> = (0..60).map(generated).collect();
    let sandbox = repository(&drafts);
    let mut equal = 0;
    for number in 0..drafts.len() {
        let (a, b) = (format!("{number}a"), format!("{number}b"));
        let (before, after) = (Tree::read(sandbox.path(), &a), Tree::read(sandbox.path(), &b));
        let (before, after) = (before.entries(true), after.entries(true));
        let ours = patch(&found(&before, &after).pairs, &Format::default());
        apply(&sandbox, &a, &b, &ours);
        let theirs = sandbox.git(&["diff", "--histogram", "-M", "--full-index", &a, &b], b"");
        equal += usize::from(ours == theirs);
    }
    assert!(equal * 100 >= drafts.len() * 80, "{equal} of {} are equal", drafts.len());
}

#[test]
fn git_applies_a_patch_of_this_history() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join(".git").exists() {
        eprintln!("skipped: no history here");
        return;
    }
    let git = |arguments: &[&str]| String::from_utf8(git_output(&root, arguments, b"")).unwrap();
    let commits = git(&["rev-list", "--first-parent", "--max-count=60", "HEAD"]);
    let (new, old) = (commits.lines().next().unwrap(), commits.lines().last().unwrap());
    let objects = root.join(git(&["rev-parse", "--git-path", "objects"]).trim());
    let sandbox = Folder::new("diff");
    sandbox.git(&["init", "-q"], b"");
    sandbox.write(".git/objects/info/alternates", objects.canonicalize().unwrap().to_str().unwrap().as_bytes());

    let ((before, old), (after, new)) = (texts_of(&sandbox, &root, old), texts_of(&sandbox, &root, new));
    let (before, after) = (before.entries(true), after.entries(true));
    let ours = patch(&found(&before, &after).pairs, &Format::default());
    apply(&sandbox, &old, &new, &ours);
}

/// A tree without binary files, of which our patches only say that they differ, and its id in the sandbox.
fn texts_of(sandbox: &Folder, root: &Path, revision: &str) -> (Tree, String) {
    let mut tree = Tree::read(root, revision);
    let is_binary = |(_, _, _, bytes): &Stored| bytes.contains(&0);
    let binaries: Vec<_> =
        tree.0.iter().filter(|entry| is_binary(entry)).flat_map(|(path, ..)| [&path[..], b"\0"]).collect();
    sandbox.git(&["read-tree", revision], b"");
    sandbox.git(&["update-index", "-z", "--force-remove", "--stdin"], &binaries.concat());
    tree.0.retain(|entry| !is_binary(entry));
    let id = sandbox.git(&["write-tree"], b"");
    (tree, String::from_utf8(id).unwrap().trim().to_owned())
}
