//! Ignore rules and the fence against git itself.
#![allow(clippy::unwrap_used, reason = "what tests are built on fails as they do")]

mod fence;
#[path = "../support/git.rs"]
mod git;
mod ignore;
