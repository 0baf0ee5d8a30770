use crate::exchange::{Failure, answer, seed};
use crate::frame::Writer;
use millwright_core::Budget;
use millwright_core::edits::{Edit, EditErrorKind, EditsError, apply};
use wasm_bindgen::prelude::*;

/// Makes search and replace edits in a file, all of them or none.
///
/// Request: the contents, if there is a file; for each edit two byte strings and whether all occurrences are meant. Answer: whether they were made;
/// if so the contents and a table of edit, old start, old end, new start and new end; if not, for each wrong edit its number, its kind, what is wrong
/// as a sentence, and a table of lines.
#[wasm_bindgen(js_name = applyEdits)]
pub fn apply_edits() -> usize {
    answer(|request, writer| {
        let contents = request.optional_bytes();
        let mut edits = Vec::new();
        while !request.is_done() {
            edits.push(Edit { search: request.bytes(), replace: request.bytes(), replace_all: request.bool() });
        }
        match apply(contents, &edits, seed(), &mut Budget::default()) {
            Ok(edited) => {
                writer.bool(true);
                writer.keep(edited.bytes);
                let places = edited.replaced.iter().flat_map(|place| {
                    [place.edit, place.old.start, place.old.end, place.new.start, place.new.end]
                        .map(|number| number as u32)
                });
                writer.table(edited.replaced.len() * 5, places)?;
                Ok(())
            }
            Err(EditsError::Rejected(errors)) => {
                writer.bool(false);
                writer.u32(errors.len() as u32);
                for error in &errors {
                    writer.u32(error.edit as u32);
                    describe(&error.kind, writer)?;
                }
                Ok(())
            }
            Err(EditsError::Limit(limit)) => Err(limit.into()),
            Err(error) => Err(Failure::new("Edits", error.to_string())),
        }
    })
}

fn describe(kind: &EditErrorKind, writer: &mut Writer) -> Result<(), Failure> {
    let (name, lines): (&str, Vec<usize>) = match kind {
        EditErrorKind::NotFound { near, .. } => ("NotFound", near.iter().map(|miss| miss.lines.start).collect()),
        EditErrorKind::NotUnique { lines, .. } => ("NotUnique", lines.clone()),
        EditErrorKind::Overlap { line, .. } => ("Overlap", vec![*line]),
        EditErrorKind::Exists => ("Exists", Vec::new()),
        EditErrorKind::Missing => ("Missing", Vec::new()),
        EditErrorKind::NoChange => ("NoChange", Vec::new()),
        _ => ("Other", Vec::new()),
    };
    writer.bytes(name.as_bytes())?;
    writer.bytes(kind.to_string().as_bytes())?;
    writer.table(lines.len(), lines.iter().map(|line| *line as u32))?;
    Ok(())
}
