use crate::git::{Folder, git_output};
use millwright_core::Budget;
use millwright_core::diff::{Context, Diff, Options, Whitespace};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

type Pair = (Vec<u8>, Vec<u8>);

/// The modified files of the commits of this repository, as pairs of contents; none where it has no history.
fn history(commits: &str) -> Vec<Pair> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join(".git").exists() {
        eprintln!("skipped: no history here");
        return Vec::new();
    }
    let log = ["log", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=M", "--format=", "-n", commits];
    let log = String::from_utf8(git_output(&root, &log, b"")).unwrap();
    let ids: Vec<&str> = log.lines().flat_map(|line| line.split(' ').skip(2).take(2)).collect();
    let contents = git_output(&root, &["cat-file", "--batch"], ids.join("\n").as_bytes());
    let mut rest = &contents[..];
    let mut blobs = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let header = std::str::from_utf8(&rest[..end]).unwrap();
        let size: usize = header.rsplit(' ').next().unwrap().parse().unwrap();
        blobs.push(rest[end + 1..end + 1 + size].to_vec());
        rest = &rest[end + size + 2..];
    }
    let is_text = |pair: &Pair| !pair.0.contains(&0) && !pair.1.contains(&0);
    blobs.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).filter(is_text).collect()
}

/// Files of two versions of a module in the cache of Go, as pairs of contents; none where there are no two versions.
fn module_versions(folder: &str, module: &str) -> Vec<Pair> {
    let output = std::process::Command::new("go").args(["env", "GOMODCACHE"]).output();
    let cache = output.map(|output| String::from_utf8(output.stdout).unwrap()).unwrap_or_default();
    let folder = Path::new(cache.trim()).join(folder);
    let names = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let mut versions: Vec<_> =
        names.filter(|name| name.to_str().is_some_and(|name| name.starts_with(module))).collect();
    versions.sort();
    let [first, .., last] = &versions[..] else {
        eprintln!("skipped: the module cache of Go has no two versions of {module}");
        return Vec::new();
    };
    let (old, new) = (folder.join(first), folder.join(last));
    let mut pairs = Vec::new();
    let mut folders = vec![old.clone()];
    while let Some(next) = folders.pop() {
        for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(after) = std::fs::read(new.join(path.strip_prefix(&old).unwrap())) {
                pairs.push((std::fs::read(path).unwrap(), after));
            }
        }
    }
    pairs.retain(|(before, after)| before != after && !before.contains(&0) && !after.contains(&0));
    pairs
}

/// Texts that look like code, made from a number: few different lines, some unique ones, sections, missing and foreign line ends.
fn generated(number: u64) -> Pair {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let long = "x".repeat(120);
    let line = |next: &mut dyn FnMut(u64) -> u64| match next(12) {
        0 => "}\n".to_owned(),
        1 => "\n".to_owned(),
        2 => "    if x {\r\n".to_owned(),
        3 => format!("fn name_{}() {{  \t\n", next(20)),
        4 => format!("_{} {long}\n", next(9)),
        5 => format!("\tcall({});\n", next(5)),
        6 => format!("é{}\n", next(9)),
        7 => "$a\u{b}\u{c}\r\n".to_owned(),
        _ => format!("    let v{} = {};  \n", next(1000), next(9)),
    };
    let before: Vec<String> = (0..next(120)).map(|_| line(&mut next)).collect();
    let mut after = before.clone();
    for _ in 0..next(8) {
        let at = next(after.len() as u64 + 1) as usize;
        let end = (at + next(6) as usize).min(after.len());
        if next(3) == 0 {
            // A copy of what is there can stand before or behind it, or anywhere between.
            let start = if next(2) == 0 { after.len().saturating_sub(3) } else { at };
            after.extend_from_within(start..end.max(start));
            after[start..].rotate_right(end.saturating_sub(start));
        } else {
            let new: Vec<String> = (0..next(5)).map(|_| line(&mut next)).collect();
            after.splice(at..end, new);
        }
    }
    let mut texts = [before.concat().into_bytes(), after.concat().into_bytes()];
    for text in &mut texts {
        if next(4) == 0 {
            text.pop();
        }
    }
    let [before, after] = texts;
    (before, after)
}

