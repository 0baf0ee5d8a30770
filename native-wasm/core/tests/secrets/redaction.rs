//! The laws of the redactor.

use crate::chunks::redact;
use crate::template::{Random, expand, rules};
use millwright_core::secrets::{Detector, MAX_HELD_BYTES, Redactor, Rules};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const SECRET: &str = "abcabcabd-secret";
const QUOTED: &str = "p\"ss/w rd+<9>";

static KNOWN_ONLY: LazyLock<Arc<Detector>> =
    LazyLock::new(|| Arc::new(Detector::new(Rules::parse("").unwrap(), &[SECRET.as_bytes()])));
static FULL: LazyLock<Arc<Detector>> =
    LazyLock::new(|| Arc::new(Detector::new(Rules::built_in().unwrap(), &[SECRET.as_bytes(), QUOTED.as_bytes()])));

fn text_of(detector: &Arc<Detector>, text: &str) -> String {
    String::from_utf8(redact(detector, text.as_bytes(), &[usize::MAX])).unwrap()
}

/// An example of any rule.
fn example() -> impl Strategy<Value = String> {
    let rules = rules();
    (0..rules.len(), any::<u64>()).prop_map(move |(rule, seed)| expand(&rules[rule].positive, &mut Random(seed)).text)
}

/// What comes near to a secret.
fn near() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "abc",
            "abcabcab",
            "-secret",
            "x",
            "\n",
            " ",
            "password = \"",
            "https://",
            "a:b@",
            "eyJ",
            ".",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----END ",
            "-----",
            "ghp_",
            "token: ",
            "machine a login b password ",
            "AKIA",
            "\\n",
            "\x1b[0m",
            "é",
            ":AA",
            "Bearer ",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9]{1,70}",
        "\\PC{0,8}",
    ]
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1usize..4, 1usize..100], 1..20)
}

proptest! {
    #[test]
    fn known_secrets_are_replaced_and_nothing_else(
        parts in proptest::collection::vec(prop_oneof![Just(SECRET.to_owned()), near()], 0..12),
        sizes in sizes(),
    ) {
        let text = parts.concat();
        let shown = redact(&KNOWN_ONLY, text.as_bytes(), &sizes);
        prop_assert_eq!(String::from_utf8(shown).unwrap(), text.replace(SECRET, "***"));
    }

    #[test]
    fn chunks_do_not_matter(
        parts in proptest::collection::vec(prop_oneof![2 => near(), 1 => example(), 1 => Just(SECRET.to_owned())], 0..10),
        sizes in sizes(),
    ) {
        let text = parts.concat();
        let whole = redact(&FULL, text.as_bytes(), &[usize::MAX]);
        let cut = redact(&FULL, text.as_bytes(), &sizes);
        prop_assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole));
        prop_assert!(memchr::memmem::find(&whole, SECRET.as_bytes()).is_none());
    }

    /// What was given out is forgotten now and then, here between a key and its value.
    #[test]
    fn what_is_forgotten_does_not_matter(before in 0usize..200, example in example(), size in 1usize..6) {
        let forgotten = 2 * (256 + MAX_HELD_BYTES) - before;
        let text = format!("{}{example}", ".".repeat(forgotten));
        let mut sizes = vec![size; example.len() / size + 2];
        sizes.insert(0, forgotten);
        let whole = redact(&FULL, text.as_bytes(), &[usize::MAX]);
        prop_assert!(redact(&FULL, text.as_bytes(), &sizes) == whole, "{}", example);
    }

    #[test]
    fn held_is_only_what_may_begin_a_secret(parts in proptest::collection::vec(near(), 0..8), size in 1usize..9) {
        let text = parts.concat();
        let mut redactor = Redactor::new(Arc::clone(&KNOWN_ONLY));
        let mut shown = Vec::new();
        let mut pushed = 0;
        for chunk in text.as_bytes().chunks(size) {
            redactor.push(chunk, &mut shown).unwrap();
            pushed += chunk.len();
            let so_far = &text.as_bytes()[..pushed];
            // The secret of the test begins so in all forms that are not base64.
            let from = (0..=pushed).find(|from| pushed - from < SECRET.len() && SECRET.as_bytes().starts_with(&so_far[*from..])).unwrap();
            let held = pushed - from;
            prop_assert!(redactor.held() >= held);
            let tail = &so_far[pushed - redactor.held()..];
            let is_beginning = KNOWN_BASE64.iter().any(|form| form.starts_with(tail));
            prop_assert!(redactor.held() == held || is_beginning, "held {:?} of {:?}", String::from_utf8_lossy(tail), String::from_utf8_lossy(so_far));
        }
    }
}

/// The forms of [`SECRET`] in base64, which has none of the letters that differ between its alphabets.
static KNOWN_BASE64: [&[u8]; 3] = [b"YWJjYWJjYWJkLXNlY3JldA", b"FiY2FiY2FiZC1zZWNyZX", b"hYmNhYmNhYmQtc2VjcmV0"];

