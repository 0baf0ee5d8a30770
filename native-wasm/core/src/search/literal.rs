use super::document::{Definition, name_hash};
use super::words;
use crate::{Budget, Limit};
use core::ops::Range;
use memchr::memmem::Finder;

/// Looks for a literal.
#[derive(Clone, Debug)]
pub struct Literal {
    needle: Vec<u8>,
    /// As of the name of a definition.
    hash: u32,
    word: bool,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Exact(Box<Finder<'static>>),
    /// Without regard to the case of ASCII letters: by the rarest of its bytes, and where in the needle that is.
    AnyCase {
        rarest: usize,
    },
}

/// Bytes that fit one unit of work when looked at by SIMD.
const BYTES_PER_UNIT: u64 = 16;

/// Bytes of code, the most frequent first. What is missing is rare.
const FREQUENT: &[u8] = b" etrnaiosl\tcdpu.mf_hg(),b\"yv=wx:/-k{};0*1[]2'j&q>3z<458!67+9";

impl Literal {
    pub fn new(needle: &[u8], any_case: bool, word: bool) -> Self {
        let how = if any_case && needle.iter().any(u8::is_ascii_alphabetic) {
            How::AnyCase { rarest: rarest(needle) }
        } else {
            How::Exact(Box::new(Finder::new(needle).into_owned()))
        };
        Self { needle: needle.to_vec(), hash: name_hash(needle), word, how }
    }

    /// Whether a hit can be the name of a definition.
    pub fn may_name(&self, definition: &Definition, text: &[u8]) -> bool {
        match self.how {
            How::Exact(_) => definition.may_have(self.hash, self.needle.len()),
            How::AnyCase { .. } => {
                definition.name().len() == self.needle.len()
                    && text.get(definition.name()).is_some_and(|name| name.eq_ignore_ascii_case(&self.needle))
            }
        }
    }

    /// Calls `found` for each hit within a range until it says false; hits do not overlap.
    pub fn each(
        &self,
        text: &[u8],
        range: Range<usize>,
        budget: &mut Budget,
        mut found: impl FnMut(Range<usize>, &mut Budget) -> Result<bool, Limit>,
    ) -> Result<(), Limit> {
        budget.spend(range.len() as u64 / BYTES_PER_UNIT + 1)?;
        let mut at = range.start;
        while let Some(start) = self.find(text, at..range.end, budget)? {
            let hit = start..start + self.needle.len();
            if self.word && !words::is_bounded(text, &hit) {
                // The next may overlap what is no hit. It is looked at again, which a long needle makes costly.
                budget.spend(1 + self.needle.len() as u64 / BYTES_PER_UNIT)?;
                at = start + 1;
                continue;
            }
            at = hit.end;
            if !found(hit, budget)? {
                break;
            }
        }
        Ok(())
    }

    fn find(&self, text: &[u8], range: Range<usize>, budget: &mut Budget) -> Result<Option<usize>, Limit> {
        let Some(part) = text.get(range.clone()) else { return Ok(None) };
        match &self.how {
            How::Exact(finder) => Ok(finder.find(part).map(|at| range.start + at)),
            How::AnyCase { rarest } => {
                let byte = self.needle.get(*rarest).copied().unwrap_or_default();
                let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
                let mut at = *rarest;
                while let Some(rest) = part.get(at..) {
                    let Some(next) = memchr::memchr2(lower, upper, rest) else { break };
                    let start = at + next - rarest;
                    let Some(candidate) = part.get(start..start + self.needle.len()) else { break };
                    budget.spend(1 + self.needle.len() as u64 / BYTES_PER_UNIT)?;
                    if candidate.eq_ignore_ascii_case(&self.needle) {
                        return Ok(Some(range.start + start));
                    }
                    at += next + 1;
                }
                Ok(None)
            }
        }
    }
}

/// Where the byte is that is the rarest in code.
fn rarest(needle: &[u8]) -> usize {
    let rank =
        |byte: &u8| FREQUENT.iter().position(|other| *other == byte.to_ascii_lowercase()).unwrap_or(FREQUENT.len());
    needle.iter().enumerate().max_by_key(|(_, byte)| rank(byte)).map_or(0, |(at, _)| at)
}
