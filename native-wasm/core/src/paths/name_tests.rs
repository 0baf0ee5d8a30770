use super::*;
use proptest::prelude::*;

/// The violations of a path, with what each is about.
fn faults(path: &str) -> Vec<(Violation, String)> {
    let shown = |fault: Fault| (fault.violation, String::from_utf8_lossy(&path.as_bytes()[fault.at]).into_owned());
    check(path.as_bytes(), Mode::File).into_iter().map(shown).collect()
}

fn one(path: &str, violation: Violation, about: &str) {
    assert_eq!(faults(path), [(violation, about.to_owned())], "{path}");
}

#[test]
fn usual_paths_have_no_faults() {
    for path in [
        "a",
        "src/main.rs",
        ".github/workflows/ci.yml",
        ".gitignore",
        "docs/Übersicht 漢字 🦀.md",
        "a b/c..d/e...",
        "console/auxiliary.c",
        "~/x",
        "com0",
        "lpt",
        "...",
    ] {
        assert_eq!(faults(path), [], "{path}");
    }
}

#[test]
fn paths_that_leave_or_hide() {
    one("", Violation::Empty, "");
    one("a//b", Violation::Empty, "");
    one("a/", Violation::Empty, "");
    one("a/  /b", Violation::Empty, "  ");
    one("a/./b", Violation::Here, ".");
    one("a/../b", Violation::Parent, "..");
    one("a/.. /b", Violation::Parent, ".. ");
    one("a/.\u{200c}./b", Violation::Parent, ".\u{200c}.");
    one("a/．．/b", Violation::Parent, "．．");
    one("/a", Violation::Absolute, "/");
    one("C:a", Violation::Drive, "C:");
    one("a\\b", Violation::Backslash, "\\");
    assert_eq!(faults("/")[0].0, Violation::Absolute);
    assert_eq!(faults("//server/x")[0], (Violation::Server, "//".to_owned()));
    assert_eq!(
        faults("\\\\server\\x").iter().map(|fault| fault.0).collect::<Vec<_>>(),
        [Violation::Server, Violation::Backslash]
    );
}

#[test]
fn git_in_disguise_is_named_with_its_component() {
    one("a/.GIT/b", Violation::DotGit, ".GIT");
    one("git~1", Violation::DotGit, "git~1");
    one("a/.git. ./b", Violation::DotGit, ".git. .");
    one("ｇｉｔ～1/x", Violation::DotGit, "ｇｉｔ～1");
    assert!(faults(".git::$INDEX_ALLOCATION").iter().any(|fault| fault.0 == Violation::DotGit));
    assert!(faults("a\\.git\\b").iter().any(|fault| fault.0 == Violation::DotGit));
}

#[test]
fn settings_must_be_no_symlinks() {
    let linked =
        |path: &[u8]| check(path, Mode::Symlink).iter().any(|fault| fault.violation == Violation::LinkedSettings);
    assert!(linked(b".gitmodules") && linked(b"a/.GitAttributes") && linked(b"gi7eba~1") && linked(b".gitignore."));
    assert!(!linked(b".gitkeep") && faults(".gitmodules").is_empty());
}

#[test]
fn characters_that_act() {
    one("a/b\nc", Violation::Control, "\n");
    one("a\0", Violation::Control, "\0");
    one("a\u{85}b", Violation::Control, "\u{85}");
    one("a\u{202e}txt", Violation::Bidirectional, "\u{202e}");
    let faults = check(b"a/b\xff\xfec", Mode::File);
    assert_eq!(faults, [Fault { violation: Violation::InvalidUtf8, at: 3..4 }]);
}

#[test]
fn what_windows_cannot_have() {
    for path in ["con", "a/NUL.txt", "Aux .c", "COM1", "lpt9:x", "com²", "conin$"] {
        assert!(faults(path).iter().any(|fault| fault.0 == Violation::Device), "{path}");
    }
    one("ab:c", Violation::Stream, ":");
    assert_eq!(faults("C:a:b").iter().map(|fault| fault.0).collect::<Vec<_>>(), [Violation::Drive, Violation::Stream]);
}

#[test]
fn bounds_are_inclusive() {
    let long = |bytes: usize| "a".repeat(bytes);
    assert_eq!(faults(&long(255)), []);
    one(&long(256), Violation::LongComponent, &long(256));
    let deep = |depth: usize| vec!["a"; depth].join("/");
    assert_eq!(faults(&deep(256)), []);
    one(&deep(258), Violation::Deep, "a/a");
    let path = format!("{}/", long(240)).repeat(17);
    assert_eq!(faults(&path[..4096]), []);
    one(&format!("{}a", &path[..4096]), Violation::LongPath, "a");
}

#[test]
fn a_path_of_hostile_depth_takes_no_stack() {
    let faults = faults(&"a/".repeat(1_000_000));
    assert_eq!(
        faults.iter().map(|fault| fault.0).collect::<Vec<_>>(),
        [Violation::LongPath, Violation::Deep, Violation::Empty]
    );
}

proptest! {
    /// Ranges are within the path, and each violation comes once.
    #[test]
    fn ranges_are_within_the_path(path in proptest::collection::vec(prop_oneof![proptest::sample::select(&b"./\\:~gitGIT \n"[..]), any::<u8>()], 0..40)) {
        let mut seen = Violations::NONE;
        for fault in check(&path, Mode::Symlink) {
            prop_assert!(path.get(fault.at).is_some());
            prop_assert!(!seen.contains(fault.violation));
            seen.insert(fault.violation);
        }
    }
}
