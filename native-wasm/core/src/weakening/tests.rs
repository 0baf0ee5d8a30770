use super::*;
use proptest::prelude::*;

fn whole<'a>(path: &'a str, old: &'a str, new: &'a str) -> Vec<Finding> {
    let file = File { path: path.as_bytes(), old: Some(old.as_bytes()), new: Some(new.as_bytes()) };
    check(&[file], Seed(1), &mut Budget::default()).unwrap()
}

#[test]
fn a_finding_has_both_places() {
    let old = "it('a', () => {\n  expect(f()).toBe(1);\n});\n";
    let new = "it('a', () => {\n\n  expect(f()).toBeDefined();\n});\n";
    let found = whole("a.test.ts", old, new);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].side, found[0].line), (Side::New, 3));
    assert_eq!(&new[found[0].range.start as usize..found[0].range.end as usize], "expect(f()).toBeDefined()");
    let was = found[0].old.clone().unwrap();
    assert_eq!(&old[was.start as usize..was.end as usize], "expect(f()).toBe(1)");
}

#[test]
fn equal_contents_and_other_files_are_not_read() {
    let text = "it('a', () => { expect(f()).toBe(1); });";
    let mut none = Budget::new(0);
    let equal = File { path: b"a.test.ts", old: Some(text.as_bytes()), new: Some(text.as_bytes()) };
    let other = File { path: b"a.ts", old: Some(text.as_bytes()), new: None };
    assert_eq!(check(&[equal, other], Seed(1), &mut none), Ok(Vec::new()));
}

#[test]
fn too_much_is_an_error() {
    let large = vec![b' '; MAX_FILE_BYTES + 1];
    let file = File { path: b"a_test.go", old: None, new: Some(&large) };
    let error = check(&[file], Seed(1), &mut Budget::default()).unwrap_err();
    assert_eq!(error, WeakeningError::FileTooLarge { file: 0, actual: large.len() as u64 });
    assert!(error.to_string().contains("move the data out of it"));
    let file = File { path: b"a_test.go", old: Some(b"x"), new: Some(b"package a") };
    let spent = check(&[file], Seed(1), &mut Budget::new(5)).unwrap_err();
    assert_eq!(spent, WeakeningError::Limit(Limit::Budget { units: 5 }));
}

#[test]
fn a_fragment_is_never_sure() {
    let fragment = Fragment {
        path: b"a.test.ts",
        old: b"it('a', () => {",
        old_line: 7,
        new: b"it.only('a', () => {",
        new_line: 9,
    };
    let found = check_fragments(&[fragment], Seed(1), &mut Budget::default()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, found[0].line, found[0].confidence), (Kind::TestFocused, 9, Confidence::Medium));
}

#[test]
fn nested_and_repeated_code_takes_bounded_time() {
    // Quadratic, each of these would take minutes.
    for (path, piece, count) in [
        ("a.test.ts", "it('a', () => { ", 2_000),
        ("a.test.ts", "expect(", 5_000),
        ("a.test.ts", "assertA(assertB(", 3_000),
        ("a.test.ts", "it('a', () => { expect(f()).toBe(1); }); ", 1_000),
        ("test_a.py", "if x:\n return\n", 3_000),
        ("a_test.go", "if false { t.Error( ", 2_000),
        ("tests/a.rs", "#[test] fn a() { ", 2_000),
        ("ATest.java", "class A { @Test void a() { assertThat(", 1_000),
        ("package.json", "\"test\": \"jest\"\n", 3_000),
    ] {
        let old = piece.repeat(count);
        let new = piece.repeat(count - 7) + " x";
        let file = File { path: path.as_bytes(), old: Some(old.as_bytes()), new: Some(new.as_bytes()) };
        assert!(check(&[file], Seed(1), &mut Budget::default()).is_ok(), "{path}");
    }
}

const PATHS: [&str; 9] = [
    "a.test.ts",
    "a.test.tsx",
    "test_a.py",
    "a_test.go",
    "tests/a.rs",
    "src/a.rs",
    "ATest.java",
    "package.json",
    "a.snap",
];

