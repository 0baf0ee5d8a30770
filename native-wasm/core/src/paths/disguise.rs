//! Names that git keeps for itself, in whatever form a file system or a person may take for them.

use super::lookalike::{Reads, reads};

/// What the longest name that matters needs: `.gitattributes`, and some more.
const HEAD: usize = 16;

/// A component as it is compared: lower case, without what is ignored, look-alikes as what they look like, up to a separator or stream, without dots and
/// spaces at the end.
pub(super) struct Name {
    head: [u8; HEAD],
    len: usize,
    /// Whether a separator or stream follows.
    cut: bool,
}

impl Name {
    /// Reads a component. What follows bytes that are no UTF-8 does not count, as git has it.
    pub(super) fn of(component: &[u8]) -> Self {
        let mut name = Self { head: [0; HEAD], len: 0, cut: false };
        for chunk in component.utf8_chunks() {
            for char in chunk.valid().chars() {
                let byte = match reads(char) {
                    Reads::Nothing => continue,
                    Reads::Ascii(b'/' | b'\\' | b':') => {
                        name.cut = true;
                        return name.trimmed();
                    }
                    Reads::Ascii(byte) => byte,
                    // No name that matters has it.
                    Reads::Other => 0x80,
                };
                match name.head.get_mut(name.len) {
                    Some(to) => *to = byte,
                    None if byte == b'.' || byte == b' ' => continue,
                    None => return Self { head: [0; HEAD], len: HEAD, cut: false },
                }
                name.len += 1;
            }
            if !chunk.invalid().is_empty() {
                break;
            }
        }
        name.trimmed()
    }

    fn trimmed(mut self) -> Self {
        let name = self.bytes().trim_ascii_end();
        // `..` and a space is `..`.
        let dots = name.iter().all(|byte| *byte == b'.');
        let kept = if dots { name } else { trim_dots_and_spaces(name) };
        self.len = kept.len();
        self
    }

    fn bytes(&self) -> &[u8] {
        self.head.get(..self.len).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty() && !self.cut
    }

    pub(super) fn is_here(&self) -> bool {
        self.bytes() == b"."
    }

    pub(super) fn is_parent(&self) -> bool {
        self.bytes() == b".."
    }

    /// Whether it is `.git`, or the short name that NTFS gives it: `git~1`, or with another number.
    pub(super) fn is_git(&self) -> bool {
        self.bytes() == b".git" || self.bytes().strip_prefix(b"git~").is_some_and(is_number)
    }

    /// Whether it is one of the files where git reads settings, or may be the short name of one: a tilde and digits behind up to six
    /// characters that begin with `g`, or behind none.
    pub(super) fn is_settings(&self) -> bool {
        let name = self.bytes();
        if matches!(name, b".gitmodules" | b".gitattributes" | b".gitignore") {
            return true;
        }
        let tilde = name.iter().position(|byte| *byte == b'~').unwrap_or(HEAD);
        tilde <= 6 && (tilde == 0 || name.starts_with(b"g")) && name.get(tilde + 1..).is_some_and(is_number)
    }
}

fn is_number(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

fn trim_dots_and_spaces(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|byte| !matches!(byte, b'.' | b' ')).map_or(0, |at| at + 1);
    name.get(..end).unwrap_or(name)
}

/// Whether a component is read as `.git`; a backslash may separate several.
pub(super) fn reads_as_git(component: &[u8]) -> bool {
    component.split(|byte| *byte == b'\\').any(|part| Name::of(part).is_git())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn git_is_seen_in_any_disguise() {
        let names = [
            ".git",
            ".GiT",
            "git~1",
            "GIT~2",
            "git~10",
            ".git ",
            ".git. .",
            ".git:x",
            ".git::$INDEX_ALLOCATION",
            "a\\.git",
            ".g\u{200c}it",
            "．git",
            ".gіt",
            "\u{feff}.git",
            ".git\u{202e}",
            ".git\\hooks",
            ".ｇｉｔ",
            "git～1",
            "․git",
        ];
        for name in names {
            assert!(reads_as_git(name.as_bytes()), "{name}");
        }
        assert!(reads_as_git(format!(".git{}", " .".repeat(500)).as_bytes()));
        assert!(reads_as_git(b".git\xff\xfe"), "git takes the name to end where it is no UTF-8");
    }

    #[test]
    fn other_names_are_not_git() {
        for name in [
            "git",
            ".gitx",
            ".github",
            "x.git",
            "git~",
            "git~x",
            "git1",
            "..git",
            ". git",
            "",
            ".",
            ".gitignore",
            "gitlab",
            "agit~1",
        ] {
            assert!(!reads_as_git(name.as_bytes()), "{name}");
        }
        assert!(!reads_as_git(format!(".git{}x", " ".repeat(500)).as_bytes()));
    }

    #[test]
    fn settings_and_their_short_names() {
        for name in [
            ".gitmodules",
            ".GITATTRIBUTES",
            ".gitignore .",
            "gitmod~1",
            "GI7EBA~1",
            "gi7eba~9",
            "g~123456",
            ".gitmodules:x",
        ] {
            assert!(Name::of(name.as_bytes()).is_settings(), "{name}");
        }
        for name in ["gitmodules", ".gitmodulesx", "gitmodu~1", "xitmod~1", "gitmod~", ".gitkeep"] {
            assert!(!Name::of(name.as_bytes()).is_settings(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn padding_hides_nothing(before in 0usize..3, padding in "[ .]{0,40}", behind in "(:[a-z]{0,3})?") {
            let name = format!("{}.g\u{200d}IT{padding}{behind}", "\u{2060}".repeat(before));
            prop_assert!(reads_as_git(name.as_bytes()));
        }
    }
}
