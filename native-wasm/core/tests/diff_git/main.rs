//! Against the real git: it takes every patch, and prints the same where it finds the same changes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[path = "../support/git.rs"]
mod git;
mod texts;
mod trees;
