//! The shell between JavaScript and the core. JavaScript writes a request into the memory of the instance, calls an operation, and reads the answer
//! from the memory: one copy each way, however many items there are.
//!
//! All numbers are little-endian. A request is a sequence of fields (`frame.rs`); so is an answer, behind a word that says whether it is an error.

mod diff;
mod edits;
mod exchange;
mod frame;
mod handles;
mod ignore;
mod outline;
mod patch;
mod paths;
mod search;
mod secrets;
mod trees;
mod weakening;

pub use diff::diff_texts;
pub use edits::apply_edits;
pub use exchange::{answer_at, request_at, restart, set_seed, start, wasm_memory};
pub use ignore::check_ignored;
pub use outline::outline_texts;
pub use patch::{apply_patch, read_patch};
pub use paths::judge_paths;
pub use search::{count_hits, create_index, dispose_index, find_definitions, outline_file, put_files, search};
pub use secrets::{create_redactor, dispose_redactor, redact, scan_secrets};
pub use trees::diff_trees;
pub use weakening::{check_patch_weakening, check_weakening};
