use crate::block;
use std::borrow::Cow;

/// A parsed patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch<'a> {
    /// The files in the order of the patch. One path may occur several times.
    pub files: Vec<FilePatch<'a>>,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch<'a> {
    /// Byte offset of the first header of the file in the patch.
    pub offset: usize,
    /// Number of the message of a mailbox that the file is in, from 0: 0 for a patch that is no mailbox. Each message builds on the one before.
    pub message: u32,
    /// What stands between the file before, or the beginning, and this one: mail headers, the commit message, statistics.
    pub preamble: &'a [u8],
    /// What happens to the file.
    pub change: Change,
    /// Path before, without prefix; `None` if the file is created. Paths are as hostile as the patch: a `..` is not refused here.
    pub old_path: Option<Cow<'a, [u8]>>,
    /// Path after; `None` if the file is deleted.
    pub new_path: Option<Cow<'a, [u8]>>,
    /// Mode before, such as `0o100644`, where the patch states it.
    pub old_mode: Option<u32>,
    /// Mode after.
    pub new_mode: Option<u32>,
    /// Similarity of the two in percent, as git states it for renames and copies.
    pub similarity: Option<u8>,
    /// The object names of the `index` line, often shortened.
    pub ids: Option<(&'a [u8], &'a [u8])>,
    /// The change of the contents.
    pub body: Body<'a>,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Contents or mode change.
    Modify,
    /// The file is new.
    Create,
    /// The file goes away.
    Delete,
    /// The file gets another path, and possibly other contents.
    Rename,
    /// The file is copied to another path, possibly with other contents there.
    Copy,
}

/// How the contents of a file change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// By lines. No hunks: the contents stay, or are empty.
    Hunks(Vec<Hunk<'a>>),
    /// By data of a `GIT binary patch`.
    Binary(BinaryPatch<'a>),
    /// The patch only says that binary files differ.
    BinaryDiffers,
}

/// A run of changed lines with the lines around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// Byte offset of its header in the patch.
    pub offset: usize,
    /// First line of the hunk in the old file, from 1; with no old lines, the line that it comes behind, 0 for the beginning.
    pub old_start: u64,
    /// Number of lines of the old file.
    pub old_lines: u64,
    /// As `old_start` in the new file.
    pub new_start: u64,
    /// Number of lines of the new file.
    pub new_lines: u64,
    /// Whether the header says where the hunk belongs; a bare `@@` does not, and then both starts are 0.
    pub placed: bool,
    /// What stands behind the second `@@`, such as the function that the hunk is in.
    pub section: &'a [u8],
    /// The lines with their first characters.
    pub(super) body: &'a [u8],
    pub(super) body_offset: usize,
}

impl<'a> Hunk<'a> {
    /// The lines of the hunk.
    pub const fn lines(&self) -> HunkLines<'a> {
        HunkLines { body: self.body, offset: self.body_offset }
    }
}

/// What a line of a hunk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// In both files.
    Context,
    /// In the old file only.
    Removed,
    /// In the new file only.
    Added,
}

/// A line of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HunkLine<'a> {
    /// What it does.
    pub kind: LineKind,
    /// The line without its `\n`. A `\r` before that belongs to the line.
    pub text: &'a [u8],
    /// Whether the line ends with `\n`; only the last line of a file may lack it.
    pub newline: bool,
    /// Byte offset of the line in the patch.
    pub offset: usize,
}

/// The lines of a hunk, in their order.
#[derive(Clone, Debug)]
pub struct HunkLines<'a> {
    body: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for HunkLines<'a> {
    type Item = HunkLine<'a>;

    fn next(&mut self) -> Option<HunkLine<'a>> {
        let first = *self.body.first()?;
        let (line, rest) = split_line(self.body);
        let offset = self.offset;
        self.body = rest;
        self.offset += line.len();
        let mut text = line.strip_suffix(b"\n").unwrap_or(line);
        let newline = rest.first() != Some(&b'\\');
        if !newline {
            let (marker, rest) = split_line(rest);
            // A marker that ends with CR LF has come through something that ends all lines so: the CR is not of the file.
            if marker.ends_with(b"\r\n") {
                text = text.strip_suffix(b"\r").unwrap_or(text);
            }
            self.body = rest;
            self.offset += marker.len();
        }
        let kind = match first {
            b'-' => LineKind::Removed,
            b'+' => LineKind::Added,
            _ => LineKind::Context,
        };
        // An empty context line may have lost its space.
        let text = if matches!(first, b' ' | b'-' | b'+') { text.get(1..).unwrap_or_default() } else { text };
        Some(HunkLine { kind, text, newline, offset })
    }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(block::find(bytes, b'\n').map_or(bytes.len(), |end| end + 1))
}

/// The data of a `GIT binary patch`, not decoded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinaryPatch<'a> {
    /// Makes the new contents.
    pub forward: BinaryData<'a>,
    /// Makes the old contents, where the patch has them.
    pub reverse: Option<BinaryData<'a>>,
}

/// One direction of a `GIT binary patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinaryData<'a> {
    /// Byte offset of its header in the patch.
    pub offset: usize,
    /// Whether the data is a delta against the other side, not the contents themselves.
    pub delta: bool,
    /// Size in bytes of the data when it is inflated, as the patch declares it.
    pub size: u64,
    /// The lines in base 85.
    pub(super) lines: &'a [u8],
}
