use super::cursor::{Cursor, without_line_end};
use super::draft::Draft;
use super::{Body, FilePatch, ParseError, ParseErrorKind, Patch, binary, header, hunk, lenient};
use crate::Limit;

/// How a patch is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseOptions {
    /// Take what language models write: a bare `@@`, wrong counts, blank lines between hunks, names with or without the prefixes `a/` and
    /// `b/` (then `strip` counts only if there are prefixes), a last line without its newline.
    pub lenient: bool,
    /// How many leading folders are removed from names, 1 for git's `a/` and `b/`.
    pub strip: u32,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { lenient: false, strip: 1 }
    }
}

impl<'a> Patch<'a> {
    /// Reads a patch: one of git or a plain unified one, a mail or a mailbox of `git format-patch`, with any text around the files.
    ///
    /// Linear in the size of the patch, and the answer refers to its bytes. A patch that is empty or blank has no files.
    ///
    /// ```
    /// use millwright_core::patch::{Change, ParseOptions, Patch};
    /// let patch = Patch::parse(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n", &ParseOptions::default())?;
    /// assert_eq!(patch.files[0].change, Change::Modify);
    /// assert_eq!(patch.files[0].new_path.as_deref(), Some(&b"x"[..]));
    /// # Ok::<(), millwright_core::patch::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError`] at the first line that is wrong.
    pub fn parse(bytes: &'a [u8], options: &ParseOptions) -> Result<Self, ParseError> {
        let mut cursor = Cursor::at(bytes, 0);
        Limit::check_size(bytes).map_err(|limit| cursor.fail(limit.into()))?;
        let mut reader = Reader { options: *options, files: Vec::new(), messages: 0, behind_file: 0 };
        while let Some(line) = cursor.line() {
            if !reader.file(&mut cursor, line)? {
                cursor.advance();
            }
        }
        if reader.files.is_empty() && reader.messages == 0 && !bytes.trim_ascii().is_empty() {
            return Err(Cursor::at(bytes, 0).fail(ParseErrorKind::NoPatch));
        }
        Ok(Self { files: reader.files })
    }
}

struct Reader<'a> {
    options: ParseOptions,
    files: Vec<FilePatch<'a>>,
    messages: u32,
    /// Where the last file ended.
    behind_file: usize,
}

impl<'a> Reader<'a> {
    /// Reads a file that begins at the cursor and leaves the cursor behind it, or answers no and leaves it where it is.
    fn file(&mut self, cursor: &mut Cursor<'a>, line: &'a [u8]) -> Result<bool, ParseError> {
        let start = *cursor;
        let draft = match line.first() {
            Some(b'F') => {
                self.messages += u32::from(is_message(line));
                return Ok(false);
            }
            Some(b'd') if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") => {
                return Err(cursor.fail(ParseErrorKind::CombinedDiff));
            }
            Some(b'd') if line.starts_with(b"diff --git ") => header::git(cursor)?,
            Some(b'-') => self.plain(cursor),
            Some(b'@') if line.starts_with(b"@@@ -") => return Err(cursor.fail(ParseErrorKind::CombinedDiff)),
            Some(b'@')
                if hunk::header(without_line_end(line)).is_ok() || self.options.lenient && line.starts_with(b"@@") =>
            {
                return Err(cursor.fail(ParseErrorKind::HunkWithoutFile));
            }
            _ => None,
        };
        let Some(draft) = draft else {
            *cursor = start;
            return Ok(false);
        };
        let body = self.body(cursor, &draft)?;
        let preamble = start.bytes().get(self.behind_file..start.offset()).unwrap_or_default();
        let message = self.messages.saturating_sub(1);
        let file = draft.finish(&start, self.options, body)?;
        push(&mut self.files, FilePatch { message, preamble, ..file }).map_err(|limit| start.fail(limit.into()))?;
        self.behind_file = cursor.offset();
        Ok(true)
    }

    /// `--- a/x` and `+++ b/x` with a hunk behind them.
    fn plain(&self, cursor: &mut Cursor<'a>) -> Option<Draft<'a>> {
        let hunk = if self.options.lenient { &b"@@"[..] } else { b"@@ -" };
        let (new, behind) = (cursor.following(), cursor.following().following());
        if !(cursor.starts_with(b"--- ") && new.starts_with(b"+++ ") && behind.starts_with(hunk)) {
            return None;
        }
        let draft = Draft { old_line: Some(*cursor), new_line: Some(new), ..Draft::default() };
        *cursor = behind;
        Some(draft)
    }

    fn body(&self, cursor: &mut Cursor<'a>, draft: &Draft<'a>) -> Result<Body<'a>, ParseError> {
        let text = cursor.text();
        if draft.is_git() && text == b"GIT binary patch" {
            cursor.advance();
            return binary::parse(cursor).map(Body::Binary);
        }
        if draft.is_git()
            && text.ends_with(b" differ")
            && (text.starts_with(b"Binary files ") || text.starts_with(b"Files "))
        {
            cursor.advance();
            return Ok(Body::BinaryDiffers);
        }
        let (mut hunks, mut shift) = (Vec::new(), 0i64);
        let start = if self.options.lenient { &b"@@"[..] } else { b"@@ -" };
        while draft.has_names() && cursor.starts_with(start) && !cursor.starts_with(b"@@@") {
            let here = *cursor;
            let hunk = hunk::parse(cursor, self.options.lenient, shift)?;
            shift = shift.saturating_add_unsigned(hunk.new_lines).saturating_sub_unsigned(hunk.old_lines);
            push(&mut hunks, hunk).map_err(|limit| here.fail(limit.into()))?;
            if self.options.lenient {
                lenient::skip_blank_lines(cursor);
            }
        }
        Ok(Body::Hunks(hunks))
    }
}

/// `From 0123… Mon Sep 17 00:00:00 2001`, the first line of a message.
fn is_message(line: &[u8]) -> bool {
    line.strip_prefix(b"From ").is_some_and(|line| {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        matches!(digits, 40 | 64) && line.get(digits) == Some(&b' ')
    })
}

/// Appends an item, with an error where there is no memory for it.
pub(crate) fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), Limit> {
    if items.len() == items.capacity() && items.try_reserve(1).is_err() {
        return Err(Limit::Memory { bytes: (items.len() as u64 + 1).saturating_mul(size_of::<T>() as u64) });
    }
    items.push(item);
    Ok(())
}
