//! What a configuration of tests says, line by line: of JSON, YAML, TOML, INI, XML, scripts and code alike only the lines that matter are read.

use super::paths::file_name;
use core::ops::Range;

/// What a line says about the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FactKind {
    /// A number of which less lets more pass.
    Least,
    /// A number of which more lets more pass.
    Most,
    /// Something that lets failures pass.
    Slack,
    /// Something that makes more fail.
    Strict,
    /// A command that runs tests.
    Command,
}

/// A fact and where it is.
#[derive(Clone, Debug)]
pub(super) struct Fact<'a> {
    pub(super) kind: FactKind,
    /// What the number or switch is, or the name of a script; for another command the tool.
    pub(super) key: &'a [u8],
    pub(super) value: f64,
    /// The line without the white space around it; of a script its command.
    pub(super) text: &'a [u8],
    pub(super) range: Range<u32>,
}

/// Reads all facts of a text. Of a file of tests only its retries count.
pub(super) fn read<'a>(path: &[u8], bytes: &'a [u8], is_config: bool) -> Vec<Fact<'a>> {
    let has_thresholds = [&b"hreshold"[..], b"overage"].iter().any(|it| memchr::memmem::find(bytes, it).is_some())
        || memchr::memmem::find(path, b"nyc").is_some()
        || memchr::memmem::find(path, b"c8rc").is_some();
    let mut facts = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        // Longer lines are data.
        if end - start <= 4096 {
            let line = bytes[start..end].trim_ascii();
            let from = start + bytes[start..end].iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
            if !line.starts_with(b"#") && !line.starts_with(b"//") && !line.starts_with(b"<!--") {
                let mut reader = Reader { line, from, facts: &mut facts };
                reader.numbers(has_thresholds, is_config, path);
                if is_config {
                    reader.switches();
                    reader.command(file_name(path));
                }
            }
        }
        start = end + 1;
    }
    facts
}

/// What is in a line of a file of tests that asks for retries, since what is tested may have retries of its own.
const TEST_RETRIES: [&[u8]; 6] = [b"retryTimes(", b"this.retries(", b"configure(", b"test(", b"it(", b"describe("];

/// What lets failures pass wherever it stands.
const SLACK: [&[u8]; 17] = [
    b"passWithNoTests",
    b"pass-with-no-tests",
    b"-DskipTests",
    b"-Dmaven.test.skip",
    b"<skipTests>true",
    b"<testFailureIgnore>true",
    b"allow_failure: true",
    b"continue-on-error: true",
    b"ignoreFailures = true",
    b"ignoreFailures=true",
    b"--allow-only",
    b"allowOnly: true",
    b"dangerouslyIgnoreUnhandledErrors",
    b"set +e",
    b"if: false",
    b"collect_ignore",
    b"continueOnError: true",
];

/// Reads a line.
pub(super) struct Reader<'a, 'f> {
    pub(super) line: &'a [u8],
    from: usize,
    facts: &'f mut Vec<Fact<'a>>,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn add(&mut self, kind: FactKind, key: &'a [u8], value: f64, text: &'a [u8]) {
        let range = self.from as u32..(self.from + self.line.len()) as u32;
        self.facts.push(Fact { kind, key, value, text, range });
    }

    /// `key: 80`, `key = 80`, `--key=80`, `--key 80`, `<key>80</key>`, `key(3)`.
    fn numbers(&mut self, has_thresholds: bool, is_config: bool, path: &[u8]) {
        if !is_config && !TEST_RETRIES.iter().any(|it| memchr::memmem::find(self.line, it).is_some()) {
            return;
        }
        let codecov = memchr::memmem::find(file_name(path), b"codecov").is_some();
        for word in words(self.line) {
            let name = &self.line[word.clone()];
            let name = name.iter().rposition(|byte| *byte == b'.').map_or(name, |dot| &name[dot + 1..]);
            let name = name.iter().position(|byte| *byte != b'-').map_or(name, |from| &name[from..]);
            let kind = match name {
                b"branches" | b"functions" | b"lines" | b"statements" | b"minimum" | b"coverage"
                    if has_thresholds && is_config =>
                {
                    FactKind::Least
                }
                b"threshold" if codecov => FactKind::Most,
                b"target" if codecov => FactKind::Least,
                b"fail_under"
                | b"fail-under"
                | b"cov-fail-under"
                | b"fail-under-lines"
                | b"fail-under-functions"
                | b"min-coverage"
                | b"minimum-coverage"
                | b"COVERAGE_THRESHOLD"
                | b"MIN_COVERAGE"
                | b"threshold"
                | b"thresholds"
                | b"total"
                    if is_config =>
                {
                    FactKind::Least
                }
                b"retries"
                | b"retry"
                | b"reruns"
                | b"retryTimes"
                | b"retry-times"
                | b"flaky-test-attempts"
                | b"rerunFailingTestsCount"
                | b"maxRetries"
                | b"max_retries"
                | b"test-retries" => FactKind::Most,
                _ => continue,
            };
            if let Some(value) = number_behind(self.line, word.end) {
                let text = self.line;
                self.add(kind, &text[word.end - name.len()..word.end], value, text);
            }
        }
    }

    fn switches(&mut self) {
        let line = self.line;
        let has = |part: &[u8]| memchr::memmem::find(line, part).is_some();
        let is_false = has(b"false");
        for part in SLACK {
            if has(part) && (!is_false || part.ends_with(b"false")) {
                self.add(FactKind::Slack, part, 0.0, line);
            }
        }
        for part in [
            &b"forbidOnly: true"[..],
            b"forbidOnly: !!process.env.CI",
            b"check-coverage",
            b"checkCoverage: true",
            b"fail_ci_if_error: true",
            b"--strict-markers",
        ] {
            if has(part) && !is_false {
                self.add(FactKind::Strict, part, 0.0, line);
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn words(line: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    core::iter::from_fn(move || {
        let start = at + line.get(at..)?.iter().position(|byte| is_word(*byte))?;
        let length = line[start..].iter().position(|byte| !is_word(*byte)).unwrap_or(line.len() - start);
        at = start + length;
        Some(start..at)
    })
}

fn number_behind(line: &[u8], at: usize) -> Option<f64> {
    let rest = line.get(at..)?;
    let skipped = rest.iter().position(|byte| !matches!(byte, b' ' | b':' | b'=' | b'"' | b'\'' | b'>' | b'('))?;
    let rest = &rest[skipped..];
    let length = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
    if skipped == 0 || length == 0 {
        return None;
    }
    core::str::from_utf8(&rest[..length]).ok()?.parse().ok()
}
