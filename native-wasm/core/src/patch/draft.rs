use super::cursor::Cursor;
use super::name::{have_prefixes, split_git, strip, unquote};
use super::timestamp::is_epoch;
use super::{Body, Change, FilePatch, ParseError, ParseErrorKind, ParseOptions};
use std::borrow::Cow;

type Name<'a> = Cow<'a, [u8]>;

/// What the header lines of a file say, before they are checked against each other.
#[derive(Clone, Copy, Default)]
pub(super) struct Draft<'a> {
    /// Where `diff --git`, `---` and `+++` are.
    pub git_line: Option<Cursor<'a>>,
    pub old_line: Option<Cursor<'a>>,
    pub new_line: Option<Cursor<'a>>,
    /// The names of renames and copies, which have no prefix.
    pub from: Option<(Cursor<'a>, &'a [u8])>,
    pub to: Option<(Cursor<'a>, &'a [u8])>,
    pub flags: Flags,
    pub old_mode: Option<u32>,
    pub new_mode: Option<u32>,
    pub similarity: Option<u8>,
    pub ids: Option<(&'a [u8], &'a [u8])>,
}

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a header line that is there or not")]
pub(super) struct Flags {
    pub created: bool,
    pub deleted: bool,
    pub rename: bool,
    pub copy: bool,
}

/// The name of a `---` or `+++` line.
enum Side<'a> {
    Unknown,
    Nothing,
    Named(Name<'a>),
}

impl<'a> Side<'a> {
    const fn name(&self) -> Option<&Name<'a>> {
        match self {
            Self::Named(name) => Some(name),
            _ => None,
        }
    }
}

impl<'a> Draft<'a> {
    pub const fn is_git(&self) -> bool {
        self.git_line.is_some()
    }

    /// Whether hunks may follow: they come behind `---` and `+++`.
    pub const fn has_names(&self) -> bool {
        self.new_line.is_some()
    }

    /// Checks the headers against each other and against the body.
    pub fn finish(
        self,
        start: &Cursor<'a>,
        options: ParseOptions,
        body: Body<'a>,
    ) -> Result<FilePatch<'a>, ParseError> {
        let (old, new) = (side(self.old_line.as_ref())?, side(self.new_line.as_ref())?);
        let created = self.flags.created || matches!(old, Side::Nothing);
        let deleted = self.flags.deleted || matches!(new, Side::Nothing);
        let change = match (created, deleted, self.flags.rename, self.flags.copy) {
            (false, false, false, false) => Change::Modify,
            (true, false, false, false) => Change::Create,
            (false, true, false, false) => Change::Delete,
            (false, false, true, false) => Change::Rename,
            (false, false, false, true) => Change::Copy,
            _ => return Err(start.fail(ParseErrorKind::HeadersDisagree)),
        };
        let names = Names { draft: &self, start, options };
        let (old_path, new_path) = names.resolve(change, &old, &new)?;
        if [&old_path, &new_path].into_iter().flatten().any(|name| memchr::memchr(0, name).is_some()) {
            return Err(start.fail(ParseErrorKind::NulInName));
        }
        if let Body::Hunks(hunks) = &body {
            let wrong = hunks.iter().find(|hunk| match change {
                Change::Create => hunk.old_lines != 0,
                Change::Delete => hunk.new_lines != 0,
                _ => false,
            });
            if change == Change::Modify && hunks.is_empty() && self.old_mode == self.new_mode {
                return Err(start.fail(ParseErrorKind::FileWithoutChange));
            }
            if let Some(hunk) = wrong {
                return Err(ParseError::new(ParseErrorKind::NotEmptySide, start.bytes(), hunk.offset));
            }
        }
        Ok(FilePatch {
            offset: start.offset(),
            message: 0,
            preamble: b"",
            change,
            old_path,
            new_path,
            old_mode: if created { None } else { self.old_mode },
            new_mode: if deleted { None } else { self.new_mode },
            similarity: self.similarity,
            ids: self.ids,
            body,
        })
    }
}

struct Names<'d, 'a> {
    draft: &'d Draft<'a>,
    start: &'d Cursor<'a>,
    options: ParseOptions,
}

