//! Operations on code as pure functions over bytes: no I/O, no clock, no randomness, no unsafe code, no recursion on input.
//!
//! Whatever comes from outside may be hostile. Each function answers within a bound on time ([`Budget`]) and memory ([`Limit`]), and names
//! the place of what is wrong; none panics.

mod block;
mod budget;
pub mod diff;
pub mod edits;
pub mod glob;
pub mod hash;
pub mod ignore;
pub mod lex;
mod limit;
mod lines;
pub mod outline;
pub mod patch;
pub mod paths;
pub mod search;
pub mod secrets;
mod sort;
pub mod weakening;

pub use budget::Budget;
pub use limit::{Limit, MAX_INPUT_BYTES};
pub use lines::Lines;
