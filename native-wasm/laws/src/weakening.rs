use crate::Input;
use millwright_core::lex::{Language, Scanner, SpanKind, TokenKind, code_tokens, spans};
use millwright_core::outline::outline;
use millwright_core::weakening::{Confidence, File, Finding, Fragment, Side, WeakeningError, check, check_fragments};
use millwright_core::{Budget, Limit};

const LANGUAGES: [Language; 7] = [
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Python,
    Language::Go,
    Language::Rust,
    Language::Java,
];

/// Files of tests in all languages, recorded expectations, and gates.
const PATHS: [&[u8]; 18] = [
    b"src/a.test.ts",
    b"src/b.spec.js",
    b"c.test.tsx",
    b"test_a.py",
    b"tests/b.py",
    b"a_test.go",
    b"src/lib.rs",
    b"tests/it.rs",
    b"src/test/java/ATest.java",
    b"__snapshots__/a.snap",
    b"package.json",
    b"jest.config.js",
    b"pyproject.toml",
    b".github/workflows/ci.yml",
    b"Cargo.toml",
    b"Makefile",
    b"pytest.ini",
    b"pom.xml",
];

/// Changed files: findings are at places that are there, in order, and none without a change; in each language, tokens come in order, spans leave no gap,
/// definitions are where they say and within those around them.
///
/// Input: budget, seed, then for each file its path, what is missing and where a fragment begins; for each file the contents before and after.
pub fn weakening(input: &[u8]) {
    let mut input = Input::new(input);
    let (mut tight, seed) = (input.tight_budget(), input.seed());
    let (mut files, mut fragments) = (Vec::new(), Vec::new());
    while let Some(old) = input.take().filter(|_| files.len() < 6) {
        let (path, missing, new) = (input.choice(&PATHS), input.knob(7), input.text());
        files.push(File { path, old: (missing != 1).then_some(old), new: (missing != 2).then_some(new) });
        let line = input.choice(&[1, 100, 0, u32::MAX]);
        fragments.push(Fragment { path, old, old_line: line, new, new_line: line });
    }
    for text in files.first().iter().flat_map(|file| [file.old, file.new]).flatten() {
        for language in LANGUAGES {
            lex(language, text);
        }
    }

    let findings = check(&files, seed, &mut Input::ample_budget()).expect("an ample budget");
    let sides: Vec<_> = files.iter().map(|file| [file.old, file.new].map(Option::unwrap_or_default)).collect();
    found(&findings, &sides, &vec![1; files.len()], false);
    let same: Vec<_> = files.iter().map(|file| File { new: file.old, ..*file }).collect();
    assert_eq!(check(&same, seed, &mut Budget::new(0)), Ok(vec![]));
    if let Err(error) = check(&files, seed, &mut tight) {
        assert!(matches!(error, WeakeningError::Limit(Limit::Budget { .. })));
    }

    let findings = check_fragments(&fragments, seed, &mut Input::ample_budget()).expect("an ample budget");
    let sides: Vec<_> = fragments.iter().map(|fragment| [fragment.old, fragment.new]).collect();
    found(&findings, &sides, &fragments.iter().map(|fragment| fragment.old_line).collect::<Vec<_>>(), true);
}

fn found(findings: &[Finding], sides: &[[&[u8]; 2]], first_lines: &[u32], partial: bool) {
    let key = |finding: &Finding| (finding.file, finding.side, finding.range.start, finding.range.end);
    assert!(findings.is_sorted_by_key(key));
    for finding in findings {
        let text = sides[finding.file][usize::from(finding.side == Side::New)];
        let (from, to) = (finding.range.start as usize, finding.range.end as usize);
        assert!(from <= to && to <= text.len(), "{finding:?}");
        let lines = text[..from].iter().filter(|byte| **byte == b'\n').count() as u32;
        assert_eq!(finding.line, first_lines[finding.file].saturating_add(lines), "{finding:?}");
        if let Some(old) = &finding.old {
            assert!(old.start <= old.end && old.end as usize <= sides[finding.old_file][0].len(), "{finding:?}");
        }
        assert_eq!(finding.partial, partial);
        assert!(!partial || finding.confidence < Confidence::High);
        assert!(!finding.message.is_empty());
    }
}

fn lex(language: Language, text: &[u8]) {
    let mut end = 0;
    let mut code = Vec::new();
    for token in Scanner::new(language, text) {
        assert!(token.start >= end && token.start < token.end && token.end as usize <= text.len(), "{token:?}");
        let between = &text[end as usize..token.start as usize];
        assert!(
            between.iter().all(|byte| !byte.is_ascii_graphic()),
            "{:?} is in no token",
            between.escape_ascii().to_string()
        );
        end = token.end;
        code.extend((token.kind != TokenKind::Comment).then_some(token));
    }
    assert_eq!(code_tokens(language, text).as_ref(), Ok(&code));

    let (mut at, mut last) = (0, None);
    for span in spans(language, text) {
        assert_eq!(span.range.start, at);
        assert!(span.range.end > at && (span.kind != SpanKind::Code || last != Some(SpanKind::Code)));
        (at, last) = (span.range.end, Some(span.kind));
    }
    assert_eq!(at as usize, text.len());

    let definitions = outline(language, text).expect("memory");
    assert!(definitions.is_sorted_by_key(|definition| definition.name.start));
    for (nth, definition) in definitions.iter().enumerate() {
        let (name, range) = (&definition.name, &definition.range);
        assert!(range.start <= name.start && name.start <= name.end && name.end <= range.end, "{definition:?}");
        assert!(range.end as usize <= text.len(), "{definition:?}");
        let line = text[..name.start as usize].iter().filter(|byte| **byte == b'\n').count() + 1;
        assert_eq!(definition.line as usize, line, "{definition:?}");
        if let Some(parent) = definition.parent {
            assert!((parent as usize) < nth, "{definition:?}");
            let around = &definitions[parent as usize].range;
            assert!(around.start <= range.start && range.end <= around.end, "{definition:?} in {around:?}");
        }
    }
}
