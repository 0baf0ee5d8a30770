use super::*;
use crate::paths::{PolicyRules, parse_listing};
use proptest::prelude::*;
use std::sync::LazyLock;

/// A file (`path`, or `path = id`), an executable (`*path`), a symlink (`path -> target`), a submodule (`path @ id`).
fn entry(line: &str) -> Entry<'static> {
    let line: &'static str = line.to_owned().leak();
    let split = |separator| line.split_once(separator).map(|(path, rest): (&str, &str)| (path, rest.as_bytes()));
    let (path, mode, id, target) = if let Some((path, target)) = split(" -> ") {
        (path, Mode::Symlink, target, Some(target))
    } else if let Some((path, id)) = split(" @ ") {
        (path, Mode::Submodule, id, None)
    } else {
        let (path, id) = split(" = ").unwrap_or((line, b"1"));
        match path.strip_prefix('*') {
            Some(path) => (path, Mode::Executable, id, None),
            None => (path, Mode::File, id, None),
        }
    };
    Entry { mode, id, path: path.as_bytes(), target }
}

static DEFAULT: LazyLock<Policy> = LazyLock::new(|| Policy::new(&PolicyRules::default()).unwrap());

fn run_by(before: &[&str], after: &[&str], policy: &Policy) -> Report<'static> {
    let entries = |lines: &[&str]| lines.iter().map(|line| entry(line)).collect::<Vec<_>>();
    judge(&entries(before), &entries(after), policy, &mut Budget::default()).unwrap()
}

