use crate::Input;
use crate::chunks::redact;
use millwright_core::Limit;
use millwright_core::secrets::{Detector, KNOWN_SECRET, Rules, ScanOptions};
use std::sync::{Arc, LazyLock};

/// As long as it has to be, without what a mask or an encoding would change.
const KNOWN: &[u8] = b"abcabcabd-secret";

static BUILT_IN: LazyLock<Arc<Detector>> =
    LazyLock::new(|| Arc::new(Detector::new(Rules::built_in().expect("our own rules"), &[KNOWN, b"p\"ss/w rd+<9>"])));

const PATHS: [&[u8]; 5] = [b"", b"src/main.rs", b"package-lock.json", b"docs/examples/a.md", b"test/fixtures/a\xff"];

/// A text: findings are in it, in order and apart; what comes out of a redactor does not depend on how the text is cut, is held back for no longer than is
/// allowed, and has neither the known secret nor a secret that the scan finds. The same with secrets of its own; and any text as rules.
///
/// Input: the path, whether comments allow, budget, the sizes of chunks; the text, a secret, rules.
pub fn secrets(input: &[u8]) {
    let mut input = Input::new(input);
    let options = ScanOptions { path: input.choice(&PATHS), allow_comments: input.flag() };
    let mut tight = input.tight_budget();
    let sizes: Vec<usize> = (0..=input.knob(7)).map(|_| 1 + input.knob(99) as usize).collect();
    let text = input.text();

    let findings = BUILT_IN.scan(text, &options, &mut Input::ample_budget()).expect("an ample budget");
    let (mut end, mut places) = (0, Vec::new());
    for finding in &findings {
        let (from, to) = (finding.range.start as usize, finding.range.end as usize);
        assert!(end <= from && from < to && to <= text.len(), "{finding:?}");
        end = to;
        let line = text[..from].iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = text[..from].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert_eq!((finding.line as usize, finding.column as usize), (line, from - start + 1), "{finding:?}");
        assert!(finding.preview.ends_with("***"));
        places.push(from..to);
    }
    match BUILT_IN.scan(text, &options, &mut tight) {
        Ok(hasty) => assert_eq!(hasty, findings, "the budget matters"),
        Err(error) => assert!(matches!(error, Limit::Budget { .. })),
    }

    let shown = redact(&BUILT_IN, text, &[usize::MAX]);
    let cut = redact(&BUILT_IN, text, &sizes);
    assert!(
        cut == shown,
        "{:?} in chunks of {sizes:?}, {:?} as a whole",
        cut.escape_ascii().to_string(),
        shown.escape_ascii().to_string()
    );
    assert!(!contains(&shown, KNOWN));
    for (finding, place) in findings.iter().zip(places) {
        let secret = &text[place];
        // The same bytes may be no secret where nothing says that they are one, and those of a mask are anywhere.
        let is_unique = (0..text.len()).filter(|at| text[*at..].starts_with(secret)).count() == 1;
        if (finding.rule == KNOWN_SECRET || is_unique) && !contains(secret, b"***") && secret.len() > 3 {
            assert!(!contains(&shown, secret), "{finding:?} is shown");
        }
    }

    let own = input.text();
    if let Ok(rules) = str::from_utf8(input.text()) {
        match Rules::parse(rules) {
            Ok(rules) => self::own(&Arc::new(Detector::new(rules, &[own])), text, own, &sizes),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A detector of the input's making.
fn own(detector: &Arc<Detector>, text: &[u8], secret: &[u8], sizes: &[usize]) {
    let shown = redact(detector, text, &[usize::MAX]);
    assert!(redact(detector, text, sizes) == shown, "chunks matter");
    let secret = secret.trim_ascii_end();
    if secret.len() >= 8 && !secret.contains(&b'*') {
        assert!(!contains(&shown, secret), "the secret is shown");
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
