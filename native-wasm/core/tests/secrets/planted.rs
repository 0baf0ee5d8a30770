//! Secrets planted into realistic text of several languages: all are found, where they are.

use crate::places::places;
use crate::template::{Random, expand, rules};
use millwright_core::Budget;
use millwright_core::secrets::{Detector, Redactor, Rules, ScanOptions, Severity};
use std::fmt::Write as _;
use std::sync::Arc;

#[test]
fn all_are_found() {
    let detector = Arc::new(Detector::new(Rules::built_in().unwrap(), &[]));
    let mut random = Random(2026);
    let (mut planted, mut missed) = (0, String::new());
    for rule in rules().iter().filter(|rule| !rule.is_redact_only) {
        for (name, file) in places(&rule.positive) {
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
            let is_shown = memchr::memmem::find(&shown, text[secret].as_bytes()).is_some();
            assert!(!is_shown, "the redactor shows {} in {name}: {text:?}: {findings:?}", rule.id);
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
