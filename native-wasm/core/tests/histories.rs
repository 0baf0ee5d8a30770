//! Every change of real histories: our patch makes the new tree of the old one, by us and by git, and back; and we apply the patch of git.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_collect,
    reason = "helpers of tests may fail, and need not be fast"
)]

#[path = "support/git.rs"]
mod git;

use git::{Folder, git_output};
use millwright_core::Budget;
use millwright_core::diff::{Entry, Format, Mode, Options, Renames, pairs, write_patch};
use millwright_core::hash::Seed;
use millwright_core::patch::{ApplyOptions, ParseOptions, Patch, TreeFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The changed files of a side by path.
type Files = BTreeMap<Vec<u8>, File>;

#[derive(Clone, PartialEq, Eq)]
struct File {
    mode: Mode,
    id: Vec<u8>,
    bytes: Vec<u8>,
}

/// From one tree to the next.
struct Step<'h> {
    history: &'h Path,
    old_tree: String,
    new_tree: String,
    old: Files,
    new: Files,
}

/// Names the empty tree in every repository.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

impl<'h> Step<'h> {
    fn read(history: &'h Path, old: &str, new: &str) -> Self {
        let tree = |revision: &str| text(git_output(history, &["rev-parse", &format!("{revision}^{{tree}}")], b""));
        let (old_tree, new_tree) = (tree(old), tree(new));
        let arguments = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", &old_tree, &new_tree];
        let raw = git_output(history, &arguments, b"");
        let (mut old, mut new) = (Files::new(), Files::new());
        let mut fields = raw.split(|byte| *byte == 0);
        while let (Some([b':', what @ ..]), Some(path)) = (fields.next(), fields.next()) {
            let words: Vec<&str> = std::str::from_utf8(what).unwrap().split(' ').collect();
            for (files, mode, id) in [(&mut old, words[0], words[2]), (&mut new, words[1], words[3])] {
                if let Some(mode) = Mode::from_bits(u32::from_str_radix(mode, 8).unwrap()) {
                    assert!(mode != Mode::Gitlink, "its contents are elsewhere: take a history without submodules");
                    files.insert(path.to_vec(), File { mode, id: bytes_of(id), bytes: Vec::new() });
                }
            }
        }
        read_contents(history, old.values_mut().chain(new.values_mut()).collect());
        Self { history, old_tree, new_tree, old, new }
    }

