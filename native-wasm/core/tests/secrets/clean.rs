//! Real code of the caches of toolchains, where there is any: next to nothing in it is a secret.

use millwright_core::Budget;
use millwright_core::secrets::{Detector, Rules, ScanOptions, Severity};
use std::path::{Path, PathBuf};

const MAX_BYTES: usize = 2 << 20;

fn sources() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("registry/src")).filter(|folder| folder.is_dir())
}

fn files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>, left: &mut usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found, left);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.len() <= *left
            && !bytes.contains(&0)
        {
            *left -= bytes.len();
            found.push((path, bytes));
        }
    }
}

#[test]
fn real_code_has_few_findings() {
    let Some(folder) = sources() else {
        println!("skipped: no sources of crates here");
        return;
    };
    let (mut found, mut left) = (Vec::new(), MAX_BYTES);
    files(&folder, &mut found, &mut left);
    let detector = Detector::new(Rules::built_in().unwrap(), &[]);
    let mut reported = Vec::new();
    for (path, bytes) in &found {
        let options = ScanOptions { path: path.as_os_str().as_encoded_bytes(), allow_comments: false };
        let findings = detector.scan(bytes, &options, &mut Budget::default()).unwrap();
        reported.extend(
            findings.into_iter().filter(|one| one.severity > Severity::Suspect).map(|one| (one.rule, path, one.line)),
        );
    }
    let bytes: usize = found.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} findings in {bytes} bytes: {reported:?}", reported.len());
    // Of the order of one a megabyte, or people stop reading them.
    assert!(reported.len() <= 2 + 2 * (bytes >> 20), "{reported:?}");
}