fn ours(pair: &Pair, options: &Options, context: Context) -> Vec<u8> {
    let mut patch = Vec::new();
    let diff = Diff::of(&pair.0, &pair.1, options, &mut Budget::default()).unwrap();
    assert!(!diff.is_degraded());
    diff.write_hunks(context, &mut patch).unwrap();
    patch
}

/// What git prints for each pair, without the headers of the files.
fn theirs(pairs: &[Pair], options: &[&str]) -> BTreeMap<usize, Vec<u8>> {
    let sandbox = Folder::new("diff");
    for (number, (before, after)) in pairs.iter().enumerate() {
        sandbox.write(&format!("a/{number}"), before);
        sandbox.write(&format!("b/{number}"), after);
    }
    let arguments = [&["diff", "--no-index", "--histogram", "--no-renames", "--text"], options, &["a", "b"]].concat();
    let output = sandbox.git(&arguments, b"");
    let mut patches = BTreeMap::new();
    let mut number = 0;
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"diff --git a/a/") {
            let name = name.split(|byte| *byte == b' ').next().unwrap();
            number = std::str::from_utf8(name).unwrap().parse().unwrap();
            patches.insert(number, Vec::new());
        } else if line.starts_with(b"@@") || patches.get(&number).is_some_and(|patch: &Vec<u8>| !patch.is_empty()) {
            patches.get_mut(&number).unwrap().extend_from_slice(line);
        }
    }
    patches
}

/// The lines of a patch that are added or removed.
fn script(patch: &[u8]) -> Vec<&[u8]> {
    patch.split(|byte| *byte == b'\n').filter(|line| matches!(line.first(), Some(b'+' | b'-'))).collect()
}

/// Says how many pairs have the same patch, after a check that only the choice of the changes makes a difference.
fn compare(pairs: &[Pair], options: &Options, context: Context, arguments: &[&str]) -> (usize, usize, usize) {
    let theirs = theirs(pairs, arguments);
    let (mut equal, mut our_lines, mut their_lines) = (0, 0, 0);
    for (number, pair) in pairs.iter().enumerate() {
        let (ours, theirs) = (ours(pair, options, context), theirs.get(&number).cloned().unwrap_or_default());
        our_lines += script(&ours).len();
        their_lines += script(&theirs).len();
        equal += usize::from(ours == theirs);
        let bodies = |patch: &[u8]| -> Vec<Vec<u8>> {
            patch.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"@@")).map(<[u8]>::to_vec).collect()
        };
        if ours != theirs && bodies(&ours) == bodies(&theirs) {
            let texts = [&ours, &theirs].map(|patch| String::from_utf8_lossy(patch).into_owned());
            panic!("only headers of pair {number} differ:\n{}\ninstead of\n{}", texts[0], texts[1]);
        }
    }
    (equal, our_lines, their_lines)
}

/// Has git apply all our patches at once.
fn apply(pairs: &[Pair], context: Context, arguments: &[&str]) {
    let sandbox = Folder::new("diff");
    let mut patch = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        let mut header = String::new();
        write!(header, "diff --git a/{number} b/{number}\n--- a/{number}\n+++ b/{number}\n").unwrap();
        let hunks = ours(pair, &Options::default(), context);
        if !hunks.is_empty() {
            patch.extend_from_slice(header.as_bytes());
            patch.extend_from_slice(&hunks);
        }
        sandbox.write(&number.to_string(), &pair.0);
    }
    sandbox.git(&[&["apply", "--whitespace=nowarn"], arguments, &["-"]].concat(), &patch);
    for (number, pair) in pairs.iter().enumerate() {
        let result = std::fs::read(sandbox.path().join(number.to_string())).unwrap_or_default();
        assert_eq!(result, pair.1, "pair {number}");
    }
}

#[test]
fn git_applies_the_changes_of_this_history() {
    let pairs = history("60");
    apply(&pairs, Context::default(), &[]);
    let (equal, ours, theirs) = compare(&pairs, &Options::default(), Context::default(), &[]);
    assert!(equal * 100 >= pairs.len() * 98, "{equal} of {} are equal", pairs.len());
    assert!(ours * 100 <= theirs * 102, "{ours} lines instead of {theirs}");
}

