//! The inputs that once broke a law, and empty ones.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use millwright_core_laws::LAWS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/regressions")
}

#[test]
fn regressions_keep_the_laws() {
    for (name, law) in LAWS {
        let Ok(files) = fs::read_dir(folder().join(name)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            law(&fs::read(path).unwrap());
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
    fs::read_dir(folder).unwrap().map(|entry| stem(entry.unwrap())).collect()
}

#[test]
fn each_law_has_a_target_and_each_regression_a_law() {
    let laws: BTreeSet<String> = LAWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder().join("../targets")), laws);
    assert!(names(&folder()).is_subset(&laws));
}

#[test]
fn bytes_that_are_no_utf_8_keep_the_laws() {
    let text: Vec<u8> = (0x80..=0xff).chain(*b"\xe2\x80\n\xf0\x9f").collect();
    let texts: Vec<u8> = (0..8).flat_map(|nth| [&[0x1e], &text[..text.len() - nth]].concat()).collect();
    for (_, law) in LAWS {
        for knobs in [&[][..], &[1; 40], &[2; 40], &[0xff; 40]] {
            law(&[knobs, &texts].concat());
        }
    }
}

#[test]
fn nothing_keeps_the_laws() {
    for (_, law) in LAWS {
        for input in [&b""[..], b"\x1e", b"\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e", &[0xff; 64], &[b'\n'; 64]] {
            law(input);
        }
    }
}
