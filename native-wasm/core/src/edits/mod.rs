//! Search and replace as agents make it, and what is near where a search finds nothing.

mod canonical;
mod difference;
mod error;
mod near;
mod replace;

pub use difference::Difference;
pub(crate) use difference::difference;
pub use error::{EditError, EditErrorKind, EditsError, NearMiss};
pub use replace::{Edit, Edited, Replaced, apply};