#[test]
fn changes_of_modules_are_those_of_git() {
    let pairs = [module_versions("golang.org/x", "crypto@"), module_versions("golang.org/x", "net@")].concat();
    let (equal, ours, theirs) = compare(&pairs, &Options::default(), Context::default(), &[]);
    assert!(equal * 100 >= pairs.len() * 95, "{equal} of {} are equal", pairs.len());
    assert!(ours * 100 <= theirs * 102, "{ours} lines instead of {theirs}");
}

#[test]
fn git_applies_generated_changes() {
    let pairs: Vec<Pair> =
        (0..400).map(generated).filter(|(before, after)| !before.is_empty() && !after.is_empty()).collect();
    apply(&pairs, Context::default(), &[]);
    apply(&pairs, Context { lines: 0, between_hunks: 0 }, &["--unidiff-zero"]);
    apply(&pairs, Context { lines: 1, between_hunks: 2 }, &[]);
}

#[test]
fn hunks_are_those_of_git() {
    let pairs: Vec<Pair> = (1000..1300).map(generated).collect();
    for (lines, between_hunks) in [(3, 0), (0, 0), (1, 4), (25, 0)] {
        let arguments = [format!("-U{lines}"), format!("--inter-hunk-context={between_hunks}")];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let context = Context { lines, between_hunks };
        let (equal, ours, theirs) = compare(&pairs, &Options::default(), context, &arguments);
        assert!(equal * 100 >= pairs.len() * 98, "{equal} of {} are equal with {arguments:?}", pairs.len());
        assert!(ours * 100 <= theirs * 102, "{ours} lines instead of {theirs}");
    }
}

#[test]
fn groups_that_can_slide_are_where_git_has_them() {
    let blocks = [
        "x\n",
        "a {\n  b\n}\n",
        "  b\n}\n\na {\n",
        "\n\nfoo\n",
        "}\n  else\n",
        "  x\n\ty\n\n",
        "a\n    b\n",
        "    b\na\n",
    ];
    let mut pairs = Vec::new();
    for block in blocks {
        for start in ["", "start\n", "\n", "    deep\n"] {
            for end in ["", "end\n", "\n", "  deeper\n", "\n\n  }\n"] {
                for (old, new) in [(1, 2), (2, 4), (3, 2)] {
                    let text = |count| [start, &block.repeat(count), end].concat().into_bytes();
                    pairs.push((text(old), text(new)));
                }
            }
        }
    }
    let (equal, ..) = compare(&pairs, &Options::default(), Context::default(), &[]);
    assert_eq!(equal, pairs.len());
}

#[test]
fn sections_are_cut_where_git_cuts_them() {
    let long = |start: usize, end: &str| [&b"x".repeat(start)[..], end.as_bytes()].concat();
    let mut sections: Vec<Vec<u8>> = (72..84).map(|start| long(start, "\té€𝄞 end")).collect();
    sections.extend(["a \u{fffe}b", "a \u{ffff}", "a \u{fffd}b", "a \u{10ffff}b", "a\u{1fffe}b"].map(Into::into));
    let malformed: [&[u8]; 8] = [
        b"\xff",
        b"\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xc3",
    ];
    sections.extend(malformed.map(|bytes| [b"a b \t", bytes, b"c"].concat()));
    let pair = |section: Vec<u8>| {
        let text = |last: &[u8]| [&section[..], b"\n 1\n 2\n 3\n", last].concat();
        (text(b" old\n"), text(b" new\n"))
    };
    let pairs: Vec<Pair> = sections.into_iter().map(pair).collect();
    let (equal, ..) = compare(&pairs, &Options::default(), Context::default(), &[]);
    assert_eq!(equal, pairs.len());
}

#[test]
fn white_space_is_ignored_as_git_does() {
    let pairs: Vec<Pair> = (2000..2200)
        .map(generated)
        .map(|(before, after)| (before, String::from_utf8(after).unwrap().replace("  \n", "\n").replace("    ", "\t")))
        .map(|(before, after)| (before, after.into_bytes()))
        .collect();
    for (whitespace, argument) in
        [(Whitespace::Ignored, "--ignore-all-space"), (Whitespace::IgnoredAtLineEnd, "--ignore-space-at-eol")]
    {
        let options = Options { whitespace, ..Options::default() };
        let (equal, ..) = compare(&pairs, &options, Context::default(), &[argument]);
        assert!(equal * 100 >= pairs.len() * 98, "{equal} of {} are equal with {argument}", pairs.len());
    }
}
