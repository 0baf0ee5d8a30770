use super::near::Near;
use super::{EditError, EditErrorKind, EditsError};
use crate::hash::Seed;
use crate::patch::push;
use crate::sort;
use crate::{Budget, Limit, MAX_INPUT_BYTES, block};
use core::ops::Range;
use memchr::memmem::Finder;

/// A text to search for, and what comes in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit<'a> {
    /// The text as it is in the file, which has to be there once. Empty for the contents of a new file.
    pub search: &'a [u8],
    /// What comes in its place.
    pub replace: &'a [u8],
    /// Replace all occurrences, once or more, from the beginning on.
    pub replace_all: bool,
}

/// The file with all edits made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The new contents.
    pub bytes: Vec<u8>,
    /// What was replaced, in the order of the file.
    pub replaced: Vec<Replaced>,
}

/// A place where an edit was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Number of the edit, from 0.
    pub edit: usize,
    /// The bytes of the old contents that went away.
    pub old: Range<usize>,
    /// The bytes of the new contents that came in their place.
    pub new: Range<usize>,
}

/// Most lines that an error names.
const NAMED: usize = 20;

/// Makes edits in a file, all of them or none. Each looks for its text in the contents as they were, so their order does not matter;
/// `None` is a file that does not exist.
///
/// Units of the budget: 64 bytes that are searched. With less, an edit that finds nothing may come without what is near.
///
/// ```
/// use millwright_core::{Budget, edits::{self, Edit}, hash::Seed};
/// let edit = Edit { search: b"two", replace: b"2", replace_all: false };
/// let edited = edits::apply(Some(b"one two three"), &[edit], Seed::default(), &mut Budget::default())?;
/// assert_eq!(edited.bytes, b"one 2 three");
/// # Ok::<(), edits::EditsError>(())
/// ```
///
/// # Errors
/// [`EditsError::Rejected`] with each edit that cannot be made.
pub fn apply(
    contents: Option<&[u8]>,
    edits: &[Edit<'_>],
    seed: Seed,
    budget: &mut Budget,
) -> Result<Edited, EditsError> {
    let old = contents.unwrap_or_default();
    Limit::check_size(old)?;
    let (mut places, mut errors) = (Vec::new(), Vec::new());
    for (number, edit) in edits.iter().enumerate() {
        if let Err(kind) = find(contents, number, edit, &mut places, budget)? {
            push(&mut errors, EditError { edit: number, kind })?;
        }
    }
    sort::unstable_by_key(&mut places, |place: &Place| (place.start, place.edit));
    overlaps(old, edits, &places, &mut errors)?;
    if errors.is_empty() {
        return Ok(assemble(old, edits, &places)?);
    }
    explain(old, edits, &mut errors, seed, budget);
    sort::unstable_by_key(&mut errors, |error| error.edit);
    Err(EditsError::Rejected(errors))
}

/// Where the text of an edit begins.
struct Place {
    start: usize,
    edit: usize,
}

fn find(
    contents: Option<&[u8]>,
    number: usize,
    edit: &Edit<'_>,
    places: &mut Vec<Place>,
    budget: &mut Budget,
) -> Result<Result<(), EditErrorKind>, Limit> {
    let old = contents.unwrap_or_default();
    if edit.search.is_empty() {
        if !old.is_empty() {
            return Ok(Err(EditErrorKind::Exists));
        }
        push(places, Place { start: 0, edit: number })?;
        return Ok(Ok(()));
    }
    if edit.search == edit.replace {
        return Ok(Err(EditErrorKind::NoChange));
    }
    if contents.is_none() {
        return Ok(Err(EditErrorKind::Missing));
    }
    budget.spend(old.len() as u64 / 64 + 1)?;
    let finder = Finder::new(edit.search);
    if edit.replace_all {
        let before = places.len();
        for start in finder.find_iter(old) {
            push(places, Place { start, edit: number })?;
        }
        return Ok(if places.len() > before { Ok(()) } else { Err(not_found()) });
    }
    // Occurrences that overlap count too: which of them is meant is as uncertain.
    let next = |from: usize| Some(finder.find(old.get(from..)?)? + from);
    let Some(first) = next(0) else { return Ok(Err(not_found())) };
    let Some(mut at) = next(first + 1) else {
        push(places, Place { start: first, edit: number })?;
        return Ok(Ok(()));
    };
    let mut lines = Lines { old, at: 0, line: 1 };
    let mut named = vec![lines.line_of(first), lines.line_of(at)];
    while named.len() < NAMED {
        let Some(another) = next(at + 1) else {
            return Ok(Err(EditErrorKind::NotUnique { lines: named, more: false }));
        };
        at = another;
        named.push(lines.line_of(at));
    }
    Ok(Err(EditErrorKind::NotUnique { lines: named, more: next(at + 1).is_some() }))
}

const fn not_found() -> EditErrorKind {
    EditErrorKind::NotFound { near: Vec::new(), made_by: None }
}

/// Counts lines from one place to the next.
struct Lines<'a> {
    old: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn line_of(&mut self, at: usize) -> usize {
        self.line += block::count(self.old.get(self.at..at).unwrap_or_default(), b'\n');
        self.at = at;
        self.line
    }
}

