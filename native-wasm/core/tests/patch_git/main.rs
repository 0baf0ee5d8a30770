//! Patches against the real git: what it makes is read, and what it does with a file we do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    reason = "helpers of tests may fail, and need not be fast"
)]

mod drift;
#[path = "../support/git.rs"]
mod git;
mod history;
mod tree;
