//! What a file is for, by its path.

use crate::lex::Language;

/// Whether a file of this path holds tests, as the runners of its language find them. Rust has tests in any file.
pub(super) fn is_test_file(path: &[u8], language: Language) -> bool {
    let name = file_name(path);
    let stem = memchr::memrchr(b'.', name).map_or(name, |dot| &name[..dot]);
    match language {
        Language::Rust => true,
        Language::Go => stem.ends_with(b"_test"),
        Language::Python => {
            stem.starts_with(b"test_")
                || stem.ends_with(b"_test")
                || stem == b"tests"
                || has_folder(path, &[b"tests", b"test"])
        }
        Language::Java => {
            [&b"Test"[..], b"Tests", b"IT", b"TestCase", b"Spec"].iter().any(|suffix| stem.ends_with(suffix))
                || stem.starts_with(b"Test")
                || memchr::memmem::find(path, b"src/test/").is_some()
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            [&b".test"[..], b".spec", b".cy", b".e2e", b"_test", b"-test", b".tests", b".specs"]
                .iter()
                .any(|it| stem.ends_with(it))
                || has_folder(path, &[b"__tests__", b"test", b"tests", b"spec", b"e2e", b"cypress"])
        }
    }
}

/// Whether all functions of a Rust file are for tests.
pub(super) fn is_rust_test_folder(path: &[u8]) -> bool {
    has_folder(path, &[b"tests", b"test"]) || file_name(path) == b"tests.rs" || file_name(path) == b"test.rs"
}

/// Whether a file holds recorded expectations.
pub(super) fn is_snapshot(path: &[u8]) -> bool {
    path.ends_with(b".snap")
        || path.ends_with(b".ambr")
        || has_folder(path, &[b"__snapshots__", b"__image_snapshots__"])
}

pub(super) fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

pub(super) fn has_folder(path: &[u8], names: &[&[u8]]) -> bool {
    let folders = memchr::memrchr(b'/', path).map_or(&[][..], |slash| &path[..slash]);
    folders.split(|byte| *byte == b'/').any(|folder| names.contains(&folder))
}
