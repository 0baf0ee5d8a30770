//! What is read as a patch, and where and why the rest is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests may fail, and need not be fast"
)]

use millwright_core::Limit;
use millwright_core::patch::{Body, Change, FilePatch, Hunk, LineKind, ParseErrorKind, ParseOptions, Patch};

const STRICT: ParseOptions = ParseOptions { lenient: false, strip: 1 };
const LENIENT: ParseOptions = ParseOptions { lenient: true, strip: 1 };

fn parse(text: &str) -> Vec<FilePatch<'_>> {
    Patch::parse(text.as_bytes(), &STRICT).unwrap_or_else(|error| panic!("{error}\n{text}")).files
}

fn lenient(text: &str) -> Vec<FilePatch<'_>> {
    Patch::parse(text.as_bytes(), &LENIENT).unwrap_or_else(|error| panic!("{error}\n{text}")).files
}

fn error(text: &str, options: ParseOptions) -> (ParseErrorKind, usize) {
    let error = Patch::parse(text.as_bytes(), &options).expect_err(text);
    let line = text.as_bytes()[..error.offset].split(|byte| *byte == b'\n').count() - 1 + 1;
    assert_eq!(error.line, line);
    (error.kind, line)
}

fn hunks<'a>(file: &'a FilePatch<'a>) -> &'a [Hunk<'a>] {
    let Body::Hunks(hunks) = &file.body else { panic!("no hunks: {file:?}") };
    hunks
}

fn names(file: &FilePatch<'_>) -> (Option<String>, Option<String>) {
    let name = |name: &Option<std::borrow::Cow<'_, [u8]>>| {
        name.as_ref().map(|name| String::from_utf8_lossy(name).into_owned())
    };
    (name(&file.old_path), name(&file.new_path))
}

fn both(old: &str, new: &str) -> (Option<String>, Option<String>) {
    (Some(old.to_owned()), Some(new.to_owned()))
}

/// The lines as `+text`, with `$` for a newline.
fn lines(hunk: &Hunk<'_>) -> Vec<String> {
    let shown = hunk.lines().map(|line| {
        let sign = match line.kind {
            LineKind::Context => ' ',
            LineKind::Removed => '-',
            LineKind::Added => '+',
        };
        format!("{sign}{}{}", String::from_utf8_lossy(line.text), if line.newline { "$" } else { "" })
    });
    shown.collect()
}

const HUNK: &str = "@@ -1,2 +1,2 @@ fn f()\n one\n-two\n+three\n";

#[test]
fn hunks_have_numbers_lines_and_places() {
    let text = format!("--- a/x\n+++ b/x\n{HUNK}@@ -9 +9,0 @@\n-nine\n\\ No newline at end of file\n");
    let files = parse(&text);
    let [first, second] = hunks(&files[0]) else { panic!() };
    assert_eq!((first.old_start, first.old_lines, first.new_start, first.new_lines), (1, 2, 1, 2));
    assert_eq!((first.section, first.placed, first.offset), (&b"fn f()"[..], true, 16));
    assert_eq!(lines(first), [" one$", "-two$", "+three$"]);
    assert_eq!((second.old_start, second.old_lines, second.new_start, second.new_lines), (9, 1, 9, 0));
    assert_eq!(lines(second), ["-nine"]);
    for (line, start) in first.lines().zip([" one", "-two", "+three"]) {
        assert!(text[line.offset..].starts_with(start));
    }
}

#[test]
fn counts_decide_what_is_a_line() {
    let files = parse(
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/y\n+++ b/y\n \n--- a/z\n+++ b/z\n@@ -1 +1,2 @@\n\n+-- \n-- \n2.39.5\n",
    );
    assert_eq!(lines(&hunks(&files[0])[0]), ["--- a/y$", "+++ b/y$", " $"]);
    assert_eq!(lines(&hunks(&files[1])[0]), [" $", "+-- $"]);
}

