//! Search as its users see it.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod files;
mod hostile;
mod matching;
mod ranking;

use millwright_core::Budget;
use millwright_core::glob::{Case, Globs};
use millwright_core::search::{Index, Matching, Query, Rules, everywhere};

const PLAIN: Matching = Matching { any_case: false, word: false };

fn index(files: &[(&str, &[u8])]) -> Index {
    let mut index = Index::new(Rules::default()).unwrap();
    for (path, contents) in files {
        assert_eq!(index.put(path.as_bytes(), contents), Ok(None), "{path}");
    }
    index
}

fn globs(patterns: &[&str]) -> Globs {
    let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
    Globs::compile(&patterns, Case::Sensitive).unwrap()
}

fn regex(pattern: &str) -> Query {
    Query::regex(pattern, PLAIN).unwrap()
}

/// `path:line:text` of each hit.
fn found(index: &Index, query: &Query, limit: u32) -> Vec<String> {
    let hits = index.search(query, &everywhere, limit, &mut Budget::default()).unwrap().hits;
    let shown = hits.iter().map(|hit| {
        let document = index.document(hit.doc).unwrap();
        let text = &document.contents()[hit.start as usize..hit.end as usize];
        format!("{}:{}:{}", String::from_utf8_lossy(document.path()), hit.line, String::from_utf8_lossy(text))
    });
    shown.collect()
}