    /// Checks the step in a repository that has the objects of its history.
    fn check(&self, sandbox: &Folder) {
        let what = format!("{}: {}..{}", self.history.display(), self.old_tree, self.new_tree);
        let is_binary = |path: &[u8]| {
            [&self.old, &self.new].iter().any(|side| side.get(path).is_some_and(|file| file.bytes.contains(&0)))
        };
        let texts = |files: &Files| -> Files {
            files.iter().filter(|(path, _)| !is_binary(path)).map(|(path, file)| (path.clone(), file.clone())).collect()
        };
        let (old, new) = (texts(&self.old), texts(&self.new));
        let ours = patch(&old, &new);
        assert_makes(&ours, &old, &new, &what);

        sandbox.git(&["read-tree", &self.old_tree], b"");
        if !ours.is_empty() {
            sandbox.git(&["apply", "--cached", "--whitespace=nowarn", "-"], &ours);
        }
        // Our patches only say of binary files that they differ.
        let mut binaries = Vec::new();
        for path in self.old.keys().chain(self.new.keys()).filter(|path| is_binary(path)) {
            let entry = match self.new.get(path) {
                Some(file) => format!("{} {}\t", file.mode.octal(), digits_of(&file.id)),
                None => format!("0 {}\t", "0".repeat(40)),
            };
            binaries.extend([entry.as_bytes(), path, b"\0"].concat());
        }
        sandbox.git(&["update-index", "-z", "--index-info"], &binaries);
        let made = text(sandbox.git(&["write-tree"], b""));
        assert!(made == self.new_tree, "{what}: git makes another tree of our patch");

        let arguments =
            ["diff", "--binary", "-M", "-C", "--full-index", "--no-ext-diff", &self.old_tree, &self.new_tree];
        assert_makes(&git_output(self.history, &arguments, b""), &self.old, &self.new, &what);
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().trim().to_owned()
}

fn bytes_of(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn digits_of(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_contents(history: &Path, files: Vec<&mut File>) {
    let ids: String = files.iter().map(|file| digits_of(&file.id) + "\n").collect();
    let contents = git_output(history, &["cat-file", "--batch"], ids.as_bytes());
    let mut rest = &contents[..];
    for file in files {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let size: usize = std::str::from_utf8(&rest[..end]).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        file.bytes = rest[end + 1..end + 1 + size].to_vec();
        rest = &rest[end + size + 2..];
    }
}

/// Our patch between two sets of files.
fn patch(old: &Files, new: &Files) -> Vec<u8> {
    let [old, new] = [old, new].map(|files| -> Vec<Entry<'_>> {
        files
            .iter()
            .map(|(path, file)| Entry { path, mode: file.mode, id: Some(&file.id), bytes: &file.bytes })
            .collect()
    });
    let found = pairs(&old, &new, Some(Renames::default()), Seed(5), &mut Budget::default()).unwrap();
    let mut out = Vec::new();
    write_patch(&found.pairs, &Options::default(), &Format::default(), &mut Budget::default(), &mut out).unwrap();
    out
}

/// A patch makes one set of files of the other by our hands, and back.
fn assert_makes(patch: &[u8], old: &Files, new: &Files, what: &str) {
    let parsed = Patch::parse(patch, &ParseOptions::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for (reverse, from, to) in [(false, old, new), (true, new, old)] {
        let files: Vec<_> =
            from.iter().map(|(path, file)| TreeFile { path, mode: file.mode.bits(), bytes: &file.bytes }).collect();
        let options = ApplyOptions { reverse, ..ApplyOptions::default() };
        let changes = parsed.apply(&files, &options, &mut Budget::default()).unwrap();
        for applied in changes.files {
            applied.unwrap_or_else(|error| panic!("{what} (reverse: {reverse}): {error}"));
        }
        let mut made: BTreeMap<_, _> =
            from.iter().map(|(path, file)| (path.clone(), (file.mode.bits(), file.bytes.clone()))).collect();
        made.extend(changes.written.into_iter().map(|file| (file.path, (file.mode, file.bytes))));
        made.retain(|path, _| !changes.deleted.contains(path));
        let wanted: BTreeMap<_, _> =
            to.iter().map(|(path, file)| (path.clone(), (file.mode.bits(), file.bytes.clone()))).collect();
        assert!(made == wanted, "{what} (reverse: {reverse}): another result");
    }
}

/// A repository that has the objects of another.
fn sandbox_of(history: &Path) -> Folder {
    let sandbox = Folder::repository("histories");
    let objects = history.join(text(git_output(history, &["rev-parse", "--git-path", "objects"], b"")));
    sandbox.write(".git/objects/info/alternates", objects.canonicalize().unwrap().to_str().unwrap().as_bytes());
    sandbox
}

#[test]
fn this_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join(".git").exists() {
        return eprintln!("skipped: the sources are not in a git repository");
    }
    let sandbox = sandbox_of(&root);
    let commits = text(git_output(&root, &["log", "--format=%H %P", "HEAD"], b""));
    let mut count = 0;
    for commit in commits.lines() {
        let mut names = commit.split(' ');
        let (new, old) = (names.next().unwrap(), names.next());
        // The oldest of a shallow clone has a parent that is not here.
        if old.is_some_and(|old| !git::git(&root, &["cat-file", "-e", old], b"").status.success()) {
            continue;
        }
        Step::read(&root, old.unwrap_or(EMPTY_TREE), new).check(&sandbox);
        count += 1;
    }
    eprintln!("{count} commits");
}

/// The versions of a module as one history, from nothing to the last of them.
fn module(name: &str, versions: &[&str]) {
    let sandbox = Folder::repository("histories");
    let mut trees = vec![EMPTY_TREE.to_owned()];
    for version in versions {
        let folder = download(&format!("{name}@{version}"));
        let work_tree = format!("--work-tree={}", folder.display());
        sandbox.git(&[&work_tree, "add", "--all", "--force", "."], b"");
        trees.push(text(sandbox.git(&["write-tree"], b"")));
    }
    // The objects of the empty tree are not in the repository yet.
    sandbox.git(&["hash-object", "-t", "tree", "-w", "--stdin"], b"");
    for pair in trees.windows(2) {
        Step::read(sandbox.path(), &pair[0], &pair[1]).check(&sandbox);
    }
}

/// Where the ordinary client of Go puts the sources of a version, which it fetches if they are not there yet.
fn download(version: &str) -> PathBuf {
    let output =
        Command::new("go").args(["mod", "download", "-json", version]).current_dir(std::env::temp_dir()).output();
    let output = output
        .unwrap_or_else(|error| panic!("go: {error}: install Go, which the local platform is built with as well"));
    let answer = String::from_utf8(output.stdout).unwrap();
    let folder = answer.lines().find_map(|line| line.trim().strip_prefix("\"Dir\": \"")?.strip_suffix("\","));
    PathBuf::from(folder.unwrap_or_else(|| panic!("{version}: {answer}")))
}

#[test]
fn a_module_of_protocols() {
    module("golang.org/x/net", &["v0.30.0", "v0.43.0", "v0.47.0", "v0.49.0", "v0.57.0", "v0.58.0"]);
}

#[test]
fn a_module_of_ciphers() {
    module("golang.org/x/crypto", &["v0.28.0", "v0.35.0", "v0.41.0", "v0.45.0", "v0.55.0", "v0.56.0"]);
}

#[test]
fn a_module_of_texts() {
    module("golang.org/x/text", &["v0.19.0", "v0.41.0"]);
}
