use crate::exchange::{Failure, answer};
use crate::frame::Reader;
use crate::handles::Handles;
use crate::outline::{kind, write_outline};
use millwright_core::Budget;
use millwright_core::glob::{Case, Globs};
use millwright_core::search::{Index, Matching, Name, Paths, Query, Rules, SearchError, Skip};
use wasm_bindgen::prelude::*;

thread_local! {
    static INDEXES: Handles<Index> = const { Handles::new() };
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        let (code, offset) = match &error {
            SearchError::Limit(limit) => return (*limit).into(),
            SearchError::Empty => ("EmptyPattern", None),
            SearchError::Syntax { offset, .. } => ("Syntax", Some(u64::from(*offset))),
            SearchError::SpansLines => ("SpansLines", None),
            _ => ("TooComplex", None),
        };
        Self { offset, ..Self::new(code, error.to_string()) }
    }
}

/// Makes an empty index. Request: most bytes of a file, most bytes of a line on the average; 0: the usual. Answer: its number.
#[wasm_bindgen(js_name = createIndex)]
pub fn create_index() -> usize {
    answer(|request, writer| {
        let mut rules = Rules::default();
        for (rule, given) in [(&mut rules.max_bytes, request.u32()), (&mut rules.max_mean_line, request.u32())] {
            if given > 0 {
                *rule = given;
            }
        }
        let index = Index::new(rules)?;
        writer.u32(INDEXES.with(|indexes| indexes.add(index)));
        Ok(())
    })
}

/// Takes files in, or forgets them. Request: the number of the index; for each file its path and its contents, if it still is. Answer: for each file why it
/// is not searched (0 it is, 1 binary, 2 too large, 3 minified, 4 ignored).
#[wasm_bindgen(js_name = putFiles)]
pub fn put_files() -> usize {
    answer(|request, writer| {
        with_index(request, |index, request| {
            while !request.is_done() {
                let path = request.bytes();
                let skipped = if let Some(contents) = request.optional_bytes() {
                    index.put(path, contents)?
                } else {
                    index.remove(path);
                    None
                };
                writer.u32(match skipped {
                    None => 0,
                    Some(Skip::Binary) => 1,
                    Some(Skip::TooLarge) => 2,
                    Some(Skip::Minified) => 3,
                    Some(_) => 4,
                });
            }
            Ok(())
        })
    })
}

/// Searches. Request: the number of the index, the pattern, whether it is a regex, any case, word, the limit, lines before, lines behind, budget (u64; 0: the
/// usual), two lists of globs: only, not. Answer: whether there is more; the number of hits, and of each path, line, start, end, the first line shown, the lines.
#[wasm_bindgen]
pub fn search() -> usize {
    answer(|request, writer| {
        with_index(request, |index, request| {
            let query = query(request)?;
            let (limit, before, behind) = (request.u32(), request.u32(), request.u32());
            let mut budget = budget(request);
            let paths = paths(request)?;
            let found = index.search(&query, &paths, limit, &mut budget)?;
            writer.bool(found.more);
            writer.u32(found.hits.len() as u32);
            for hit in &found.hits {
                let Some(document) = index.document(hit.doc) else { continue };
                let context = document.context(hit, before, behind);
                writer.bytes(document.path())?;
                for number in [hit.line, hit.start, hit.end, context.line, context.start] {
                    writer.u32(number);
                }
                let lines = document.contents().get(context.start as usize..context.end as usize);
                writer.bytes(lines.unwrap_or_default())?;
            }
            Ok(())
        })
    })
}

/// Counts hits. Request: the number of the index, the pattern, whether it is a regex, any case, word, budget, two lists of globs. Answer: hits (u64), documents.
#[wasm_bindgen(js_name = countHits)]
pub fn count_hits() -> usize {
    answer(|request, writer| {
        with_index(request, |index, request| {
            let query = query(request)?;
            let mut budget = budget(request);
            let paths = paths(request)?;
            let count = index.count(&query, &paths, &mut budget)?;
            writer.u64(count.hits);
            writer.u32(count.documents);
            Ok(())
        })
    })
}

/// Finds definitions by name. Request: the number of the index, the name, whether it is the beginning of names, the limit, a list of kinds (empty: all), budget
/// (u64; 0: the usual), two lists of globs: only, not. Answer: whether there is more; the number of definitions, and of each path, name, kind, line,
/// last line, start and end of the name.
#[wasm_bindgen(js_name = findDefinitions)]
pub fn find_definitions() -> usize {
    answer(|request, writer| {
        with_index(request, |index, request| {
            let (name, prefix, limit) = (request.bytes(), request.bool(), request.u32());
            let kinds = (0..request.u32()).map(|_| kind(request.u32())).collect::<Result<Vec<_>, _>>()?;
            let mut budget = budget(request);
            let paths = paths(request)?;
            let definitions = index.definitions(&Name { name, prefix, kinds: &kinds }, &paths, limit, &mut budget)?;
            writer.bool(definitions.more);
            writer.u32(definitions.found.len() as u32);
            for found in &definitions.found {
                let Some(document) = index.document(found.doc) else { continue };
                writer.bytes(document.path())?;
                let name = document.contents().get(found.start as usize..found.end as usize);
                writer.bytes(name.unwrap_or_default())?;
                for number in [found.kind as u32, found.line, found.last_line, found.start, found.end] {
                    writer.u32(number);
                }
            }
            Ok(())
        })
    })
}

/// Lists what a file of an index defines. Request: the number of the index, the path. Answer: whether the file is in the index; if so its definitions, as
/// `outline_texts` writes them.
#[wasm_bindgen(js_name = outlineFile)]
pub fn outline_file() -> usize {
    answer(|request, writer| {
        with_index(request, |index, request| {
            let document = index.find(request.bytes()).and_then(|doc| index.document(doc));
            writer.bool(document.is_some());
            let Some(document) = document else { return Ok(()) };
            Ok(write_outline(writer, document.contents(), &document.outline()?)?)
        })
    })
}

/// Lets go of an index.
#[wasm_bindgen(js_name = disposeIndex)]
pub fn dispose_index(number: u32) {
    INDEXES.with(|indexes| indexes.remove(number));
}

fn with_index<'a>(
    request: &mut Reader<'a>,
    operation: impl FnOnce(&mut Index, &mut Reader<'a>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let number = request.u32();
    INDEXES.with(|indexes| indexes.with(number, |index| operation(index, request)))
}

fn query(request: &mut Reader<'_>) -> Result<Query, Failure> {
    let pattern = request.bytes();
    let is_regex = request.bool();
    let matching = Matching { any_case: request.bool(), word: request.bool() };
    if !is_regex {
        return Ok(Query::literal(pattern, matching)?);
    }
    let pattern = core::str::from_utf8(pattern).map_err(|error| Failure {
        offset: Some(error.valid_up_to() as u64),
        ..Failure::new("Syntax", "the regex is not UTF-8: look for these bytes as a literal".to_owned())
    })?;
    Ok(Query::regex(pattern, matching)?)
}

fn budget(request: &mut Reader<'_>) -> Budget {
    match request.u64() {
        0 => Budget::default(),
        units => Budget::new(units),
    }
}

fn paths(request: &mut Reader<'_>) -> Result<Paths, Failure> {
    let mut globs = |list: &str| {
        let patterns: Vec<&[u8]> = (0..request.u32()).map(|_| request.bytes()).collect();
        Globs::compile(&patterns, Case::Sensitive).map_err(|error| Failure::new("Glob", format!("{list}, {error}")))
    };
    Ok(Paths { only: globs("only")?, not: globs("not")? })
}
