use crate::Input;
use millwright_core::diff::{Context, Diff, Options};
use millwright_core::edits::Difference;
use millwright_core::hash::Seed;
use millwright_core::patch::{
    Applied, ApplyError, ApplyOptions, Body, FilePatch, HunkLine, LineKind, ParseOptions, Patch, TreeFile,
};
use millwright_core::{Budget, Limit, Lines};

/// A patch and a file, which may have to do with each other: what was applied is what its hunks say at the places where they went, a refusal names
/// places that are there, seed and budget do not matter but for what is not done at all, and a set of files gets what each file gets.
///
/// Input: reverse, fuzz, anchored, lenient, seeds, budget, and a list of changes to the patch; the file, the patch. Instead of a patch, a third text
/// of which one is made.
pub fn patch_apply(input: &[u8]) {
    let mut input = Input::new(input);
    let (reverse, fuzz, anchored) = (input.flag(), input.knob(3), !input.flag());
    let parsing = ParseOptions { lenient: input.flag(), strip: 1 };
    let (seed, other) = (input.seed(), input.seed());
    let tight = input.tight_budget();
    let context = Context { lines: input.choice(&[3, 0, 1, 2]), ..Context::default() };
    let file = input.text();
    let mut text = input.text().to_vec();
    if let Some(after) = input.take() {
        text = b"--- a/x\n+++ b/x\n".to_vec();
        let diff = Diff::of(file, after, &Options::default(), &mut Input::ample_budget()).expect("a text that fits");
        diff.write_hunks(context, &mut text).expect("memory");
    }
    damage(&mut text, &mut input);
    let Ok(patch) = Patch::parse(&text, &parsing) else { return };

    let options = ApplyOptions { reverse, fuzz, anchored, seed };
    for each in &patch.files {
        let result = each.apply(file, &options, &mut Input::ample_budget());
        assert_eq!(
            result,
            each.apply(file, &ApplyOptions { seed: other, ..options }, &mut Input::ample_budget()),
            "the seed matters"
        );
        let hasty = each.apply(file, &options, &mut tight.clone());
        assert!(hasty == result || matches!(hasty, Err(ApplyError::Limit(Limit::Budget { .. }))), "the budget matters");
        match &result {
            Ok(applied) => self::applied(each, file, applied, &options),
            Err(error) => refused(each, file, text.len(), error),
        }
    }
    tree(&patch, file, &options, tight);
}

/// Changes some bytes and lines.
fn damage(text: &mut Vec<u8>, input: &mut Input) {
    for _ in 0..input.knob(4) {
        let at = if text.is_empty() { return } else { input.knob(text.len() as u32 - 1) as usize };
        let line = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |len| at + len + 1);
        match input.knob(3) {
            0 => text[at] = input.choice(b" +-@\\\n\r0919azAZ\t\0\xff"),
            1 => drop(text.drain(line..end)),
            2 => {
                let copy = text[line..end].to_vec();
                text.splice(line..line, copy).for_each(drop);
            }
            _ => text[line] = input.choice(b" +-"),
        }
    }
}

/// The lines of a side of a hunk.
fn side<'a>(hunk: &millwright_core::patch::Hunk<'a>, without: LineKind) -> Vec<HunkLine<'a>> {
    hunk.lines().filter(|line| line.kind != without).collect()
}

