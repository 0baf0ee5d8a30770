//! Binary patches that fit and that do not.
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests may fail, and need not be fast"
)]

use millwright_core::Budget;
use millwright_core::patch::{ApplyError, ApplyOptions, BinaryError, ParseOptions, Patch};

const OPTIONS: ApplyOptions =
    ApplyOptions { reverse: false, fuzz: 0, anchored: true, seed: millwright_core::hash::Seed(3) };

const REVERSE: ApplyOptions = ApplyOptions { reverse: true, ..OPTIONS };

fn apply_with(patch: &str, old: &str, options: &ApplyOptions) -> Result<String, ApplyError> {
    let patch = Patch::parse(patch.as_bytes(), &ParseOptions::default()).unwrap();
    let applied = patch.files[0].apply(old.as_bytes(), options, &mut Budget::default())?;
    Ok(String::from_utf8(applied.bytes).unwrap())
}

#[test]
fn binary_data_have_to_fit_the_file() {
    use miniz_oxide::deflate::compress_to_vec_zlib;
    let delta = [&[3, 4][..], &[0x90, 3, 1, b'!']].concat();
    let patch = |forward: (&str, usize, &[u8]), back: Option<&[u8]>| {
        let mut text = format!(
            "diff --git a/x b/x\nindex 1..2\nGIT binary patch\n{} {}\n{}\n",
            forward.0,
            forward.1,
            base_85(&compress_to_vec_zlib(forward.2, 9))
        );
        if let Some(back) = back {
            text += &format!("literal {}\n{}\n", back.len(), base_85(&compress_to_vec_zlib(back, 9)));
        }
        text
    };
    let apply = |patch: &str, old: &str| apply_with(patch, old, &OPTIONS);
    let good = patch(("delta", delta.len(), &delta), Some(b"abc"));
    assert_eq!(apply(&good, "abc").unwrap(), "abc!");
    assert_eq!(apply_with(&good, "abc!", &REVERSE).unwrap(), "abc");
    assert_eq!(apply(&good, "abd").unwrap_err(), ApplyError::Binary(BinaryError::OldDiffers));
    assert_eq!(apply(&good, "ab").unwrap_err(), ApplyError::Binary(BinaryError::OldDiffers));
    let literal = patch(("literal", 3, b"new"), None);
    assert_eq!(apply(&literal, "old").unwrap(), "new");
    let reverse = apply_with(&literal, "new", &REVERSE);
    assert_eq!(reverse.unwrap_err(), ApplyError::Binary(BinaryError::OneWay));
    for size in [0, 2, 4, 1 << 29] {
        let error = apply(&patch(("literal", size, b"new"), None), "").unwrap_err();
        assert_eq!(error, ApplyError::Binary(BinaryError::Size { offset: 47, declared: size as u64 }));
    }
    // A small patch of a gibibyte stops at the size that is declared.
    let bomb = patch(("literal", 10, &vec![0; 1 << 20]), None);
    assert_eq!(apply(&bomb, "").unwrap_err(), ApplyError::Binary(BinaryError::Size { offset: 47, declared: 10 }));
    for broken in [&[3, 4][..], &[3, 4, 0], &[3, 4, 0x90, 9], &[3, 4, 5, 1], &[3, 4, 0x80 | 0x40], &[3], &[0x83; 12]] {
        let error = apply(&patch(("delta", broken.len(), broken), None), "abc").unwrap_err();
        assert!(
            matches!(error, ApplyError::Binary(BinaryError::Damaged { .. } | BinaryError::Size { .. })),
            "{error:?}"
        );
    }
    let damaged = base_85(&compress_to_vec_zlib(&delta, 9));
    let damaged = good.replace(&damaged, &damaged.replacen(damaged.as_bytes()[3] as char, "0", 9));
    assert!(matches!(apply(&damaged, "abc").unwrap_err(), ApplyError::Binary(_)));
}

/// As git writes it.
fn base_85(bytes: &[u8]) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let mut text = String::new();
    for line in bytes.chunks(52) {
        text.push(char::from(if line.len() > 26 { b'a' + line.len() as u8 - 27 } else { b'A' + line.len() as u8 - 1 }));
        for group in line.chunks(4) {
            let mut word = [0; 4];
            word[..group.len()].copy_from_slice(group);
            let word = u32::from_be_bytes(word);
            text.extend((0..5).rev().map(|power| char::from(digits[(word / 85u32.pow(power) % 85) as usize])));
        }
        text.push('\n');
    }
    text
}