const PIECES: &[&str] = &[
    "it('a', () => {",
    "describe.each([1])",
    "expect(",
    ").toBe(1)",
    ".not",
    "});",
    "test.skip(",
    "def test_a(self):",
    "\n",
    "    ",
    "assert ",
    "self.assertEqual(",
    "@pytest.mark.skip",
    "with pytest.raises(",
    "func TestA(t *testing.T) {",
    "t.Errorf(",
    "if x != 1 {",
    "t.Run(\"a\", func() {",
    "require.Equal(t, 1, ",
    "#[test]",
    "#[ignore]",
    "fn a() {",
    "assert_eq!(",
    "assert!(",
    "class A {",
    "@Test",
    "void a() {",
    "assertThat(",
    "assertEquals(1, ",
    ")",
    "]",
    "}",
    "(",
    "{",
    "[",
    ",",
    ";",
    "return",
    "catch",
    "try",
    "except:",
    "1e9",
    "'",
    "\"",
    "`",
    "${",
    "\u{e9}",
    "\"test\": \"jest || true\"",
    "exports[`a`] = `",
    "retries: 3",
    "==",
    "<",
    ".",
    "let _ =",
    "if false",
];

fn source() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..50).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_change_is_checked(path in 0usize..9, old in proptest::option::of(source()), new in proptest::option::of(source())) {
        let file = File { path: PATHS[path].as_bytes(), old: old.as_deref().map(str::as_bytes), new: new.as_deref().map(str::as_bytes) };
        for finding in check(&[file], Seed(1), &mut Budget::default()).unwrap() {
            let bytes = if finding.side == Side::Old { file.old } else { file.new }.unwrap();
            prop_assert!(finding.range.start <= finding.range.end && finding.range.end as usize <= bytes.len());
            let lines = memchr::memchr_iter(b'\n', bytes).count() as u32 + 1;
            prop_assert!((1..=lines).contains(&finding.line));
            if let Some(old) = finding.old {
                prop_assert!(old.start <= old.end && old.end as usize <= file.old.unwrap().len());
            }
        }
        let fragment = Fragment {
            path: file.path,
            old: file.old.unwrap_or_default(),
            old_line: u32::MAX,
            new: file.new.unwrap_or_default(),
            new_line: 0,
        };
        prop_assert!(check_fragments(&[fragment], Seed(1), &mut Budget::default()).is_ok());
    }

    #[test]
    fn what_is_only_moved_is_no_finding(path in 0usize..6, text in source()) {
        let moved = format!("moved/{}", PATHS[path]);
        let files = [
            File { path: PATHS[path].as_bytes(), old: Some(text.as_bytes()), new: None },
            File { path: moved.as_bytes(), old: None, new: Some(text.as_bytes()) },
        ];
        let found = check(&files, Seed(1), &mut Budget::default()).unwrap();
        prop_assert!(found.iter().all(|finding| finding.kind == Kind::TestFocused || finding.kind == Kind::GateLowered), "{found:?}");
    }
}

#[test]
fn a_patch_is_checked_by_its_hunks() {
    let text = b"\
diff --git a/gone_test.py b/gone_test.py
deleted file mode 100644
--- a/gone_test.py
+++ /dev/null
@@ -1,2 +0,0 @@
-def test_a():
-    assert f() == 1
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
diff --git a/b.test.ts b/b.test.ts
--- a/b.test.ts
+++ b/b.test.ts
@@ -1 +1 @@
-// one
+// 1
@@ -20,3 +20,2 @@
 it('b', () => {
-  expect(g()).toBe(2);
   expect(g()).toBeDefined();
";
    let patch = crate::patch::Patch::parse(text, &crate::patch::ParseOptions::default()).unwrap();
    let findings = check_patch(&patch, Seed(1), &mut Budget::default()).unwrap();
    let shown: Vec<_> = findings
        .iter()
        .map(|found| {
            let line = text[found.offset..].split(|byte| *byte == b'\n').next().unwrap_or_default();
            (found.file, found.hunk, found.side, found.line, found.kind, String::from_utf8_lossy(line).into_owned())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (0, 0, Side::Old, 1, Kind::TestFileDeleted, "-def test_a():".to_owned()),
            (2, 1, Side::Old, 21, Kind::AssertionRemoved, "-  expect(g()).toBe(2);".to_owned()),
        ]
    );
}

#[test]
fn a_promise_that_nothing_waits_for_asserts_nothing() {
    let text = |line: &str| format!("it('a', async () => {{\n  const f = start();\n  {line}\n}});\n");
    let waited = text("await expect(f()).rejects.toThrow('x');");
    let found = whole("a.test.ts", &waited, &text("expect(f()).rejects.toThrow('x');"));
    assert_eq!(found.len(), 1, "{found:?}");
    for line in [
        "return expect(f()).rejects.toThrow('x');",
        "await Promise.all([expect(f()).rejects.toThrow('x')]);",
        "await expect(f()).rejects.toThrow('x');\n",
    ] {
        assert_eq!(whole("a.test.ts", &waited, &text(line)).len(), 0, "{line}");
    }
}