#[test]
fn shows_at_once_what_cannot_be_part_of_a_secret() {
    let mut redactor = Redactor::new(Arc::clone(&FULL));
    let mut push = |text: &str| {
        let mut shown = Vec::new();
        redactor.push(text.as_bytes(), &mut shown).unwrap();
        String::from_utf8(shown).unwrap()
    };
    assert_eq!(push("hello abcab"), "hello ");
    assert_eq!(push("x"), "abcabx");
    assert_eq!(push("\npassword = "), "\npassword = ");
    assert_eq!(push("\"q7Gx2kP9"), "\"");
    assert_eq!(push("vLm4Zt8R\" # done"), "***\" # done");
    assert_eq!(push(" compiling 3 of 7\n"), " compiling 3 of 7\n");
}

#[test]
fn all_forms_of_a_known_secret_are_masked() {
    for (text, expected) in [
        ("p\"ss/w rd+<9>", "***"),
        ("url?p=p%22ss%2Fw%20rd%2B%3C9%3E&x", "url?p=***&x"),
        ("p=p%22ss%2fw+rd%2b%3c9%3e", "p=***"),
        ("{\"p\":\"p\\\"ss/w rd+<9>\"}", "{\"p\":\"***\"}"),
        ("{\"p\":\"p\\\"ss/w rd+\\u003c9\\u003e\"}", "{\"p\":\"***\"}"),
        ("YWRhOnAic3MvdyByZCs8OT4=", "YWRhOn***4="),
    ] {
        assert_eq!(text_of(&FULL, text), expected, "{text}");
    }
}

#[test]
fn several_secrets_and_short_ones() {
    let known: [&[u8]; 3] = [b"one-secret", b"two-secret", b"yes"];
    let detector = Arc::new(Detector::new(Rules::parse("").unwrap(), &known));
    assert_eq!(text_of(&detector, "one-secret two-secret yes"), "*** *** yes");
}

#[test]
fn credentials_of_urls() {
    for (text, expected) in [
        ("https://bot:s3cret@forge/x.git", "https://***@forge/x.git"),
        ("access 'https://token@forge/' and ssh://git@host/x", "access 'https://***@forge/' and ssh://***@host/x"),
        ("mail to ada@example.com about https://forge/@ada", "mail to ada@example.com about https://forge/@ada"),
    ] {
        assert_eq!(text_of(&FULL, text), expected);
    }
}

#[test]
fn a_private_key_is_masked_from_its_first_line_on() {
    let mut redactor = Redactor::new(Arc::clone(&FULL));
    let mut shown = Vec::new();
    redactor.push(b"key: -----BEGIN PRIVATE KEY-----", &mut shown).unwrap();
    assert_eq!(shown, b"key: ***");
    for line in 0..100 {
        redactor.push(format!("\n{line:02}{}", "Q".repeat(62)).as_bytes(), &mut shown).unwrap();
        assert_eq!((redactor.held(), shown.as_slice()), (0, &b"key: ***"[..]));
    }
    redactor.push(b"\n-----END PRIVATE KEY-----\ndone\n", &mut shown).unwrap();
    assert_eq!(shown, b"key: ***\ndone\n");
}

#[test]
fn a_text_about_private_keys_comes_back() {
    let text = format!("-----BEGIN PRIVATE KEY----- is how it begins. {}", "Some words follow. ".repeat(100));
    let shown = text_of(&FULL, &text);
    assert!(shown.starts_with("***") && shown.len() > text.len() - 1100);
}

#[test]
fn endless_secrets_are_masked_without_being_held() {
    let token = expand("‹{jwt}›", &mut Random(1)).text;
    let mut redactor = Redactor::new(Arc::clone(&FULL));
    let mut shown = Vec::new();
    redactor.push(token.as_bytes(), &mut shown).unwrap();
    for _ in 0..100 {
        redactor.push(&[b'a'; 1000], &mut shown).unwrap();
        assert_eq!((redactor.held(), shown.as_slice()), (0, &b"***"[..]));
    }
    redactor.push(b" end\n", &mut shown).unwrap();
    assert_eq!(shown, b"*** end\n");
}

#[test]
fn a_long_candidate_is_given_out_when_it_is_none() {
    let text = format!("x eyJ{} y", "a".repeat(20_000));
    assert_eq!(redact(&FULL, text.as_bytes(), &[999]), text.as_bytes());
    let text = format!("https://{}", "a".repeat(20_000));
    assert_eq!(redact(&FULL, text.as_bytes(), &[1]), text.as_bytes());
}

/// A stream in which secrets without end begin again and again is not read once for each of them.
#[test]
fn limit_secrets_that_begin_in_each_other() {
    let secret = |template: &str| format!("-{}", expand(template, &mut Random(5)).text);
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n", "Q".repeat(64));
    for begin in [secret("‹ops_eyJ{b64u:220}›"), secret("‹pypi-AgEIcHlwaS5vcmc{b64u:60}›"), key] {
        let text = begin.repeat((1 << 20) / begin.len());
        let shown = redact(&FULL, text.as_bytes(), &[1 << 19, 5, 70_000]);
        assert!(shown.len() < 10, "{:?}", String::from_utf8_lossy(&shown));
    }
}
