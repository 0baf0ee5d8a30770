//! Search in the files of a repository: an index of trigrams over resident contents, which finds the few places where a match can be, and
//! a literal or regex search of those.
//!
//! Matches are found line by line, as `grep` does: no match holds a line end. Contents are bytes of any encoding.
//!
//! ```
//! use millwright_core::Budget;
//! use millwright_core::search::{Index, Matching, Query, Rules, everywhere};
//!
//! let mut index = Index::new(Rules::default())?;
//! index.put(b"src/main.rs", b"fn main() {\n    greet();\n}\n")?;
//! index.put(b"src/greet.rs", b"pub fn greet() {}\n")?;
//!
//! let query = Query::regex(r"fn \w+", Matching::default())?;
//! let found = index.search(&query, &everywhere, 10, &mut Budget::default())?;
//! let hit = found.hits[0];
//! let document = index.document(hit.doc).unwrap();
//! assert_eq!((document.path(), hit.line), (&b"src/main.rs"[..], 1));
//! assert_eq!(&document.contents()[hit.start as usize..hit.end as usize], b"fn main");
//! assert!(!found.more);
//! # Ok::<(), millwright_core::search::SearchError>(())
//! ```

mod blocks;
mod candidates;
mod definitions;
mod document;
mod error;
mod extract;
mod formula;
mod index;
mod line_bound;
mod literal;
mod ordinary;
mod paths;
mod postings;
#[cfg(test)]
mod properties;
mod query;
mod rank;
mod regex;
mod rules;
mod run;
mod strings;
mod task;
mod trigrams;
mod words;

pub use definitions::{Defined, Definitions, Name};
pub use document::{Context, Document};
pub use error::SearchError;
pub use index::{Index, Statistics};
pub use paths::{PathFilter, Paths, everywhere};
pub use query::{Matching, Query};
pub use rules::{Rules, Skip};
pub use run::{Count, Hit, Hits};
