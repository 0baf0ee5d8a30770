use crate::exchange::{Failure, answer, seed};
use millwright_core::Budget;
use millwright_core::diff::{Context, Diff, Options, Whitespace};
use wasm_bindgen::prelude::*;

/// Compares pairs of texts.
///
/// Request: lines of context, lines between hunks, white space (0 counts, 1 ignored at line ends, 2 ignored), budget of each pair (u64; 0: the usual),
/// then for each pair two byte strings. Answer: for each pair lines added, lines removed, whether degraded, the hunks as a byte string, a table with
/// the first and the end line before and after of each change.
#[wasm_bindgen(js_name = diffTexts)]
pub fn diff_texts() -> usize {
    answer(|request, writer| {
        let context = Context { lines: request.u32(), between_hunks: request.u32() };
        let whitespace = match request.u32() {
            1 => Whitespace::IgnoredAtLineEnd,
            2 => Whitespace::Ignored,
            _ => Whitespace::Counts,
        };
        let options = Options { whitespace, seed: seed() };
        let units = request.u64();
        let mut item = 0;
        while !request.is_done() {
            let (before, after) = (request.bytes(), request.bytes());
            let mut budget = if units == 0 { Budget::default() } else { Budget::new(units) };
            let diff = Diff::of(before, after, &options, &mut budget).map_err(|limit| Failure::from(limit).of(item))?;
            item += 1;
            let stats = diff.stats();
            writer.u32(stats.added);
            writer.u32(stats.removed);
            writer.bool(diff.is_degraded());
            writer.with_bytes(|out| diff.write_hunks(context, out))?;
            let lines = diff
                .changes()
                .iter()
                .flat_map(|change| [change.before.start, change.before.end, change.after.start, change.after.end]);
            writer.table(diff.changes().len() * 4, lines)?;
        }
        Ok(())
    })
}