/// Finds edits of the same text, among places in the order of the file. An edit is named once.
fn overlaps(old: &[u8], edits: &[Edit<'_>], places: &[Place], errors: &mut Vec<EditError>) -> Result<(), Limit> {
    let mut lines = Lines { old, at: 0, line: 1 };
    let mut named: Vec<bool> = Limit::reserve(edits.len())?;
    named.resize(edits.len(), false);
    let mut last: Option<(usize, usize)> = None;
    for place in places {
        let end = place.start + edits.get(place.edit).map_or(0, |edit| edit.search.len());
        if let Some((with, last_end)) = last
            && (place.start < last_end || end == place.start)
            && let Some(named) = named.get_mut(place.edit)
            && !core::mem::replace(named, true)
        {
            let kind = EditErrorKind::Overlap { with, line: lines.line_of(place.start) };
            push(errors, EditError { edit: place.edit, kind })?;
        }
        if last.is_none_or(|(_, last_end)| end > last_end) {
            last = Some((place.edit, end));
        }
    }
    Ok(())
}

fn assemble(old: &[u8], edits: &[Edit<'_>], places: &[Place]) -> Result<Edited, Limit> {
    let of = |place: &Place| edits.get(place.edit).map_or((0, &b""[..]), |edit| (edit.search.len(), edit.replace));
    let grown = places.iter().fold(old.len() as u64, |size, place| size.saturating_add(of(place).1.len() as u64));
    let size = places.iter().fold(grown, |size, place| size.saturating_sub(of(place).0 as u64));
    if size > MAX_INPUT_BYTES as u64 {
        return Err(Limit::Size { actual: size, max: MAX_INPUT_BYTES as u64 });
    }
    let (mut bytes, mut replaced) = (Limit::reserve(size as usize)?, Limit::reserve(places.len())?);
    let mut copied = 0;
    for place in places {
        let (len, replace) = of(place);
        bytes.extend_from_slice(old.get(copied..place.start).unwrap_or_default());
        copied = place.start + len;
        let start = bytes.len();
        bytes.extend_from_slice(replace);
        replaced.push(Replaced { edit: place.edit, old: place.start..copied, new: start..bytes.len() });
    }
    bytes.extend_from_slice(old.get(copied..).unwrap_or_default());
    Ok(Edited { bytes, replaced })
}

/// Looks for what is near where nothing was found, as far as the budget goes.
fn explain(old: &[u8], edits: &[Edit<'_>], errors: &mut [EditError], seed: Seed, budget: &mut Budget) {
    let mut places = None;
    for error in errors {
        if budget.is_spent() {
            return;
        }
        let EditErrorKind::NotFound { near, made_by } = &mut error.kind else { continue };
        let Some(edit) = edits.get(error.edit) else { continue };
        let finder = Finder::new(edit.search);
        let made = edits.iter().position(|other| {
            budget.spend(other.replace.len() as u64 / 64 + 1).is_ok() && finder.find(other.replace).is_some()
        });
        *made_by = made.filter(|made| *made != error.edit);
        if places.is_none() {
            places = Near::new(old, seed, budget).ok();
        }
        *near = places.as_ref().and_then(|places| places.of(edit.search, budget).ok()).unwrap_or_default();
    }
}