/// Puts the hunks to where they are said to have gone, and compares.
fn applied(patch: &FilePatch, old: &[u8], applied: &Applied, options: &ApplyOptions) {
    let Body::Hunks(hunks) = &patch.body else { return };
    assert_eq!(hunks.len(), applied.hunks.len());
    let lines = Lines::of(old).expect("a text that fits");
    let (gone, come) =
        if options.reverse { (LineKind::Added, LineKind::Removed) } else { (LineKind::Removed, LineKind::Added) };
    let mut expected = Vec::new();
    let mut copied = 0;
    for (hunk, placed) in hunks.iter().zip(&applied.hunks) {
        let (before, after) = (side(hunk, come), side(hunk, gone));
        let (first, last) = placed.fuzz;
        assert!(first.max(last) <= options.fuzz as usize);
        let start = if before.is_empty() { placed.line } else { placed.line + first - 1 };
        assert!(start >= copied && start <= lines.len(), "hunks overlap");
        expected.extend_from_slice(lines.span(copied..start));
        let kept = &before[first..before.len() - last];
        for (nth, line) in kept.iter().enumerate() {
            let there = lines.get(start + nth);
            assert_eq!(there.strip_suffix(b"\n").unwrap_or(there), line.text, "a line that is not there");
        }
        copied = start + kept.len();
        for line in &after[first..after.len() - last] {
            expected.extend_from_slice(line.text);
            expected.extend_from_slice(if line.newline { b"\n" } else { b"" });
        }
    }
    expected.extend_from_slice(lines.span(copied..lines.len()));
    assert!(
        expected == applied.bytes,
        "{:?} instead of {:?}",
        applied.bytes.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

/// What a refusal names is there.
fn refused(patch: &FilePatch, old: &[u8], patch_len: usize, error: &ApplyError) {
    assert!(!error.to_string().is_empty());
    let ApplyError::Rejected(rejects) = error else { return };
    let Body::Hunks(hunks) = &patch.body else { panic!("hunks of a binary file are refused") };
    let lines = Lines::of(old).expect("a text that fits").len();
    assert!(!rejects.is_empty() && rejects.is_sorted_by(|one, other| one.hunk < other.hunk));
    for reject in rejects {
        assert_eq!(reject.offset, hunks[reject.hunk].offset);
        assert!(reject.nearest.len() <= 3);
        for near in &reject.nearest {
            // What brought it here may differ by its final newline, be it behind a line that the file does not have.
            let is_same = near.same > 0 || matches!(near.difference, Difference::FinalNewline | Difference::EndOfFile);
            assert!(near.line >= 1 && is_same, "{near:?}");
            assert!(
                near.line <= lines.max(1) && near.differs_at <= lines + 1 && near.offset <= patch_len,
                "{near:?} of {lines}"
            );
        }
    }
}

/// A set of files with the one file at each path of the patch.
fn tree(patch: &Patch, file: &[u8], options: &ApplyOptions, mut tight: Budget) {
    let mut paths: Vec<&[u8]> =
        patch.files.iter().flat_map(|file| [&file.old_path, &file.new_path]).flatten().map(AsRef::as_ref).collect();
    paths.sort_unstable();
    paths.dedup();
    let files: Vec<_> = paths
        .iter()
        .map(|path| TreeFile { path, mode: 0o100_644, bytes: file })
        .step_by(1 + options.fuzz as usize)
        .collect();
    let result = patch.apply(&files, options, &mut Input::ample_budget()).expect("an ample budget");
    let other = ApplyOptions { seed: Seed(options.seed.0 ^ 1), ..*options };
    assert_eq!(patch.apply(&files, &other, &mut Input::ample_budget()).as_ref(), Ok(&result), "the seed matters");
    if let Ok(hasty) = patch.apply(&files, options, &mut tight) {
        assert_eq!(hasty, result);
    }
    assert_eq!(result.files.len(), patch.files.len());
    assert!(result.written.is_sorted_by(|one, other| one.path < other.path));
    assert!(result.deleted.is_sorted_by(|one, other| one < other));
    for path in result.written.iter().map(|written| &written.path).chain(&result.deleted) {
        assert!(paths.contains(&path.as_slice()));
    }
    assert!(result.deleted.iter().all(|path| files.iter().any(|file| file.path == path)));
    assert!(!result.deleted.iter().any(|path| result.written.iter().any(|written| written.path == *path)));
    if result.files.iter().all(Result::is_err) {
        assert!(result.written.is_empty() && result.deleted.is_empty());
    }
}
