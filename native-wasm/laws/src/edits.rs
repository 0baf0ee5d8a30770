use crate::Input;
use millwright_core::edits::{self, Edit, EditErrorKind, Edited, EditsError};

/// Edits of a file: what is made is what a plain search makes, what is refused is refused for a reason that a plain search finds too, and order,
/// seed and budget do not matter.
///
/// Input: whether there is a file, seed, budget, for each edit whether all are replaced; the file, and for each edit what is searched for and what
/// comes in its place.
pub fn edits(input: &[u8]) {
    let mut input = Input::new(input);
    let is_missing = input.flag();
    let (seed, other, tight) = (input.seed(), input.seed(), input.tight_budget());
    let contents = input.text();
    let contents = if is_missing { None } else { Some(contents) };
    let mut all = Vec::new();
    while let Some(search) = input.take().filter(|_| all.len() < 8) {
        all.push(Edit { search, replace: input.text(), replace_all: input.flag() });
    }

    let result = edits::apply(contents, &all, seed, &mut Input::ample_budget());
    assert_eq!(result, edits::apply(contents, &all, other, &mut Input::ample_budget()), "the seed matters");
    match (&result, edits::apply(contents, &all, seed, &mut tight.clone())) {
        (_, Err(EditsError::Limit(_))) => {}
        // What is near may be left out.
        (Err(EditsError::Rejected(one)), Err(EditsError::Rejected(other))) => {
            assert!(one.iter().map(|error| error.edit).eq(other.iter().map(|error| error.edit)));
        }
        (result, hasty) => assert_eq!(*result, hasty),
    }
    let reversed: Vec<_> = all.iter().rev().copied().collect();
    let other_order = edits::apply(contents, &reversed, seed, &mut Input::ample_budget());
    let old = contents.unwrap_or_default();
    match result {
        Ok(edited) => {
            made(old, &all, &edited);
            assert_eq!(other_order.map(|edited| edited.bytes), Ok(edited.bytes), "the order matters");
        }
        Err(EditsError::Rejected(errors)) => {
            assert!(other_order.is_err());
            assert!(!errors.is_empty() && errors.is_sorted_by_key(|error| error.edit));
            for error in &errors {
                assert!(!error.to_string().is_empty());
                refused(contents, &all, error.edit, &error.kind);
            }
        }
        Err(error) => panic!("{error} with an ample budget"),
    }
}

/// All places of a text, those that overlap too.
fn places(text: &[u8], search: &[u8]) -> Vec<usize> {
    (0..(text.len() + 1).saturating_sub(search.len())).filter(|at| text[*at..].starts_with(search)).collect()
}

fn made(old: &[u8], all: &[Edit], edited: &Edited) {
    let (mut old_at, mut new_at) = (0, 0);
    let mut counts = vec![0; all.len()];
    for replaced in &edited.replaced {
        let Edit { search, replace, .. } = all[replaced.edit];
        assert_eq!(&old[replaced.old.clone()], search);
        assert_eq!(&edited.bytes[replaced.new.clone()], replace);
        assert_eq!(old[old_at..replaced.old.start], edited.bytes[new_at..replaced.new.start]);
        (old_at, new_at) = (replaced.old.end, replaced.new.end);
        counts[replaced.edit] += 1;
    }
    assert_eq!(old[old_at..], edited.bytes[new_at..]);
    for (edit, count) in all.iter().zip(counts) {
        let places = if edit.search.is_empty() { vec![0] } else { places(old, edit.search) };
        let mut apart = Vec::new();
        for place in &places {
            if apart.last().is_none_or(|last| last + edit.search.len() <= *place) {
                apart.push(*place);
            }
        }
        assert_eq!(count, apart.len());
        assert!(edit.replace_all || places.len() == 1);
    }
}

fn refused(contents: Option<&[u8]>, all: &[Edit], edit: usize, kind: &EditErrorKind) {
    let old = contents.unwrap_or_default();
    let Edit { search, replace, replace_all } = all[edit];
    let found = places(old, search);
    let line_of = |at: usize| old[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    match kind {
        EditErrorKind::NotFound { near, made_by } => {
            assert!(found.is_empty() && contents.is_some());
            assert!(made_by.is_none_or(|by| by != edit && !places(all[by].replace, search).is_empty()));
            assert!(near.len() <= 3);
            for near in near {
                assert!(near.lines.start >= 1 && near.lines.start < near.lines.end, "{near:?}");
                assert_eq!(line_of(near.bytes.start), near.lines.start, "{near:?}");
                assert!(near.bytes.start == 0 || old[near.bytes.start - 1] == b'\n', "{near:?}");
                let lines = old[near.bytes.clone()].split_inclusive(|byte| *byte == b'\n').count();
                assert_eq!(lines, near.lines.len(), "{near:?}");
                assert!(
                    near.search_line >= 1 && near.differs_at >= near.lines.start && near.differs_at <= near.lines.end,
                    "{near:?}"
                );
            }
        }
        EditErrorKind::NotUnique { lines, more } => {
            assert!(!replace_all && found.len() > 1);
            let expected: Vec<_> = found.iter().map(|at| line_of(*at)).take(20).collect();
            assert_eq!((lines, *more), (&expected, found.len() > 20));
        }
        EditErrorKind::Overlap { with, line } => {
            assert!(*with < all.len() && (found.iter().any(|at| line_of(*at) == *line) || search.is_empty()));
        }
        EditErrorKind::Exists => assert!(search.is_empty() && !old.is_empty()),
        EditErrorKind::Missing => assert!(contents.is_none()),
        EditErrorKind::NoChange => assert_eq!(search, replace),
        _ => panic!("an error that is not known: {kind:?}"),
    }
}
