use crate::Input;
use millwright_core::patch::{Body, Change, FilePatch, Hunk, LineKind, ParseOptions, Patch};

/// Any bytes as a patch: an error names a place in them; hunks have as many lines as their headers count, at the places where they say they are;
/// and what was read, written as git writes it, reads the same.
///
/// Input: lenient, folders that are stripped; the patch.
pub fn patch_parse(input: &[u8]) {
    let mut input = Input::new(input);
    let options = ParseOptions { lenient: input.flag(), strip: input.choice(&[1, 0, 2, u32::MAX]) };
    let text = input.text();
    let patch = match Patch::parse(text, &options) {
        Ok(patch) => patch,
        Err(error) => {
            assert!(error.offset <= text.len(), "{error:?}");
            let line = text[..error.offset].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(error.line, line, "{error:?}");
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut last = None;
    for file in &patch.files {
        assert!(last < Some(file.offset) && file.offset < text.len());
        last = Some(file.offset);
        self::file(file, text, options.lenient);
    }
    let written = write(&patch);
    let again = Patch::parse(&written, &ParseOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&written)));
    assert_eq!(
        patch.files.iter().map(Shape::of).collect::<Vec<_>>(),
        again.files.iter().map(Shape::of).collect::<Vec<_>>()
    );
}

fn file(file: &FilePatch, text: &[u8], lenient: bool) {
    assert_eq!(file.old_path.is_none(), file.change == Change::Create);
    assert_eq!(file.new_path.is_none(), file.change == Change::Delete);
    for path in [&file.old_path, &file.new_path].into_iter().flatten() {
        assert!(!path.is_empty() && !path.contains(&0));
    }
    assert!(file.similarity.is_none_or(|percent| percent <= 100));
    let Body::Hunks(hunks) = &file.body else { return };
    let mut offset = file.offset;
    for hunk in hunks {
        assert!(hunk.offset > offset && text[hunk.offset..].starts_with(b"@@"));
        offset = hunk.offset;
        self::hunk(hunk, text, lenient);
    }
}

fn hunk(hunk: &Hunk, text: &[u8], lenient: bool) {
    let (mut old, mut new, mut changes) = (0, 0, 0);
    let mut offset = hunk.offset;
    for line in hunk.lines() {
        assert!(line.offset > offset);
        offset = line.offset;
        old += u64::from(line.kind != LineKind::Added);
        new += u64::from(line.kind != LineKind::Removed);
        changes += u64::from(line.kind != LineKind::Context);
        assert!(!line.text.contains(&b'\n'));
        assert!(text[line.offset..].starts_with(line.text) || text[line.offset + 1..].starts_with(line.text));
    }
    assert_eq!((old, new), (hunk.old_lines, hunk.new_lines));
    assert!(changes > 0 && (hunk.placed || lenient));
}

/// What of a file does not depend on how it is written.
#[derive(Debug, PartialEq)]
struct Shape<'a> {
    change: Change,
    paths: [Option<&'a [u8]>; 2],
    modes: [Option<u32>; 2],
    similarity: Option<u8>,
    hunks: Option<Vec<HunkShape<'a>>>,
}

#[derive(Debug, PartialEq)]
struct HunkShape<'a> {
    ranges: [u64; 4],
    lines: Vec<(LineKind, &'a [u8], bool)>,
}

impl<'a> Shape<'a> {
    fn of(file: &'a FilePatch<'a>) -> Self {
        let hunks = |hunks: &'a Vec<Hunk<'a>>| hunks.iter().map(HunkShape::of).collect();
        Self {
            change: file.change,
            paths: [file.old_path.as_deref(), file.new_path.as_deref()],
            modes: [file.old_mode, file.new_mode],
            similarity: file.similarity,
            hunks: if let Body::Hunks(all) = &file.body { Some(hunks(all)) } else { None },
        }
    }
}

impl<'a> HunkShape<'a> {
    fn of(hunk: &Hunk<'a>) -> Self {
        Self {
            ranges: [hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines],
            lines: hunk.lines().map(|line| (line.kind, line.text, line.newline)).collect(),
        }
    }
}

/// A patch as git writes it.
fn write(patch: &Patch) -> Vec<u8> {
    let mut out = Vec::new();
    for file in &patch.files {
        let (old, new) = (file.old_path.as_deref(), file.new_path.as_deref());
        let (before, after) = (old.or(new).unwrap_or_default(), new.or(old).unwrap_or_default());
        out.extend_from_slice(format!("diff --git {} {}\n", quoted("a/", before), quoted("b/", after)).as_bytes());
        let (old_mode, new_mode) = match file.change {
            Change::Create => ("", "new file mode"),
            Change::Delete => ("deleted file mode", ""),
            _ => ("old mode", "new mode"),
        };
        for (header, mode) in [(old_mode, file.old_mode), (new_mode, file.new_mode)] {
            if let Some(mode) = mode {
                out.extend_from_slice(format!("{header} {mode:06o}\n").as_bytes());
            }
        }
        if let Some(percent) = file.similarity {
            out.extend_from_slice(format!("similarity index {percent}%\n").as_bytes());
        }
        if let (Change::Rename | Change::Copy, word) =
            (file.change, if file.change == Change::Copy { "copy" } else { "rename" })
        {
            let names = format!("{word} from {}\n{word} to {}\n", quoted("", before), quoted("", after));
            out.extend_from_slice(names.as_bytes());
        }
        let Body::Hunks(hunks) = &file.body else {
            out.extend_from_slice(b"Binary files differ\n");
            continue;
        };
        if hunks.is_empty() && matches!(file.change, Change::Modify | Change::Rename | Change::Copy) {
            continue;
        }
        let side = |prefix, path: Option<&[u8]>| path.map_or("/dev/null".to_owned(), |path| quoted(prefix, path));
        out.extend_from_slice(format!("--- {}\n+++ {}\n", side("a/", old), side("b/", new)).as_bytes());
        for hunk in hunks {
            write_hunk(hunk, &mut out);
        }
    }
    out
}

fn write_hunk(hunk: &Hunk, out: &mut Vec<u8>) {
    let Hunk { old_start, old_lines, new_start, new_lines, .. } = hunk;
    out.extend_from_slice(format!("@@ -{old_start},{old_lines} +{new_start},{new_lines} @@\n").as_bytes());
    for line in hunk.lines() {
        out.push(match line.kind {
            LineKind::Context => b' ',
            LineKind::Removed => b'-',
            LineKind::Added => b'+',
        });
        out.extend_from_slice(line.text);
        out.extend_from_slice(if line.newline { b"\n" } else { b"\n\\ No newline at end of file\n" });
    }
}

fn quoted(prefix: &str, name: &[u8]) -> String {
    let escaped: String = name.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("\"{prefix}{escaped}\"")
}
