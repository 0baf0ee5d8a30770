use super::entry::{Entry, Mode, Pair};
use super::find::{Diff, Options, Stats};
use super::hunks::Context;
use super::quote::write_name;
use crate::{Budget, Limit};

/// How patches are printed.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The lines around changes.
    pub context: Context,
    /// Whether names with bytes above ASCII are quoted, as git does by default: `core.quotePath`.
    pub quote_path: bool,
    /// Hexadecimal digits of object ids that are shown at most. `git apply` takes any number.
    pub id_digits: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { context: Context::default(), quote_path: true, id_digits: usize::MAX }
    }
}

/// How the content of a path differs.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Not at all: what differs is path or mode.
    Same,
    /// In bytes that are no text.
    Binary,
    /// In lines.
    Text(Diff<'a>),
    /// In the commit of a gitlink, which git shows as a line.
    Commit(Stats),
}

/// What is known about a file of a patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStats {
    /// How many lines are added and removed; none in a binary file.
    pub lines: Stats,
    /// Whether the content is binary, which the patch only states. No tool can apply that.
    pub binary: bool,
    /// Whether the budget was spent before the best changes were found.
    pub degraded: bool,
}

/// Bytes in which git looks for a NUL, which no text has.
const BINARY_PROBE: usize = 8000;

/// Appends a patch of all pairs, and says what is in it, file by file. They share the budget.
///
/// ```
/// use millwright_core::{Budget, diff::{Entry, Format, Mode, Options, Pair, write_patch}};
/// let file = Entry { path: b"a.txt", mode: Mode::File, id: None, bytes: b"one\n" };
/// let mut patch = Vec::new();
/// let stats = write_patch(&[Pair::Added(file)], &Options::default(), &Format::default(), &mut Budget::default(), &mut patch)?;
/// assert_eq!(stats[0].lines.added, 1);
/// assert_eq!(patch, b"diff --git a/a.txt b/a.txt\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+one\n");
/// # Ok::<(), millwright_core::Limit>(())
/// ```
///
/// # Errors
/// [`Limit::Size`] when a file is too large, [`Limit::Memory`] when there is no room for the patch. A spent budget is no error.
pub fn write_patch(
    pairs: &[Pair],
    options: &Options,
    format: &Format,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Result<Vec<FileStats>, Limit> {
    let mut all = Limit::reserve(pairs.len())?;
    for pair in pairs {
        let content = pair.content(options, budget)?;
        pair.write(&content, format, out)?;
        all.push(content.stats());
    }
    Ok(all)
}

impl Content<'_> {
    /// What is known about it.
    pub fn stats(&self) -> FileStats {
        match self {
            Self::Same => FileStats::default(),
            Self::Binary => FileStats { binary: true, ..FileStats::default() },
            Self::Text(diff) => FileStats { lines: diff.stats(), binary: false, degraded: diff.is_degraded() },
            Self::Commit(lines) => FileStats { lines: *lines, ..FileStats::default() },
        }
    }
}