impl<'a> Names<'_, 'a> {
    fn resolve(
        &self,
        change: Change,
        old: &Side<'a>,
        new: &Side<'a>,
    ) -> Result<(Option<Name<'a>>, Option<Name<'a>>), ParseError> {
        let folders = self.folders(old, new);
        let missing = || self.start.fail(ParseErrorKind::NameMissing { strip: folders });
        let stripped = |side: &Side<'a>| match side.name() {
            Some(name) => strip(name, folders).ok_or_else(missing).map(Some),
            None => Ok(None),
        };
        let (old, new) = (stripped(old)?, stripped(new)?);
        let moved = |header: Option<(Cursor<'a>, &'a [u8])>| match header {
            Some((cursor, text)) => {
                let name = whole_name(text, &cursor)?;
                // Such a name has no prefix: only what is stripped beyond that goes.
                let name = strip(&name, self.options.strip.saturating_sub(1)).ok_or_else(missing)?;
                Ok(Some(name))
            }
            None => Ok(None),
        };
        let (from, to) = (moved(self.draft.from)?, moved(self.draft.to)?);
        if matches!(change, Change::Rename | Change::Copy) {
            let (from, to) = (from.ok_or_else(missing)?, to.ok_or_else(missing)?);
            let agree = old.is_none_or(|old| old == from) && new.is_none_or(|new| new == to);
            return if agree {
                Ok((Some(from), Some(to)))
            } else {
                Err(self.start.fail(ParseErrorKind::NamesDisagree))
            };
        }
        let default = match &self.draft.git_line {
            Some(line) => git_names(line, folders)?,
            None => None,
        };
        let name = match (old, new) {
            (Some(old), Some(new)) if old == new => new,
            // Without git, one of the two is often a copy that was set aside, as in `x.orig`.
            (Some(old), Some(new)) if !self.draft.is_git() => {
                if new.starts_with(&old) {
                    old
                } else {
                    new
                }
            }
            (Some(_), Some(_)) => return Err(self.start.fail(ParseErrorKind::NamesDisagree)),
            (Some(name), None) | (None, Some(name)) => {
                if default.is_some_and(|default| default != name) {
                    return Err(self.start.fail(ParseErrorKind::NamesDisagree));
                }
                name
            }
            (None, None) => default.ok_or_else(missing)?,
        };
        Ok(match change {
            Change::Create => (None, Some(name)),
            Change::Delete => (Some(name), None),
            _ => (Some(name.clone()), Some(name)),
        })
    }

    /// How many folders are removed from names that may have a prefix.
    fn folders(&self, old: &Side<'a>, new: &Side<'a>) -> u32 {
        if !self.options.lenient {
            return self.options.strip;
        }
        let prefixes = match (old.name(), new.name(), &self.draft.git_line) {
            (None, None, Some(line)) => {
                split_git(git_text(line), 1).is_some_and(|(old, new)| have_prefixes(Some(&old), Some(&new)))
            }
            (old, new, _) => have_prefixes(old.map(AsRef::as_ref), new.map(AsRef::as_ref)),
        };
        if prefixes { self.options.strip } else { 0 }
    }
}

/// The one name that both halves of `diff --git` have, if they have.
fn git_names<'a>(line: &Cursor<'a>, folders: u32) -> Result<Option<Name<'a>>, ParseError> {
    let text = git_text(line);
    let Some((old, new)) = split_git(text, folders) else {
        let quoted = text.first() == Some(&b'"') || text.last() == Some(&b'"');
        return if quoted { Err(line.fail(ParseErrorKind::QuotedName)) } else { Ok(None) };
    };
    let (old, new) = (strip(&old, folders), strip(&new, folders));
    Ok(if old == new { new } else { None })
}

fn git_text<'a>(line: &Cursor<'a>) -> &'a [u8] {
    line.text().strip_prefix(b"diff --git ").unwrap_or_default()
}

/// The name of a `---` or `+++` line: up to a tab, behind which a time may be.
fn side<'a>(line: Option<&Cursor<'a>>) -> Result<Side<'a>, ParseError> {
    let Some(line) = line else { return Ok(Side::Unknown) };
    let text = line.text().get(4..).unwrap_or_default();
    if text.first() == Some(&b'"') {
        let (name, _) = unquote(text).ok_or_else(|| line.fail(ParseErrorKind::QuotedName))?;
        return Ok(Side::Named(name));
    }
    let end = memchr::memchr(b'\t', text).unwrap_or(text.len());
    let (name, time) = text.split_at(end);
    if name == b"/dev/null" || is_epoch(time.trim_ascii()) {
        Ok(Side::Nothing)
    } else {
        Ok(Side::Named(Cow::Borrowed(name)))
    }
}

/// The name of a line that holds nothing else.
fn whole_name<'a>(text: &'a [u8], line: &Cursor<'a>) -> Result<Name<'a>, ParseError> {
    if text.first() != Some(&b'"') {
        return Ok(Cow::Borrowed(text));
    }
    match unquote(text) {
        Some((name, b"")) => Ok(name),
        _ => Err(line.fail(ParseErrorKind::QuotedName)),
    }
}
