//! Hunks go where git puts them when the file is not the one that the patch was made from.

use crate::git::{Folder, git, git_output};
use millwright_core::Budget;
use millwright_core::edits::Difference;
use millwright_core::patch::{ApplyError, ApplyOptions, Body, FilePatch, LineKind, ParseOptions, Patch, RejectKind};

const CASES: usize = 150;

/// Of how many different lines the files are made: few are at many places.
const ALPHABETS: [usize; 3] = [3, 8, 1000];

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn line(&mut self, alphabet: usize) -> String {
        format!("{}\n", self.below(alphabet))
    }

    fn edit(&mut self, lines: &[String], edits: usize, alphabet: usize) -> Vec<String> {
        let mut lines = lines.to_vec();
        for _ in 0..edits {
            let at = self.below(lines.len() + 1);
            match self.below(3) {
                0 => lines.insert(at, self.line(alphabet)),
                1 if at < lines.len() => drop(lines.remove(at)),
                _ if at < lines.len() => lines[at] = self.line(alphabet),
                _ => {}
            }
        }
        lines
    }

    fn text(&mut self, lines: &[String], cut: bool) -> String {
        let text = lines.concat();
        if cut && self.below(4) == 0 { text.trim_end().to_owned() } else { text }
    }
}

struct Compared {
    both: usize,
    neither: usize,
    stricter: usize,
}

/// Makes many patches, changes the old files, and lets git and us apply them.
fn compare(
    name: &str,
    options: &[&str],
    apply: &[&str],
    alphabets: [usize; 3],
    ours: ApplyOptions,
    may_refuse: impl Fn(&ApplyError) -> bool,
) -> Compared {
    let folder = Folder::new(name);
    let mut random = Random(name.bytes().map(u64::from).sum());
    // With less context, git is loose about a newline that is missing at the end of a hunk anywhere.
    let cut = ours.fuzz == 0;
    for case in 0..CASES {
        let alphabet = alphabets[case % 3];
        let count = random.below(40) + 1;
        let old: Vec<String> = (0..count).map(|_| random.line(alphabet)).collect();
        let edits = random.below(5) + 1;
        let new = random.edit(&old, edits, alphabet);
        let other = if ours.reverse { &new } else { &old };
        let edits = random.below(4);
        let target = random.edit(other, edits, alphabet);
        folder.write(&format!("old/{case}"), random.text(&old, cut).as_bytes());
        folder.write(&format!("new/{case}"), random.text(&new, cut).as_bytes());
        folder.write(&format!("target/{case}"), random.text(&target, cut).as_bytes());
    }
    let patch =
        git_output(folder.path(), &[&["diff", "--no-index", "--no-ext-diff", "old", "new"], options].concat(), b"");
    let parsed = Patch::parse(&patch, &ParseOptions { lenient: false, strip: 2 }).unwrap();
    let targets: Vec<Vec<u8>> = (0..CASES).map(|case| folder.read(&format!("target/{case}"))).collect();
    let target = folder.path().join("target");
    let output = git(&target, &[&["apply", "--reject", "-p2", "--whitespace=nowarn"], apply].concat(), &patch);
    assert!(output.status.code() == Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let mut compared = Compared { both: 0, neither: 0, stricter: 0 };
    for file in &parsed.files {
        let name = String::from_utf8(file.old_path.as_deref().unwrap().to_vec()).unwrap();
        let old = &targets[name.parse::<usize>().unwrap()];
        let theirs = (!folder.has(&format!("target/{name}.rej"))).then(|| folder.read(&format!("target/{name}")));
        let context = || format!("{}\n--- target\n{}", text_of(&patch, &parsed, file), String::from_utf8_lossy(old));
        match (file.apply(old, &ours, &mut Budget::default()), theirs) {
            (Ok(ours), Some(theirs)) => {
                let (ours, theirs) = (String::from_utf8_lossy(&ours.bytes), String::from_utf8_lossy(&theirs));
                assert_eq!(ours, theirs, "{}", context());
                compared.both += 1;
            }
            (Err(_), None) => compared.neither += 1,
            // Without any context, git takes a hunk to be the whole file, unless it is told that all hunks are so.
            (Ok(_), None) if without_context(file) => compared.stricter += 1,
            (Ok(ours), None) => panic!("git refuses\n{}\n--- ours\n{ours:?}", context()),
            (Err(error), Some(theirs)) => {
                let theirs = String::from_utf8_lossy(&theirs);
                assert!(may_refuse(&error), "{error:?}\n{}\n--- git\n{theirs}", context());
                compared.stricter += 1;
            }
        }
    }
    assert!(compared.both > 20 && compared.neither > 20, "{} {}", compared.both, compared.neither);
    assert!(compared.stricter * 8 < parsed.files.len(), "{} of {}", compared.stricter, parsed.files.len());
    compared
}

fn without_context(file: &FilePatch<'_>) -> bool {
    let Body::Hunks(hunks) = &file.body else { return false };
    hunks.iter().any(|hunk| hunk.lines().all(|line| line.kind != LineKind::Context))
}

fn text_of<'a>(patch: &'a [u8], parsed: &Patch<'_>, file: &FilePatch<'_>) -> std::borrow::Cow<'a, str> {
    let end = parsed.files.iter().map(|file| file.offset).find(|offset| *offset > file.offset).unwrap_or(patch.len());
    String::from_utf8_lossy(&patch[file.offset..end])
}

/// What we refuse and git does not: to sort hunks, and to take a last line without a newline for one with it.
fn known(error: &ApplyError) -> bool {
    let ApplyError::Rejected(rejects) = error else { return false };
    rejects.iter().any(|reject| {
        let newline = |near: &millwright_core::patch::Near| near.difference == Difference::FinalNewline;
        matches!(reject.kind, RejectKind::OutOfOrder { .. } | RejectKind::NotAtEnd { .. })
            || reject.nearest.iter().any(newline)
    })
}

const OPTIONS: ApplyOptions =
    ApplyOptions { reverse: false, fuzz: 0, anchored: true, seed: millwright_core::hash::Seed(7) };

#[test]
fn with_context_of_three_lines() {
    compare("drift-u3", &["-U3"], &[], ALPHABETS, OPTIONS, known);
}

#[test]
fn with_context_of_one_line() {
    compare("drift-u1", &["-U1"], &[], ALPHABETS, OPTIONS, known);
}

#[test]
fn with_context_of_two_lines_backwards() {
    compare("drift-u2r", &["-U2"], &["-R"], ALPHABETS, ApplyOptions { reverse: true, ..OPTIONS }, known);
}

/// With lines that differ, since with less context git no longer begins at the place that the header says.
#[test]
fn with_fuzz() {
    compare("drift-fuzz", &["-U3"], &["-C1"], [300, 1000, 5000], ApplyOptions { fuzz: 2, ..OPTIONS }, known);
}

#[test]
fn of_two_places_as_near_the_later_is_taken() {
    let folder = Folder::new("drift-tie");
    let (old, patch) = (b"0\n4\n5\n6\n\n4\n5\n6\n", b"--- a/x\n+++ b/x\n@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n");
    folder.write("x", old);
    git_output(folder.path(), &["apply"], patch);
    let ours =
        Patch::parse(patch, &ParseOptions::default()).unwrap().files[0].apply(old, &OPTIONS, &mut Budget::default());
    assert_eq!(ours.unwrap().bytes, folder.read("x"));
    assert_eq!(folder.read("x"), b"0\n4\n5\n6\n\n4\nfive\n6\n");
}