fn run(before: &[&str], after: &[&str], rules: &PolicyRules<'_>) -> Report<'static> {
    run_by(before, after, &Policy::new(rules).unwrap())
}

/// The violations by path.
fn found(report: &Report<'_>) -> Vec<(String, Violation)> {
    let path = |finding: &Finding| String::from_utf8_lossy(report.paths()[finding.path as usize].path).into_owned();
    report.findings().iter().map(|finding| (path(finding), finding.violation)).collect()
}

fn finds(before: &[&str], after: &[&str], expected: &[(&str, Violation)]) {
    let expected: Vec<_> = expected.iter().map(|(path, violation)| ((*path).to_owned(), *violation)).collect();
    assert_eq!(found(&run_by(before, after, &DEFAULT)), expected, "{before:?} {after:?}");
}

#[test]
fn only_what_changed_is_judged() {
    finds(&["aux.c", "a", "A", "l -> /etc"], &["aux.c = 2", "a", "A", "l -> /etc", "b"], &[]);
    let report = run_by(&["a", "b", "c"], &["a", "b = 2", "d"], &DEFAULT);
    let changes: Vec<_> = report.paths().iter().map(|touched| (touched.path, touched.change)).collect();
    assert_eq!(changes, [(&b"b"[..], Change::Modified), (b"c", Change::Deleted), (b"d", Change::Added)]);
}

#[test]
fn new_names_are_checked() {
    finds(&[], &["a/.git/x"], &[("a/.git/x", Violation::DotGit)]);
    finds(&[".gitignore"], &[".gitignore -> x"], &[(".gitignore", Violation::LinkedSettings)]);
}

#[test]
fn clashes_are_told_of_the_new_side() {
    finds(&["readme"], &["readme", "README"], &[("README", Violation::Duplicate)]);
    finds(&["a"], &["a", "A/b"], &[("A/b", Violation::FileAndFolder)]);
    finds(&["a/b"], &["a/b", "A"], &[("A", Violation::FileAndFolder)]);
    finds(&["a -> b"], &["a -> b", "a/x", "a/y"], &[("a/x", Violation::BelowLink), ("a/y", Violation::BelowLink)]);
    finds(&["s @ 1"], &["s @ 1", "s/x"], &[("s/x", Violation::BelowSubmodule)]);
    finds(&[], &["a", "a"], &[("a", Violation::Duplicate), ("a", Violation::Duplicate)]);
}

#[test]
fn what_stands_for_a_folder_is_what_is_below_it() {
    let denied = |path| [(path, Violation::DeniedClass)];
    for path in [".claude", ".github/workflows", "a/.husky", ".VSCODE"] {
        finds(&["docs/x/f"], &["docs/x/f", &format!("{path} -> docs/x")], &denied(path));
        finds(&[&format!("{path} -> docs")], &[], &denied(path));
    }
    finds(&[], &["claude"], &[]);
    let rules = PolicyRules { deny: &[b"infra/**", b"!infra/link"], ..PolicyRules::default() };
    let report = run(&[], &["infra -> docs/x", "infrastructure -> docs"], &rules);
    assert_eq!(found(&report), [("infra".to_owned(), Violation::DeniedGlob)]);
    assert_eq!(found(&run(&[], &["infra/link -> ../docs"], &rules)), []);
    let rules = PolicyRules { classes: &[(Class::Submodule, Verdict::Allow)], ..PolicyRules::default() };
    assert_eq!(found(&run(&[], &[".claude @ 1"], &rules)), [(".claude".to_owned(), Violation::DeniedClass)]);
}

#[test]
fn what_a_guarded_link_leads_to_is_guarded() {
    let links =
        ["CLAUDE.md -> docs/guide.md", ".husky -> tools/hooks", "docs/guide.md", "tools/hooks/pre-commit", "docs/x"];
    let with = |changed: &'static str| [&links[..], &[changed]].concat();
    for changed in ["docs/guide.md = 2", "tools/hooks/pre-commit = 2", "tools/hooks/post-merge"] {
        let path = changed.split(' ').next().unwrap();
        let after: Vec<&str> = with(changed).into_iter().filter(|line| *line != path || line == &changed).collect();
        finds(&links, &after, &[(path, Violation::DeniedClass)]);
    }
    finds(&links, &with("docs/y"), &[]);
    let rules =
        PolicyRules { deny: &[b".husky/**"], classes: &[(Class::Hooks, Verdict::Allow)], ..PolicyRules::default() };
    let report = run(&links, &with("tools/hooks/new"), &rules);
    assert_eq!(found(&report), [("tools/hooks/new".to_owned(), Violation::DeniedGlob)]);
}

#[test]
fn a_folder_that_git_takes_for_a_repository() {
    let bare = |path: &'static str| [(path, Violation::BareRepository)];
    let parts = ["v/x/HEAD", "v/x/objects/pack/p", "v/x/refs/heads/main", "v/x/config"];
    for part in parts {
        let before: Vec<&str> = parts.into_iter().filter(|other| *other != part).collect();
        finds(&before, &parts, &bare(part));
    }
    finds(&parts, &[&parts[..], &["v/x/description"]].concat(), &[]);
    finds(
        &[],
        &["x/HEAD", "x/commondir"],
        &[("x/HEAD", Violation::BareRepository), ("x/commondir", Violation::BareRepository)],
    );
    finds(&[], &["HEAD", "objects/a", "refs/b", "x/head", "x/refs/a", "y/objects/a"], &[]);
    let rules = PolicyRules { tolerated: Violations::of(&[Violation::BareRepository]), ..PolicyRules::default() };
    assert_eq!(found(&run(&[], &parts, &rules)), []);
}

#[test]
fn symlinks_are_followed_in_the_new_tree() {
    finds(&[], &["a/l -> ../../x"], &[("a/l", Violation::Escape)]);
    finds(&["l -> d/../x", "d/f"], &["l -> d/../x", "d -> ."], &[("l", Violation::Escape)]);
    let report = run_by(&["l -> d/../x", "d/f"], &["l -> d/../x", "d -> ."], &DEFAULT);
    let changes: Vec<_> = report.paths().iter().map(|touched| touched.change).collect();
    assert_eq!(changes, [Change::Added, Change::Deleted, Change::Affected]);
    let entries = [Entry { target: None, ..entry("l -> x") }];
    let report = judge(&[], &entries, &DEFAULT, &mut Budget::default()).unwrap();
    assert_eq!(found(&report), [("l".to_owned(), Violation::UnknownTarget)]);
}

#[test]
fn classes_follow_the_verdicts() {
    finds(&["s @ 1"], &["s @ 2"], &[("s", Violation::DeniedClass)]);
    finds(&["CODEOWNERS"], &[], &[("CODEOWNERS", Violation::DeniedClass)]);
    let rules = PolicyRules {
        classes: &[
            (Class::Submodule, Verdict::Report),
            (Class::Test, Verdict::Deny),
            (Class::Executable, Verdict::Allow),
        ],
        ..PolicyRules::default()
    };
    let report = run(&[], &["*run", "s @ 1", "a_test.go", "l -> run"], &rules);
    assert_eq!(found(&report), [("a_test.go".to_owned(), Violation::DeniedClass)]);
    let classes: Vec<_> = report.paths().iter().map(|touched| touched.classes.iter().collect::<Vec<_>>()).collect();
    assert_eq!(classes, [vec![Class::Test], vec![Class::Link], vec![], vec![Class::Submodule]]);
    let report = run_by(&["run"], &["*run"], &DEFAULT);
    assert_eq!(report.paths()[0].classes.iter().collect::<Vec<_>>(), [Class::Executable]);
}

#[test]
fn globs_allow_and_deny() {
    let rules = PolicyRules { allow: &[b"src/**", b"!src/gen/**"], deny: &[b"**/Secret*"], ..PolicyRules::default() };
    let report = run(&["src/secret.x"], &["src/a", "src/gen/b", "docs/c", "src/SECRET."], &rules);
    assert_eq!(
        found(&report),
        [
            ("docs/c".to_owned(), Violation::NotAllowed),
            ("src/SECRET.".to_owned(), Violation::DeniedGlob),
            ("src/gen/b".to_owned(), Violation::NotAllowed),
            ("src/secret.x".to_owned(), Violation::DeniedGlob),
        ]
    );
    assert_eq!(
        report.findings().iter().map(|finding| finding.rule).collect::<Vec<_>>(),
        [None, Some(0), Some(1), Some(0)]
    );
}

#[test]
fn what_is_tolerated_is_no_finding() {
    let rules =
        PolicyRules { tolerated: Violations::of(&[Violation::Device, Violation::Duplicate]), ..PolicyRules::default() };
    assert!(run(&[], &["aux.c", "a", "A"], &rules).is_clean());
    let rules = PolicyRules { tolerated: Violations::of(&[Violation::DotGit]), ..PolicyRules::default() };
    let error = Policy::new(&rules).unwrap_err();
    assert_eq!(error.to_string(), "tolerated: `dot-git` harms everywhere, so no policy can tolerate it: take it out");
}

#[test]
fn a_wrong_glob_is_named() {
    let error = |rules: PolicyRules<'_>| Policy::new(&rules).unwrap_err().to_string();
    assert!(
        error(PolicyRules { allow: &[b"a", b"/b"], ..PolicyRules::default() })
            .starts_with("allow, glob 1, byte 0: paths have no `/`")
    );
    assert!(error(PolicyRules { deny: &[b"["], ..PolicyRules::default() }).starts_with("deny, glob 0, byte 0: "));
}

#[test]
fn messages_name_path_place_and_remedy() {
    let report = run_by(&[], &["a/con/\u{202e}b"], &DEFAULT);
    let messages: Vec<_> = report.findings().iter().map(|finding| report.message(finding).to_string()).collect();
    assert_eq!(
        messages,
        [
            r#""a/con/\u{202e}b" is the name of a device on Windows, at byte 2: "con"; rename it, or let the policy tolerate it"#,
            r#""a/con/\u{202e}b" has a character that changes the direction of text, at byte 6: "\u{202e}"; rename it, or let the policy tolerate it"#,
        ]
    );
    assert_eq!(report.canonical(&report.paths()[0]), b"a/con/b");
    assert_eq!(report.findings_of(&report.paths()[0]).len(), 2);
}

#[test]
fn work_is_bounded() {
    // Each of many symlinks is long to follow.
    let target: &'static str = "a/".repeat(2000).leak();
    let paths: Vec<String> = (0..10_000).map(|number| format!("l{number}")).collect();
    let entries: Vec<_> = paths
        .iter()
        .map(|path| Entry { mode: Mode::Symlink, id: b"", path: path.as_bytes(), target: Some(target.as_bytes()) })
        .collect();
    let mut budget = Budget::new(1_000_000);
    assert_eq!(judge(&[], &entries, &DEFAULT, &mut budget).err(), Some(Limit::Budget { units: 1_000_000 }));
}

#[test]
fn work_grows_with_the_number_of_paths() {
    let spent = |paths: u32| {
        let record = |number| format!("100644 blob {number}	src/f{}/x{number}.rs\0", number / 50);
        let listing = (0..paths).map(record).collect::<Vec<_>>().concat();
        let entries = parse_listing(listing.as_bytes()).unwrap();
        let mut budget = Budget::default();
        assert!(judge(&[], &entries, &DEFAULT, &mut budget).unwrap().is_clean());
        Budget::DEFAULT_UNITS - budget.left()
    };
    assert!(spent(4000) < spent(1000) * 5);
}

proptest! {
    /// What is in both trees is never a finding, and who writes the listing does not choose its order.
    #[test]
    fn the_same_tree_has_no_findings(lines in proptest::collection::vec("[a.A]{1,3}(/[a.A]{1,2}){0,2}( -> [a./]{1,6})?", 0..12)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let entries: Vec<_> = lines.iter().map(|line| entry(line)).collect();
        prop_assume!(entries.iter().enumerate().all(|(at, one)| entries[..at].iter().all(|other| other.path != one.path)));
        prop_assert!(run_by(&lines, &lines, &DEFAULT).paths().is_empty());
        let mut reversed = lines.clone();
        reversed.reverse();
        prop_assert_eq!(found(&run_by(&[], &lines, &DEFAULT)), found(&run_by(&[], &reversed, &DEFAULT)));
    }
}
