//! Each rule finds its example and not its counterexample.

use crate::template::{Random, expand, rules};
use millwright_core::Budget;
use millwright_core::secrets::{Detector, Finding, Redactor, Rules, ScanOptions, Severity};
use std::sync::Arc;

fn scan<'d>(detector: &'d Detector, text: &str) -> Vec<Finding<'d>> {
    detector.scan(text.as_bytes(), &ScanOptions::default(), &mut Budget::default()).unwrap()
}

#[test]
fn each_finds_its_example_exactly() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    for rule in rules().iter().filter(|rule| !rule.is_redact_only) {
        for seed in 0..20 {
            let example = expand(&rule.positive, &mut Random(seed));
            let findings = scan(&detector, &example.text);
            let found = findings.iter().find(|finding| finding.rule == rule.id);
            let Some(found) = found else { panic!("{} does not find {:?}, but {findings:?}", rule.id, example.text) };
            assert_eq!(
                found.range,
                example.secret.start as u32..example.secret.end as u32,
                "{}: {}",
                rule.id,
                example.text
            );
            assert!(found.severity > Severity::Suspect, "{}: {}", rule.id, example.text);
            assert!(found.preview.ends_with("***") && !found.preview.contains(&example.text[example.secret.clone()]));
        }
    }
}

#[test]
fn none_finds_its_counterexample() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    for rule in rules() {
        for seed in 0..20 {
            let text = expand(&rule.negative, &mut Random(seed)).text;
            let findings = scan(&detector, &text);
            assert!(findings.iter().all(|finding| finding.rule != rule.id), "{} finds {text:?}: {findings:?}", rule.id);
        }
    }
}

#[test]
fn the_redactor_masks_each_example() {
    let detector = Arc::new(Detector::new(Rules::built_in().unwrap(), &[]));
    for rule in rules() {
        let example = expand(&rule.positive, &mut Random(7));
        let mut redactor = Redactor::new(Arc::clone(&detector));
        let mut shown = Vec::new();
        redactor.push(example.text.as_bytes(), &mut shown).unwrap();
        redactor.end(&mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("***") && !shown.contains(&example.text[example.secret]), "{}: {shown}", rule.id);
    }
}

#[test]
fn a_wrong_checksum_makes_it_suspect() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    for rule in rules().iter().filter(|rule| rule.positive.contains("{crc") || rule.positive.contains("{bech32")) {
        let example = expand(&rule.positive, &mut Random(3));
        let last = &example.text[example.secret.end - 1..example.secret.end];
        let mut text = example.text.clone();
        text.replace_range(example.secret.end - 1..example.secret.end, if last == "2" { "3" } else { "2" });
        let findings = scan(&detector, &text);
        assert_eq!(findings.len(), 1, "{}", rule.id);
        assert_eq!((findings[0].rule, findings[0].severity), (&*rule.id, Severity::Suspect));
    }
}

#[test]
fn a_password_for_a_host_beside_it_is_less_sure() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    for (host, severity) in [
        ("db.internal:5432", Severity::High),
        ("db:5432", Severity::Suspect),
        ("localhost", Severity::Suspect),
        ("api.example.com", Severity::Suspect),
    ] {
        let text = expand(&format!("url = postgres://ada:‹{{b62:12}}›@{host}/app\n"), &mut Random(1)).text;
        let findings = scan(&detector, &text);
        assert_eq!(findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [severity], "{text}");
    }
}

#[test]
fn a_sure_one_shows_within_one_that_is_not() {
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    let inner = expand("postgres://ada:‹{b62:12}›@db.internal/app", &mut Random(1)).text;
    let filler = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n".repeat(4);
    let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{filler}{inner}\n{filler}-----END RSA PRIVATE KEY-----\n");
    let findings = scan(&detector, &text);
    assert!(
        findings.iter().any(|found| (found.rule, found.severity) == ("url-password", Severity::High)),
        "{findings:?}"
    );
}
