use crate::Limit;
use core::fmt;

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// 100644.
    File,
    /// 100755.
    Executable,
    /// 160000: a commit of another repository.
    Submodule,
    /// 120000.
    Symlink,
}

/// A file of a tree. Folders have no entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it is.
    pub mode: Mode,
    /// The id of its contents in any form, for comparing with the other listing.
    pub id: &'a [u8],
    /// Its path from the root on.
    pub path: &'a [u8],
    /// The contents of a symlink, without which it is refused. None for other modes.
    pub target: Option<&'a [u8]>,
}

/// What is wrong with a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListingErrorKind {
    /// A record does not end with a zero byte.
    Unterminated,
    /// A record is not `<mode> <type> <id> TAB <path>`.
    Malformed,
    /// The mode is none that git writes for files, symlinks and submodules.
    UnknownMode,
    /// The record is a folder.
    Folder,
    /// A bound was met.
    Limit(Limit),
}

/// A listing that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListingError {
    /// What is wrong.
    pub kind: ListingErrorKind,
    /// Where the record begins, in bytes.
    pub offset: u64,
    /// Which record, from 0.
    pub record: u32,
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.kind {
            ListingErrorKind::Unterminated => {
                "it does not end with a zero byte: give the whole output of `git ls-tree -r -z`"
            }
            ListingErrorKind::Malformed => {
                "it is not `<mode> <type> <id>`, a tab and a path: give the output of `git ls-tree -r -z`"
            }
            ListingErrorKind::UnknownMode => {
                "its mode is none of 100644, 100755, 120000, 160000: write the tree anew with git"
            }
            ListingErrorKind::Folder => "it is a folder: list files with `git ls-tree -r`",
            ListingErrorKind::Limit(limit) => return limit.fmt(f),
        };
        write!(f, "listing, record {} at byte {}: {problem}", self.record, self.offset)
    }
}

impl core::error::Error for ListingError {}

impl From<Limit> for ListingError {
    fn from(limit: Limit) -> Self {
        Self { kind: ListingErrorKind::Limit(limit), offset: 0, record: 0 }
    }
}

/// Reads what `git ls-tree -r -z` writes. The targets of symlinks are not in it and have to be set.
///
/// ```
/// use millwright_core::paths::{parse_listing, Mode};
/// let entries = parse_listing(b"100755 blob 8baef1b4\tbin/run\0120000 blob 1de56593\tlatest\0")?;
/// assert_eq!((entries[0].mode, entries[0].path), (Mode::Executable, &b"bin/run"[..]));
/// assert_eq!(entries[1].mode, Mode::Symlink);
/// # Ok::<(), millwright_core::paths::ListingError>(())
/// ```
///
/// # Errors
/// [`ListingError`] with the record and its offset; a listing that is too large or too long for memory.
pub fn parse_listing(bytes: &[u8]) -> Result<Vec<Entry<'_>>, ListingError> {
    Limit::check_size(bytes)?;
    let mut entries = Limit::reserve(memchr::memchr_iter(0, bytes).count())?;
    let mut offset = 0;
    while offset < bytes.len() {
        let rest = bytes.get(offset..).unwrap_or_default();
        let error = |kind| ListingError { kind, offset: offset as u64, record: entries.len() as u32 };
        let end = memchr::memchr(0, rest).ok_or_else(|| error(ListingErrorKind::Unterminated))?;
        entries.push(entry(rest.get(..end).unwrap_or(rest)).map_err(error)?);
        offset += end + 1;
    }
    Ok(entries)
}

fn entry(record: &[u8]) -> Result<Entry<'_>, ListingErrorKind> {
    let malformed = ListingErrorKind::Malformed;
    let tab = memchr::memchr(b'\t', record).ok_or(malformed)?;
    let (head, path) = record.split_at(tab);
    let mut fields = head.split(|byte| *byte == b' ');
    let (Some(mode), Some(_), Some(id), None) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
        return Err(malformed);
    };
    let mode = match mode {
        // Git once wrote 100664, and reads it as 100644.
        b"100644" | b"100664" => Mode::File,
        b"100755" => Mode::Executable,
        b"120000" => Mode::Symlink,
        b"160000" => Mode::Submodule,
        b"040000" => return Err(ListingErrorKind::Folder),
        _ => return Err(ListingErrorKind::UnknownMode),
    };
    Ok(Entry { mode, id, path: path.get(1..).unwrap_or_default(), target: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_has_its_record() {
        let error = |bytes: &[u8]| parse_listing(bytes).unwrap_err();
        let good = b"100644 blob 00\ta\0".to_vec();
        let at = |tail: &[u8]| error(&[&good, tail].concat());
        assert_eq!(at(b"x"), ListingError { kind: ListingErrorKind::Unterminated, offset: 17, record: 1 });
        assert_eq!(at(b"x\0").kind, ListingErrorKind::Malformed);
        assert_eq!(at(b"100644 blob\ta\0").kind, ListingErrorKind::Malformed);
        assert_eq!(at(b"100600 blob 00\ta\0").kind, ListingErrorKind::UnknownMode);
        assert_eq!(at(b"040000 tree 00\ta\0").kind, ListingErrorKind::Folder);
        assert_eq!(
            at(b"x\0").to_string(),
            "listing, record 1 at byte 17: it is not `<mode> <type> <id>`, a tab and a path: give the output of `git ls-tree -r -z`"
        );
        assert_eq!(parse_listing(b"160000 commit 1\ta\tb\n\0").unwrap()[0].path, b"a\tb\n");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            let _ = parse_listing(&bytes);
        }
    }
}
