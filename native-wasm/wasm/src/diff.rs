use crate::exchange::{Failure, answer, seed};
use crate::frame::{Reader, Writer};
use millwright_core::Budget;
use millwright_core::diff::{Change, Context, Diff, Options, Whitespace};
use wasm_bindgen::prelude::*;

/// Compares pairs of texts.
///
/// Request: the options (see `Asked`), whether words are wanted, then for each pair two byte strings. Answer: for each pair lines added, lines removed, whether
/// degraded, the hunks as a byte string, a table with the first and the end line before and after of each change; with words, for each change whether
/// there are any, and two tables of ranges.
#[wasm_bindgen(js_name = diffTexts)]
pub fn diff_texts() -> usize {
    answer(|request, writer| {
        let asked = Asked::read(request);
        let wants_words = request.bool();
        let mut item = 0;
        while !request.is_done() {
            let (before, after) = (request.bytes(), request.bytes());
            let mut budget = asked.budget();
            let of = |limit| Failure::from(limit).of(item);
            let diff = Diff::of(before, after, &asked.options, &mut budget).map_err(of)?;
            let stats = diff.stats();
            writer.u32(stats.added);
            writer.u32(stats.removed);
            writer.bool(diff.is_degraded());
            writer.with_bytes(|out| diff.write_hunks(asked.context, out))?;
            let lines = diff
                .changes()
                .iter()
                .flat_map(|change| [change.before.start, change.before.end, change.after.start, change.after.end]);
            writer.table(diff.changes().len() * 4, lines)?;
            if wants_words {
                for change in diff.changes() {
                    write_words(&diff, change, &asked.options, &mut budget, writer)?;
                }
            }
            item += 1;
        }
        Ok(())
    })
}

fn write_words(
    diff: &Diff<'_>,
    change: &Change,
    options: &Options,
    budget: &mut Budget,
    writer: &mut Writer,
) -> Result<(), Failure> {
    let words = diff.words(change, options, budget)?;
    writer.bool(words.is_some());
    let words = words.unwrap_or_default();
    for ranges in [&words.before, &words.after] {
        writer.table(ranges.len() * 2, ranges.iter().flat_map(|range| [range.start, range.end]))?;
    }
    Ok(())
}

/// How texts are compared and shown. In a request: lines of context, lines between hunks, white space (0 counts, 1 ignored at line ends, 2 ignored), and the
/// budget of each pair or tree (u64; 0: the usual).
pub struct Asked {
    pub context: Context,
    pub options: Options,
    units: u64,
}

impl Asked {
    pub fn read(request: &mut Reader<'_>) -> Self {
        let context = Context { lines: request.u32(), between_hunks: request.u32() };
        let whitespace = match request.u32() {
            1 => Whitespace::IgnoredAtLineEnd,
            2 => Whitespace::Ignored,
            _ => Whitespace::Counts,
        };
        Self { context, options: Options { whitespace, seed: seed() }, units: request.u64() }
    }

    pub fn budget(&self) -> Budget {
        if self.units == 0 { Budget::default() } else { Budget::new(self.units) }
    }
}