#[test]
fn git_headers_say_what_happens_to_a_file() {
    let files = parse(
        "diff --git a/new b/new\nnew file mode 100755\nindex 0000000..e69de29\n\
         diff --git a/gone b/gone\ndeleted file mode 120000\nindex 1234567..0000000\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
         diff --git a/from b/to x\nsimilarity index 90%\nrename from from\nrename to to x\n\
         diff --git \"a/\\303\\244\" b/c\nsimilarity index 100%\ncopy from \"\\303\\244\"\ncopy to c\n\
         diff --git a/m b/m\nold mode 100644\nnew mode 100755\n\
         diff --git a/i b/i\nindex 1234567..89abcde 100644\n--- a/i\n+++ b/i\n@@ -1 +1 @@\n-a\n+b\n\
         diff --git a/pic b/pic\nindex 1234567..89abcde 100644\nBinary files a/pic and b/pic differ\n",
    );
    let changes: Vec<_> = files.iter().map(|file| file.change).collect();
    assert_eq!(
        changes,
        [Change::Create, Change::Delete, Change::Rename, Change::Copy, Change::Modify, Change::Modify, Change::Modify]
    );
    assert_eq!(names(&files[0]), (None, Some("new".into())));
    assert_eq!(names(&files[1]), (Some("gone".into()), None));
    assert_eq!(names(&files[2]), both("from", "to x"));
    assert_eq!(names(&files[3]), both("ä", "c"));
    assert_eq!((files[0].old_mode, files[0].new_mode), (None, Some(0o100_755)));
    assert_eq!((files[1].old_mode, files[1].new_mode), (Some(0o120_000), None));
    assert_eq!((files[2].similarity, files[3].similarity), (Some(90), Some(100)));
    assert_eq!((files[4].old_mode, files[4].new_mode), (Some(0o100_644), Some(0o100_755)));
    assert_eq!(files[5].ids, Some((&b"1234567"[..], &b"89abcde"[..])));
    assert_eq!(files[6].body, Body::BinaryDiffers);
}

#[test]
fn names_may_have_spaces_quotes_and_times() {
    let text = format!(
        "--- a/two words\t2024-01-01 10:00:00.000000000 +0100\n+++ b/two words\t2024-01-02\n{HUNK}\
         --- \"a/\\\"q\\\"\"\n+++ \"b/\\\"q\\\"\"\n{HUNK}\
         --- a/x.orig\n+++ b/x\n{HUNK}\
         --- a/x\n+++ b/x~\n{HUNK}"
    );
    let files = parse(&text);
    assert_eq!(names(&files[0]), both("two words", "two words"));
    assert_eq!(names(&files[1]), both("\"q\"", "\"q\""));
    assert_eq!(names(&files[2]), both("x", "x"));
    assert_eq!(names(&files[3]), both("x", "x"));
    let epoch = parse(
        "--- old/x\t1970-01-01 01:00:00.000000000 +0100\n+++ new/x\t2024-01-02 00:00:00 +0000\n@@ -0,0 +1 @@\n+a\n",
    );
    assert_eq!((epoch[0].change, names(&epoch[0])), (Change::Create, (None, Some("x".into()))));
}