impl<'a> Pair<'a> {
    /// Compares the contents.
    ///
    /// # Errors
    /// As [`Diff::of`].
    pub fn content(&self, options: &Options, budget: &mut Budget) -> Result<Content<'a>, Limit> {
        if let (Some(before), Some(after)) = (self.before(), self.after())
            && before.has_content_of(after)
        {
            return Ok(Content::Same);
        }
        if self.entry().mode == Mode::Gitlink {
            let count = |entry: Option<&Entry>| u32::from(entry.is_some());
            return Ok(Content::Commit(Stats { added: count(self.after()), removed: count(self.before()) }));
        }
        let bytes = |entry: Option<&Entry<'a>>| entry.map_or(&b""[..], |entry| entry.bytes);
        let (before, after) = (bytes(self.before()), bytes(self.after()));
        let is_binary = |bytes: &[u8]| memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE)]).is_some();
        if is_binary(before) || is_binary(after) {
            return Ok(Content::Binary);
        }
        Ok(Content::Text(Diff::of(before, after, options, budget)?))
    }

    /// Appends the patch of this path, which `git apply` takes unless the content is binary. Without object ids it has no `index` line.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for it.
    pub fn write(&self, content: &Content, format: &Format, out: &mut Vec<u8>) -> Result<(), Limit> {
        // Both names come at most four times, and each byte may be escaped with four.
        let names = self.before().map_or(0, |entry| entry.path.len()) + self.entry().path.len();
        let room = names.saturating_mul(16).saturating_add(1024);
        out.try_reserve(room).map_err(|_| Limit::Memory { bytes: room as u64 })?;
        // Only white space that does not count has changed.
        let is_void = matches!(content, Content::Text(diff) if diff.changes().is_empty());
        if let (true, Self::Modified { before, after }) = (is_void, self)
            && before.mode == after.mode
        {
            return Ok(());
        }
        self.write_header(content, format, out);
        match content {
            Content::Same => {}
            Content::Text(_) if is_void => {}
            Content::Binary => {
                out.extend_from_slice(b"Binary files ");
                write_label(b"a/", self.before(), format, out);
                out.extend_from_slice(b" and ");
                write_label(b"b/", self.after(), format, out);
                out.extend_from_slice(b" differ\n");
            }
            Content::Text(diff) => {
                self.write_labels(format, out);
                diff.write_hunks(format.context, out)?;
            }
            Content::Commit(_) => {
                self.write_labels(format, out);
                self.write_commits(out);
            }
        }
        Ok(())
    }

    fn write_header(&self, content: &Content, format: &Format, out: &mut Vec<u8>) {
        out.extend_from_slice(b"diff --git ");
        write_name(b"a/", self.before().unwrap_or(self.entry()).path, format.quote_path, out);
        out.push(b' ');
        write_name(b"b/", self.entry().path, format.quote_path, out);
        out.push(b'\n');
        match self {
            Self::Added(after) => write_mode(b"new file mode ", after.mode, out),
            Self::Deleted(before) => write_mode(b"deleted file mode ", before.mode, out),
            Self::Modified { before, after } | Self::Renamed { before, after, .. } if before.mode != after.mode => {
                write_mode(b"old mode ", before.mode, out);
                write_mode(b"new mode ", after.mode, out);
            }
            _ => {}
        }
        if let Self::Renamed { before, after, similarity } = self {
            out.extend_from_slice(b"similarity index ");
            super::unified::write_number(u64::from(*similarity), out);
            out.extend_from_slice(b"%\nrename from ");
            write_name(b"", before.path, format.quote_path, out);
            out.extend_from_slice(b"\nrename to ");
            write_name(b"", after.path, format.quote_path, out);
            out.push(b'\n');
        }
        if !matches!(content, Content::Same) {
            self.write_index(format, out);
        }
    }

    /// The object ids, and the mode if there is one only. Nothing when an id is not known.
    fn write_index(&self, format: &Format, out: &mut Vec<u8>) {
        let ids = [self.before(), self.after()].map(|entry| entry.map(|entry| entry.id));
        let (before, after) = match ids {
            [Some(Some(before)), Some(Some(after))] => (Some(before), Some(after)),
            [None, Some(Some(after))] => (None, Some(after)),
            [Some(Some(before)), None] => (Some(before), None),
            _ => return,
        };
        let len = before.or(after).map_or(0, <[u8]>::len);
        out.extend_from_slice(b"index ");
        write_id(before, len, format.id_digits, out);
        out.extend_from_slice(b"..");
        write_id(after, len, format.id_digits, out);
        match (self.before(), self.after()) {
            (Some(before), Some(after)) if before.mode == after.mode => write_mode(b" ", after.mode, out),
            _ => out.push(b'\n'),
        }
    }

    fn write_labels(&self, format: &Format, out: &mut Vec<u8>) {
        for (sign, prefix, entry) in [(b"--- ", b"a/", self.before()), (b"+++ ", b"b/", self.after())] {
            out.extend_from_slice(sign);
            write_label(prefix, entry, format, out);
            // Other tools end the name at a space, unless there is a tab.
            if entry.is_some_and(|entry| entry.path.contains(&b' ')) {
                out.push(b'\t');
            }
            out.push(b'\n');
        }
    }

    /// The change of a gitlink, as if it were a file with one line.
    fn write_commits(&self, out: &mut Vec<u8>) {
        let id = |entry: Option<&Entry<'a>>| entry.and_then(|entry| entry.id);
        let (before, after) = (id(self.before()), id(self.after()));
        let range = |id: Option<&[u8]>| if id.is_some() { "1" } else { "0,0" };
        out.extend_from_slice(format!("@@ -{} +{} @@\n", range(before), range(after)).as_bytes());
        for (sign, id) in [(b'-', before), (b'+', after)] {
            if id.is_some() {
                out.push(sign);
                out.extend_from_slice(b"Subproject commit ");
                write_id(id, 0, usize::MAX, out);
                out.push(b'\n');
            }
        }
    }
}

fn write_mode(what: &[u8], mode: Mode, out: &mut Vec<u8>) {
    out.extend_from_slice(what);
    out.extend_from_slice(mode.octal().as_bytes());
    out.push(b'\n');
}

fn write_label(prefix: &[u8], entry: Option<&Entry>, format: &Format, out: &mut Vec<u8>) {
    match entry {
        Some(entry) => write_name(prefix, entry.path, format.quote_path, out),
        None => out.extend_from_slice(b"/dev/null"),
    }
}

/// An object id in hexadecimal digits; zeros for none.
fn write_id(id: Option<&[u8]>, len: usize, digits: usize, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let nibbles = |byte: u8| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    match id {
        Some(id) => out.extend(id.iter().flat_map(|byte| nibbles(*byte)).take(digits)),
        None => out.extend(core::iter::repeat_n(b'0', len * 2).take(digits)),
    }
}
