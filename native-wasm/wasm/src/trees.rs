use crate::diff::Asked;
use crate::exchange::{Failure, answer};
use crate::frame::{Reader, Writer};
use millwright_core::diff::{Entry, FileStats, Format, Mode, Pair, Renames, TreeError, pairs};
use wasm_bindgen::prelude::*;

/// Compares two trees.
///
/// Request: the options (see `Asked`), whether names are quoted, the least similarity of a rename in percent (0: there are none), the limit of their search (0: the
/// usual), and for each tree the number of its entries, and of each path, mode, the object id if it is known, and contents. Answer: whether degraded, the
/// number of changed files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename), old path, new path, old mode and new mode, each after whether there
/// is one, the similarity, lines added, lines removed, whether binary, whether degraded, and its patch.
#[wasm_bindgen(js_name = diffTrees)]
pub fn diff_trees() -> usize {
    answer(|request, writer| {
        let asked = Asked::read(request);
        let format = Format { context: asked.context, quote_path: request.bool(), ..Format::default() };
        let renames = renames(request.u32(), request.u32());
        let given = [given(request, "first")?, given(request, "second")?];
        let [before, after] = [entries(&given[0]), entries(&given[1])];
        let mut budget = asked.budget();
        let found =
            pairs(&before, &after, renames, asked.options.seed, &mut budget).map_err(|error| refused(&error))?;
        writer.bool(found.degraded);
        writer.u32(found.pairs.len() as u32);
        for pair in &found.pairs {
            let content = pair.content(&asked.options, &mut budget)?;
            describe(pair, content.stats(), writer)?;
            writer.with_bytes(|out| pair.write(&content, &format, out))?;
        }
        Ok(())
    })
}

fn renames(similarity: u32, limit: u32) -> Option<Renames> {
    let usual = Renames::default();
    let limit = if limit == 0 { usual.limit } else { limit };
    (similarity > 0).then(|| Renames { similarity: similarity.min(100) as u8, limit })
}

/// An entry whose id is read.
struct Given<'a> {
    path: &'a [u8],
    mode: Mode,
    id: Option<Vec<u8>>,
    bytes: &'a [u8],
}

fn given<'a>(request: &mut Reader<'a>, tree: &str) -> Result<Vec<Given<'a>>, Failure> {
    let mut entries = Vec::new();
    for item in 0..request.u32() {
        let path = request.bytes();
        let bits = request.u32();
        let wrong = |what: String| Failure::new("Tree", format!("entry {item} of the {tree} tree {what}")).of(item);
        let mode = Mode::from_bits(bits)
            .ok_or_else(|| wrong(format!("has the mode {bits:o}: use 100644, 100755, 120000 or 160000")))?;
        let id = match request.optional_bytes() {
            Some(digits) => Some(hex(digits).ok_or_else(|| wrong("has an id that is not hexadecimal".to_owned()))?),
            None => None,
        };
        entries.push(Given { path, mode, id, bytes: request.bytes() });
    }
    Ok(entries)
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|bytes| rest.is_empty() && !bytes.is_empty())
}

fn entries<'a>(given: &'a [Given<'a>]) -> Vec<Entry<'a>> {
    given.iter().map(|Given { path, mode, id, bytes }| Entry { path, mode: *mode, id: id.as_deref(), bytes }).collect()
}

fn refused(error: &TreeError) -> Failure {
    let failure = Failure::new("Tree", error.to_string());
    match error {
        TreeError::Limit(limit) => (*limit).into(),
        TreeError::Path { entry, .. } | TreeError::Duplicate { entry, .. } | TreeError::GitlinkId { entry, .. } => {
            failure.of(*entry as u32)
        }
        _ => failure,
    }
}

fn describe(pair: &Pair<'_>, stats: FileStats, writer: &mut Writer) -> Result<(), Failure> {
    let (change, similarity) = match pair {
        Pair::Modified { .. } => (0, 0),
        Pair::Added(_) => (1, 0),
        Pair::Deleted(_) => (2, 0),
        Pair::Renamed { similarity, .. } => (3, u32::from(*similarity)),
    };
    let sides = [pair.before(), pair.after()];
    writer.u32(change);
    for entry in sides {
        writer.bool(entry.is_some());
        writer.bytes(entry.map_or(b"", |entry| entry.path))?;
    }
    for entry in sides {
        writer.bool(entry.is_some());
        writer.u32(entry.map_or(0, |entry| entry.mode.bits()));
    }
    for number in [similarity, stats.lines.added, stats.lines.removed] {
        writer.u32(number);
    }
    writer.bool(stats.binary);
    writer.bool(stats.degraded);
    Ok(())
}
