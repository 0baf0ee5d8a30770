//! What is wrong with a path by its bytes alone.

use super::disguise::{self, Name};
use super::{MAX_COMPONENT_BYTES, MAX_DEPTH, MAX_PATH_BYTES, Mode, Violation, Violations};
use core::ops::Range;

/// A violation and the bytes of the path that it is about: a component, or what is wrong within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub violation: Violation,
    /// Where in the path.
    pub at: Range<usize>,
}

/// What is wrong with a path by its bytes alone: each violation at the first place where it is.
///
/// ```
/// use millwright_core::paths::{check, Mode, Violation};
/// assert!(check(b"src/main.rs", Mode::File).is_empty());
/// let faults = check(b"src/.Git/config", Mode::File);
/// assert_eq!((faults[0].violation, faults[0].at.clone()), (Violation::DotGit, 4..8));
/// ```
pub fn check(path: &[u8], mode: Mode) -> Vec<Fault> {
    let mut faults = Faults { seen: Violations::NONE, found: Vec::new() };
    start(path, &mut faults);
    if path.len() > MAX_PATH_BYTES {
        faults.add(Violation::LongPath, MAX_PATH_BYTES..path.len());
    }
    let (mut begin, mut depth) = (0, 0);
    // The slash at the start has its own name.
    if path.len() > 1 && path.starts_with(b"/") {
        begin = 1;
    }
    loop {
        let rest = path.get(begin..).unwrap_or_default();
        let end = begin + memchr::memchr(b'/', rest).unwrap_or(rest.len());
        depth += 1;
        if depth == MAX_DEPTH + 1 {
            faults.add(Violation::Deep, begin..path.len());
        }
        component(path.get(begin..end).unwrap_or_default(), begin, mode, &mut faults);
        if end == path.len() {
            return faults.found;
        }
        begin = end + 1;
    }
}

struct Faults {
    seen: Violations,
    found: Vec<Fault>,
}

impl Faults {
    fn add(&mut self, violation: Violation, at: Range<usize>) {
        if !self.seen.contains(violation) {
            self.seen.insert(violation);
            self.found.push(Fault { violation, at });
        }
    }
}

fn start(path: &[u8], faults: &mut Faults) {
    match path {
        [b'/' | b'\\', b'/' | b'\\', ..] => faults.add(Violation::Server, 0..2),
        [b'/', ..] => faults.add(Violation::Absolute, 0..1),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => faults.add(Violation::Drive, 0..2),
        _ => {}
    }
}

/// What bytes a component has.
const CONTROL: u8 = 1;
const COLON: u8 = 2;
const BACKSLASH: u8 = 4;
const HIGH: u8 = 8;
const TILDE: u8 = 16;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            0..0x20 | 0x7f => CONTROL,
            b':' => COLON,
            b'\\' => BACKSLASH,
            b'~' => TILDE,
            0x80.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

fn component(bytes: &[u8], begin: usize, mode: Mode, faults: &mut Faults) {
    let whole = begin..begin + bytes.len();
    let kinds = bytes.iter().fold(0, |kinds, byte| kinds | KINDS[*byte as usize]);
    if bytes.len() > MAX_COMPONENT_BYTES {
        faults.add(Violation::LongComponent, whole.clone());
    }
    if kinds & CONTROL != 0 {
        faults.add(Violation::Control, first(bytes, begin, |byte| KINDS[*byte as usize] == CONTROL));
    }
    if kinds & BACKSLASH != 0 {
        faults.add(Violation::Backslash, first(bytes, begin, |byte| *byte == b'\\'));
    }
    // The colon of a drive is that and no more.
    if kinds & COLON != 0
        && !(begin == 0 && faults.seen.contains(Violation::Drive) && memchr::memrchr(b':', bytes) == Some(1))
    {
        faults.add(Violation::Stream, first(bytes, begin, |byte| *byte == b':'));
    }
    if kinds & HIGH != 0 {
        characters(bytes, begin, faults);
    }
    // All names that matter begin with a dot, have a tilde, are nothing but spaces, or hide behind what is not ASCII.
    if kinds & (HIGH | BACKSLASH | TILDE) != 0 || bytes.first().is_none_or(|byte| matches!(byte, b'.' | b' ' | b':')) {
        let name = Name::of(bytes);
        let (empty, here, parent) = (name.is_empty(), name.is_here(), name.is_parent());
        for (holds, violation) in [(empty, Violation::Empty), (here, Violation::Here), (parent, Violation::Parent)] {
            if holds {
                faults.add(violation, whole.clone());
            }
        }
        if disguise::reads_as_git(bytes) {
            faults.add(Violation::DotGit, whole.clone());
        }
        if mode == Mode::Symlink && bytes.split(|byte| *byte == b'\\').any(|part| Name::of(part).is_settings()) {
            faults.add(Violation::LinkedSettings, whole.clone());
        }
    }
    if is_device(bytes) {
        faults.add(Violation::Device, whole);
    }
}

fn first(bytes: &[u8], begin: usize, is: impl Fn(&u8) -> bool) -> Range<usize> {
    let at = begin + bytes.iter().position(is).unwrap_or(0);
    at..at + 1
}

fn characters(bytes: &[u8], begin: usize, faults: &mut Faults) {
    let mut at = begin;
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            let range = at..at + char.len_utf8();
            at = range.end;
            match char {
                '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => faults.add(Violation::Control, range),
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    faults.add(Violation::Bidirectional, range);
                }
                _ => {}
            }
        }
        let invalid = chunk.invalid().len();
        if invalid > 0 {
            faults.add(Violation::InvalidUtf8, at..at + invalid);
        }
        at += invalid;
    }
}

/// Whether Windows takes a component for a device, whatever extension or stream it has.
fn is_device(component: &[u8]) -> bool {
    if !component.first().is_some_and(|byte| matches!(byte.to_ascii_lowercase(), b'a' | b'c' | b'l' | b'n' | b'p')) {
        return false;
    }
    let end = component.iter().position(|byte| matches!(byte, b'.' | b':')).unwrap_or(component.len());
    let name = component.get(..end).unwrap_or(component).trim_ascii_end();
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    let numbered = |head: &str| {
        let number = name
            .split_at_checked(3)
            .filter(|(start, _)| start.eq_ignore_ascii_case(head.as_bytes()))
            .map(|(_, number)| number);
        // Superscript digits count too.
        matches!(number, Some([b'1'..=b'9'] | [0xc2, 0xb9 | 0xb2 | 0xb3]))
    };
    ["con", "prn", "aux", "nul", "conin$", "conout$"].into_iter().any(is) || ["com", "lpt"].into_iter().any(numbered)
}

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
