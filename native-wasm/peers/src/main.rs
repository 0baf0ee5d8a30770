//! The core as a native program, for the benchmarks. It answers each request on standard input with one line of JSON on standard output:
//!
//! | request | answer |
//! |---|---|
//! | `diff N BEFORE AFTER`, a line end, so many bytes of both texts | nanoseconds of `N` diffs; bytes of the hunks of one |
//! | `planted SEED` | random secrets, each in a text, made from templates |
//!
//! It measures its own time, so that neither its start nor the pipe counts.

mod planted;
#[allow(dead_code, reason = "the tests of the core need more of it")]
#[path = "../../core/tests/secrets/template.rs"]
mod template;

use millwright_core::Budget;
use millwright_core::diff::{Context, Diff, Options};
use std::io::{BufRead, Read, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let answer = match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["diff", times, before, after] => {
                let before = text(&mut input, before.parse()?)?;
                let after = text(&mut input, after.parse()?)?;
                diff(times.parse()?, &before, &after)?
            }
            ["planted", seed] => planted::all(seed.parse()?),
            _ => return Err(format!("no request: {}", line.trim_end()).into()),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}

fn text(input: &mut impl Read, len: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What `diffTexts` does in WASM, without the boundary.
fn diff(times: u32, before: &[u8], after: &[u8]) -> Result<String, millwright_core::Limit> {
    let mut bytes = 0;
    let start = Instant::now();
    for _ in 0..times {
        let diff = Diff::of(before, after, &Options::default(), &mut Budget::default())?;
        let mut hunks = Vec::new();
        diff.write_hunks(Context::default(), &mut hunks)?;
        bytes = std::hint::black_box(hunks).len();
    }
    Ok(format!("{{\"nanoseconds\":{},\"bytes\":{bytes}}}", start.elapsed().as_nanos()))
}