#[test]
fn folders_are_stripped_as_asked() {
    let text = format!("--- d/e/x\n+++ d/e/x\n{HUNK}diff --git d/e/y d/e/y\nold mode 100644\nnew mode 100755\n");
    let stripped = |strip| {
        Patch::parse(text.as_bytes(), &ParseOptions { strip, ..STRICT })
            .map(|patch| patch.files.iter().map(|file| names(file).0.unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(stripped(0).unwrap(), ["d/e/x", "d/e/y"]);
    assert_eq!(stripped(2).unwrap(), ["x", "y"]);
    assert_eq!(stripped(3).unwrap_err().kind, ParseErrorKind::NameMissing { strip: 3 });
}

#[test]
fn lines_may_end_with_cr_lf() {
    let text = format!(
        "diff --git a/x b/x\nindex 1234567..89abcde 100644\n--- a/x\n+++ b/x\n{HUNK}\\ No newline at end of file\n"
    );
    let text = text.replace('\n', "\r\n");
    let files = parse(&text);
    assert_eq!(names(&files[0]), both("x", "x"));
    assert_eq!(lines(&hunks(&files[0])[0]), [" one\r$", "-two\r$", "+three"]);
}

#[test]
fn mails_have_preambles_signatures_and_numbers() {
    let mail = |subject: &str| {
        format!(
            "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nSubject: {subject}\n\ndiff --git is a command\n---\n \
             x | 1 +\n\ndiff --git a/x b/x\nindex 1234567..89abcde 100644\n--- a/x\n+++ b/x\n{HUNK}-- \n2.39.5\n\n"
        )
    };
    let text = mail("first") + &mail("second");
    let files = parse(&text);
    assert_eq!(files.iter().map(|file| file.message).collect::<Vec<_>>(), [0, 1]);
    assert!(files[0].preamble.starts_with(b"From ") && files[0].preamble.ends_with(b"\n\n"));
    assert!(
        files[1].preamble.starts_with(b"-- \n2.39.5\n") && memchr::memmem::find(files[1].preamble, b"second").is_some()
    );
    assert!(parse("").is_empty() && parse(" \n\n").is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    use ParseErrorKind as Kind;
    let file = "--- a/x\n+++ b/x\n";
    let cases = [
        ("some text\n".to_owned(), Kind::NoPatch, 1),
        (HUNK.to_owned(), Kind::HunkWithoutFile, 1),
        (format!("{file}@@ -1 +1\n-a\n+b\n"), Kind::HunkHeader, 3),
        (format!("{file}@@ -1,2 +1 @@\n-a\n+b\n"), Kind::HunkTruncated { old_missing: 1, new_missing: 0 }, 6),
        (format!("{file}@@ -1,2 +1 @@\n-a\n+b\n+c\n"), Kind::HunkTooLong, 6),
        (format!("{file}@@ -1,2 +1,2 @@\n-a\n+b\nc\n"), Kind::HunkLine { found: b'c' }, 6),
        (format!("{file}@@ -1 +1 @@\n a\n"), Kind::HunkWithoutChange, 5),
        (format!("{file}@@ -1 +1 @@\n\\ No newline at end of file\n-a\n+b\n"), Kind::NewlineMarker, 4),
        (format!("{file}@@ -1,2 +1 @@\n-a\n\\ No newline at end of file\n-b\n+b\n"), Kind::NewlineMarker, 6),
        (format!("{file}@@ -1 +1 @@\n-a\n+b"), Kind::HunkTruncated { old_missing: 0, new_missing: 0 }, 5),
        (format!("--- \"a/x\n+++ b/x\n{HUNK}"), Kind::QuotedName, 1),
        (format!("--- a/x\0y\n+++ b/x\0y\n{HUNK}"), Kind::NulInName, 1),
        (format!("--- x\n+++ x\n{HUNK}"), Kind::NameMissing { strip: 1 }, 1),
        ("diff --git a/x b/y\nindex 1234567..89abcde\n".to_owned(), Kind::NameMissing { strip: 1 }, 1),
        (format!("diff --git a/x b/x\nindex 12..34\n--- a/x\n+++ b/y\n{HUNK}"), Kind::NamesDisagree, 1),
        (format!("diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/z\n{HUNK}"), Kind::NamesDisagree, 1),
        ("diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n".to_owned(), Kind::HeadersDisagree, 1),
        ("diff --git a/x b/x\nindex 1234567..89abcde 100644\ntext\n".to_owned(), Kind::FileWithoutChange, 1),
        (format!("--- /dev/null\n+++ b/x\n{HUNK}"), Kind::NotEmptySide, 3),
        ("diff --git a/x b/x\nold mode 9\n".to_owned(), Kind::Mode, 2),
        ("diff --git a/x b/x\nsimilarity index 101%\n".to_owned(), Kind::Similarity, 2),
        ("diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\nA!!\n\n".to_owned(), Kind::Binary, 5),
        ("diff --git a/x b/x\nindex 1..2\nGIT binary patch\n".to_owned(), Kind::Binary, 4),
    ];
    for (text, kind, line) in cases {
        assert_eq!(error(&text, STRICT), (kind, line), "{text}");
    }
}

#[test]
fn diffs_of_merges_are_refused() {
    for text in ["diff --cc x\nindex 1,2..3\n", "diff --combined x\n", "@@@ -1,2 -1,2 +1,3 @@@\n"] {
        assert_eq!(error(text, STRICT), (ParseErrorKind::CombinedDiff, 1));
        assert_eq!(error(text, LENIENT), (ParseErrorKind::CombinedDiff, 1));
    }
}

#[test]
fn models_may_leave_out_numbers_or_get_them_wrong() {
    let bare = lenient(
        "--- src/x\n+++ src/x\n@@\n a\n-b\n+c\n\n@@ fn f() @@\n-d\n+e\n\n d\n\n\n--- src/y\n+++ src/y\n@@ -7,9 +9 @@\n a\n\n-b\n+c",
    );
    assert_eq!(names(&bare[0]), both("src/x", "src/x"));
    let [first, second] = hunks(&bare[0]) else { panic!("{bare:?}") };
    assert_eq!(
        (first.placed, first.old_lines, first.new_lines, lines(first)),
        (false, 2, 2, vec![" a$".into(), "-b$".into(), "+c$".into()])
    );
    assert_eq!((second.section, lines(second).len(), second.old_lines), (&b""[..], 4, 3));
    let [counted] = hunks(&bare[1]) else { panic!() };
    assert_eq!((counted.placed, counted.old_start, counted.old_lines, counted.new_lines), (true, 7, 3, 3));
    assert_eq!(lines(counted), [" a$", " $", "-b$", "+c$"]);
    // With right counts, nothing is different, and prefixes are seen.
    let right = format!("--- a/x\n+++ b/x\n{HUNK}-- \n2.39.5\n```\n");
    assert_eq!(lenient(&right), parse(&right));
    let wrong = right.replace("-1,2 +1,2", "-1,5 +1,1");
    assert_eq!(lines(&hunks(&lenient(&wrong)[0])[0]), lines(&hunks(&parse(&right)[0])[0]));
}

#[test]
fn a_model_that_forgets_a_space_loses_no_lines_in_silence() {
    use ParseErrorKind as Kind;
    let file = "--- a/x\n+++ b/x\n";
    assert_eq!(error(&format!("{file}@@\n-a\n+b\nc\n-d\n+e\n"), LENIENT), (Kind::HunkLine { found: b'c' }, 6));
    assert_eq!(error(&format!("{file}@@\n-a\n+b\n\nc\n-d\n+e\n"), LENIENT), (Kind::HunkLine { found: b'c' }, 7));
    assert_eq!(error(&format!("{file}@@\n a\n b\n"), LENIENT), (Kind::HunkWithoutChange, 6));
    assert_eq!(error("@@\n-a\n", LENIENT), (Kind::HunkWithoutFile, 1));
    assert_eq!(error(&format!("{file}@@\n-a\n\\ No newline at end of file\n b\n"), LENIENT), (Kind::NewlineMarker, 6));
}

#[test]
fn limit_numbers_of_2_to_the_31_and_2_to_the_64() {
    let hunk = |start: &str, count: &str| format!("--- a/x\n+++ b/x\n@@ -{start},{count} +1 @@\n-a\n+b\n");
    assert_eq!(hunks(&parse(&hunk("2147483648", "1"))[0])[0].old_start, 1 << 31);
    assert_eq!(hunks(&parse(&hunk("18446744073709551614", "1"))[0])[0].old_start, u64::MAX - 1);
    let many = ParseErrorKind::HunkTruncated { old_missing: (1 << 31) - 1, new_missing: 0 };
    assert_eq!(error(&hunk("1", "2147483648"), STRICT), (many, 6));
    for (start, count) in [("18446744073709551616", "1"), ("1", "18446744073709551616"), ("18446744073709551615", "1")]
    {
        assert_eq!(error(&hunk(start, count), STRICT), (ParseErrorKind::NumberTooLarge, 3));
        assert_eq!(error(&hunk(start, count), LENIENT), (ParseErrorKind::NumberTooLarge, 3));
    }
}

#[test]
fn limit_a_million_empty_hunks() {
    let text = format!("--- a/x\n+++ b/x\n{}", "@@ -0,0 +0,0 @@\n".repeat(1_000_000));
    assert_eq!(error(&text, STRICT), (ParseErrorKind::HunkWithoutChange, 4));
    assert_eq!(error(&text, LENIENT), (ParseErrorKind::HunkWithoutChange, 4));
    let bare = format!("--- a/x\n+++ b/x\n{}", "@@\n".repeat(1_000_000));
    assert_eq!(error(&bare, LENIENT), (ParseErrorKind::HunkWithoutChange, 4));
}

/// Reading a hunk in two ways takes no longer the further behind it is.
#[test]
fn limit_a_hundred_thousand_hunks_with_wrong_counts() {
    let text = format!("--- a/x\n+++ b/x\n{}", "@@ -1,99999999 +1,9 @@\n-a\n+b\n".repeat(100_000));
    assert_eq!(hunks(&lenient(&text)[0]).len(), 100_000);
}

#[test]
fn limit_binary_data_of_absurd_size() {
    let text = |size: &str| format!("diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral {size}\nA00000\n\n");
    let limit = Limit::Size { actual: 1 << 40, max: 1 << 30 };
    assert_eq!(error(&text("1099511627776"), STRICT), (ParseErrorKind::Limit(limit), 4));
    assert_eq!(error(&text("18446744073709551616"), STRICT), (ParseErrorKind::NumberTooLarge, 4));
}
