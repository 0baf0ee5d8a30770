//! Search and replace as agents make it, and what is near where a search finds nothing.

mod difference;

pub use difference::Difference;
pub(crate) use difference::difference;
