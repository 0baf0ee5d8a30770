//! The rules by their own examples, planted secrets in realistic text, real code, and the laws of redaction.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests may fail as tests do")]

mod chunks;
mod clean;
mod places;
mod planted;
mod redaction;
mod rules;
mod template;
