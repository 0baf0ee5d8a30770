//! Secrets planted into realistic text of several languages: all are found, where they are.

use crate::template::{Random, expand, rules};
use millwright_core::Budget;
use millwright_core::secrets::{Detector, Redactor, Rules, ScanOptions, Severity};
use std::fmt::Write as _;
use std::sync::Arc;

/// Files with a place for a secret that stands alone.
const FILES: &[(&str, &str)] = &[
    ("app.ts", "import { connect } from './db.ts';\n\nexport const client = connect({ retries: 3, auth: 'PLANT' });\n"),
    ("app.py", "import os\n\ndef main():\n    client = Client(\"PLANT\", timeout=30)\n    return client.run()\n"),
    ("main.go", "package main\n\nfunc main() {\n\tclient := api.New(\"PLANT\")\n\tdefer client.Close()\n}\n"),
    ("lib.rs", "fn main() -> Result<(), Error> {\n    let client = Client::new(\"PLANT\")?;\n    client.run()\n}\n"),
    (
        "App.java",
        "class App {\n    private static final String A = \"PLANT\";\n    void run() { new Client(A).call(); }\n}\n",
    ),
    ("config.yaml", "service:\n  replicas: 2\n  auth: PLANT\n  image: registry.example.org/web:1.4.2\n"),
    ("config.json", "{\n  \"retries\": 3,\n  \"auth\": \"PLANT\",\n  \"hosts\": [\"a.example.org\"]\n}\n"),
    (".env", "LOG_LEVEL=debug\nAUTH=PLANT\nPORT=8080\n"),
    ("run.sh", "#!/bin/sh\nset -e\ncurl -sS -H \"X-Auth: PLANT\" https://api.example.org/v1/jobs\n"),
    ("main.tf", "provider \"x\" {\n  region = \"eu-1\"\n  auth   = \"PLANT\"\n}\n"),
    ("build.log", "2026-01-02T03:04:05Z INFO starting\n2026-01-02T03:04:06Z DEBUG header=PLANT status=200\nok\n"),
    ("event.json", "{\"level\":\"info\",\"msg\":\"line one\\nPLANT\\nline three\"}\n"),
    ("colour.log", "\u{1b}[32mok\u{1b}[0m \u{1b}[1mPLANT\u{1b}[0m\n"),
    ("README.md", "# Use\n\nRun it with `PLANT` and see.\n"),
];

/// Files with a place for a line of its own, for what is more than the secret.
const LINES: &[(&str, &str)] = &[
    ("setup.txt", "# how it is set up\nPLANT\n# and more\n"),
    ("job.yaml", "steps:\n  - run: make\n\nPLANT\n\n  - run: make test\n"),
    ("trace.log", "one\ntwo\nPLANT\nthree\n"),
];

#[test]
fn all_are_found() {
    let detector = Arc::new(Detector::new(Rules::built_in().unwrap(), &[]));
    let mut random = Random(2026);
    let (mut planted, mut missed) = (0, String::new());
    for rule in rules().iter().filter(|rule| !rule.is_redact_only) {
        let stands_alone = rule.positive.starts_with('‹')
            && rule.positive.trim_end_matches("{nl}").ends_with('›')
            && !rule.positive.contains("{pem");
        for (name, file) in if stands_alone { FILES } else { LINES } {
            let example = expand(&rule.positive, &mut random);
            let at = file.find("PLANT").unwrap();
            let text = file.replace("PLANT", &example.text);
            let secret = at + example.secret.start..at + example.secret.end;
            let findings = detector.scan(text.as_bytes(), &ScanOptions::default(), &mut Budget::default()).unwrap();
            let covers =
                |range: &std::ops::Range<u32>| range.start as usize <= secret.start && secret.end <= range.end as usize;
            planted += 1;
            if !findings.iter().any(|finding| finding.rule == rule.id && covers(&finding.range)) {
                writeln!(missed, "{} in {name}: {text:?}: {findings:?}", rule.id).unwrap();
            }
            let mut redactor = Redactor::new(Arc::clone(&detector));
            let mut shown = Vec::new();
            redactor.push(text.as_bytes(), &mut shown).unwrap();
            redactor.end(&mut shown).unwrap();
            assert!(memchr::memmem::find(&shown, text[secret.clone()].as_bytes()).is_none(), "{} in {name}", rule.id);
        }
    }
    println!("{planted} planted");
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn findings_say_where_they_are() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[b"known to all of us"]);
    let example = expand("one\n  a = ‹ghp_{start}{b62:30}{crc62}› known to all of us\n", &mut Random(1));
    let findings = detector.scan(example.text.as_bytes(), &ScanOptions::default(), &mut Budget::default()).unwrap();
    let places: Vec<_> = findings.iter().map(|one| (one.rule, one.line, one.column, &*one.preview)).collect();
    assert_eq!(places, [("github-token", 2, 7, "ghp_***"), ("known-secret", 2, 48, "***")]);
}

#[test]
fn paths_and_comments() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[b"known to all of us"]);
    let example = expand("key = ‹ghp_{start}{b62:30}{crc62}› # gitleaks:allow\ntoken = \"{b62:32}\"\n", &mut Random(1));
    let severities = |path: &str, allow_comments| -> Vec<Severity> {
        let options = ScanOptions { path: path.as_bytes(), allow_comments };
        let findings = detector.scan(example.text.as_bytes(), &options, &mut Budget::default()).unwrap();
        findings.iter().map(|finding| finding.severity).collect()
    };
    assert_eq!(severities("src/a.ts", false), [Severity::High, Severity::Medium]);
    assert_eq!(severities("src/a.test.ts", false), [Severity::Medium, Severity::Suspect]);
    assert_eq!(severities("yarn.lock", false), [Severity::High]);
    assert_eq!(severities("src/a.ts", true), [Severity::Medium]);
    let options = ScanOptions { path: b"tests/a.ts", allow_comments: true };
    let findings = detector.scan(b"known to all of us // gitleaks:allow", &options, &mut Budget::default()).unwrap();
    assert_eq!(findings[0].severity, Severity::High);
}

#[test]
fn of_findings_that_overlap_the_first_rule_wins() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    let example =
        expand("token = \"ghp_{start}{b62:30}{crc62}\"\nurl = https://x:ghp_{start}{b62:30}{crc62}@h/", &mut Random(5));
    let findings = detector.scan(example.text.as_bytes(), &ScanOptions::default(), &mut Budget::default()).unwrap();
    assert_eq!(findings.iter().map(|one| one.rule).collect::<Vec<_>>(), ["github-token"; 2]);
}

#[test]
fn work_is_linear() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    let long = |unit: &str| unit.repeat(100_000 / unit.len());
    for unit in [
        "a",
        "eyJ",
        ".eyJ",
        "-eyJa",
        "://",
        "://a:",
        "token=",
        "token =token=",
        "machine a login b ",
        "-----BEGIN PRIVATE KEY-----",
        "sk-ant-",
        "secret_",
        ":AA1",
    ] {
        let text = long(unit);
        let mut budget = Budget::new(u64::MAX);
        detector.scan(text.as_bytes(), &ScanOptions::default(), &mut budget).unwrap();
        let per_byte = (u64::MAX - budget.left()) / text.len() as u64;
        assert!(per_byte <= 1000, "{unit}: {per_byte} units a byte");
    }
    let mut budget = Budget::new(1000);
    assert!(detector.scan(&[b' '; 2000], &ScanOptions::default(), &mut budget).is_err());
}
