//! What holds of the operations of the core whatever they are given. Each law is a function of bytes that panics where it is broken: the targets
//! in `native-wasm/fuzz` call it with bytes of the fuzzer, and a test with those that once broke it.
//!
//! How bytes become arguments is said by [`Input`].

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a broken law is a panic")]
#![allow(clippy::missing_panics_doc, reason = "all of them do")]
#![allow(clippy::format_collect, clippy::naive_bytecount, reason = "inputs are small, and laws as plain as can be")]

#[path = "../../core/tests/secrets/chunks.rs"]
mod chunks;
mod diff;
mod diff_trees;
mod edits;
mod input;
mod patch_apply;
mod patch_parse;
mod paths;
mod search;
mod secrets;
mod weakening;

pub use diff::diff;
pub use diff_trees::diff_trees;
pub use edits::edits;
pub use input::Input;
pub use patch_apply::patch_apply;
pub use patch_parse::patch_parse;
pub use paths::paths;
pub use search::search;
pub use secrets::secrets;
pub use weakening::weakening;

/// A law, which panics on an input that breaks it.
pub type Law = fn(&[u8]);

/// All laws, each by the name of its target.
pub const LAWS: &[(&str, Law)] = &[
    ("diff", diff),
    ("diff_trees", diff_trees),
    ("edits", edits),
    ("patch_apply", patch_apply),
    ("patch_parse", patch_parse),
    ("paths", paths),
    ("search", search),
    ("secrets", secrets),
    ("weakening", weakening),
];
