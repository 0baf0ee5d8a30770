//! Random secrets in realistic texts: after the examples of the rules of the core, and after what gitleaks says it finds.

#[path = "../../core/tests/secrets/places.rs"]
mod places;

use crate::template::{self, Random, expand};
use std::fmt::Write as _;

/// A JSON array of `[set, name, path, text, start, end]`, with the place of the secret in bytes.
pub fn all(seed: u64) -> String {
    let mut random = Random(seed);
    let mut json = String::from("[");
    for rule in template::rules().iter().filter(|rule| !rule.is_redact_only) {
        plant("core", &rule.id, &rule.positive, &mut random, &mut json);
    }
    let file = include_str!("../planted/gitleaks.tsv");
    for (name, template) in file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
    {
        plant("gitleaks", name, template, &mut random, &mut json);
    }
    if json.ends_with(',') {
        json.pop();
    }
    json + "]"
}

fn plant(set: &str, name: &str, template: &str, random: &mut Random, json: &mut String) {
    for (path, file) in places::places(template) {
        let example = expand(template, random);
        let at = file.find("PLANT").unwrap_or_default();
        let text = file.replacen("PLANT", &example.text, 1);
        let (start, end) = (at + example.secret.start, at + example.secret.end);
        let _ = write!(json, "[{set:?},{name:?},{path:?},{},{start},{end}],", quoted(&text));
    }
}

/// As a string of JSON.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for each in text.chars() {
        match each {
            '"' | '\\' => json.extend(['\\', each]),
            each if each < ' ' => {
                let _ = write!(json, "\\u{:04x}", each as u32);
            }
            each => json.push(each),
        }
    }
    json + "\""
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_templates_are_expanded() {
        let json = super::all(1);
        assert!(json.starts_with("[[\"core\",\"github-token\","));
        assert!(json.contains("[\"gitleaks\",\"zendesk\","));
        for field in ["PLANT", "{b62", "{lhex", "‹", "›"] {
            assert!(!json.contains(field), "{field}");
        }
        assert_eq!(json, super::all(1));
        assert_ne!(json, super::all(2));
    }

    #[test]
    fn texts_are_json() {
        assert_eq!(super::quoted("a\"\\\n\u{1b}é"), r#""a\"\\\u000a\u001bé""#);
    }
}
