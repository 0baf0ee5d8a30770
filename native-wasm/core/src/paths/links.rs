//! Where symlinks lead, within a tree.

use super::canonical::canonical_into;
use super::disguise::{self, Name};
use super::tree::{SEPARATOR, Tree};
use super::{Entry, MAX_LINKS, MAX_PATH_BYTES, Mode, Violation};
use crate::{Budget, Limit};
use core::ops::Range;

/// What is wrong with where a symlink leads, and which bytes of its target lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) violation: Violation,
    pub(super) at: Range<usize>,
}

/// A target that is being followed.
struct Walk<'a> {
    target: &'a [u8],
    next: usize,
}

/// Follows a symlink through the tree, component by component, as a kernel would, to the key of where it ends. What is not in the tree is taken for a folder, and names are compared in
/// canonical form: so nothing leads out on one system that is thought to stay on another. For the same reason nothing may lead out by names alone. A unit of the budget is some bytes that are compared.
pub(super) fn follow(
    tree: &Tree<'_, '_>,
    link: &Entry<'_>,
    budget: &mut Budget,
) -> Result<Result<Vec<u8>, Lead>, Limit> {
    let lookup = u64::from(tree.entries.len().max(1).ilog2()) + 1;
    let own = link.target.unwrap_or_default();
    let mut at = 0..own.len();
    let mut here = Vec::new();
    let folder = memchr::memrchr(b'/', link.path).and_then(|end| link.path.get(..end)).unwrap_or_default();
    canonical_into(folder, SEPARATOR, &mut here);
    let mut walks = Vec::new();
    let mut next = Some(link);
    let mut links = 0;
    loop {
        // A symlink that was met begins a walk of its own; the rest of the one it stands in is walked afterwards.
        if let Some(link) = next.take() {
            links += 1;
            if links > MAX_LINKS {
                return Ok(Err(Lead { violation: Violation::Cycle, at }));
            }
            match target(link) {
                Ok(target) => walks.push(Walk { target, next: 0 }),
                Err(violation) => return Ok(Err(Lead { violation, at })),
            }
        }
        let Some(walk) = walks.last_mut() else {
            let leaves = |at| Lead { violation: Violation::Escape, at };
            return Ok(leaves_by_name(folder, own).map(leaves).map_or(Ok(here), Err));
        };
        if walk.next > walk.target.len() {
            walks.pop();
            continue;
        }
        let start = walk.next;
        let rest = walk.target.get(start..).unwrap_or_default();
        let component = memchr::memchr(b'/', rest).and_then(|end| rest.get(..end)).unwrap_or(rest);
        walk.next = start + component.len() + 1;
        if walks.len() == 1 {
            at = start..start + component.len();
        }
        budget.spend(1 + (here.len() + component.len()) as u64 / 16)?;
        let name = Name::of(component);
        if name.is_empty() || name.is_here() {
            continue;
        }
        if name.is_parent() {
            if here.is_empty() {
                return Ok(Err(Lead { violation: Violation::Escape, at }));
            }
            let parent = memchr::memrchr(SEPARATOR, &here).unwrap_or(0);
            here.truncate(parent);
            continue;
        }
        if disguise::reads_as_git(component) {
            return Ok(Err(Lead { violation: Violation::LinkIntoGit, at }));
        }
        let parent = here.len();
        if parent > 0 {
            here.push(SEPARATOR);
        }
        canonical_into(component, SEPARATOR, &mut here);
        budget.spend(lookup * (1 + here.len() as u64 / 64))?;
        match tree.find(&here) {
            Some(entry) if entry.mode == Mode::Symlink => {
                here.truncate(parent);
                next = Some(entry);
            }
            Some(entry) if entry.mode == Mode::Submodule => {
                return Ok(Err(Lead { violation: Violation::LinkIntoSubmodule, at }));
            }
            _ => {}
        }
    }
}

/// Where a target leaves the repository when `..` takes back the name before it, as Windows and many a program have it, whatever that name leads to.
fn leaves_by_name(folder: &[u8], target: &[u8]) -> Option<Range<usize>> {
    let components = |path: &[u8]| {
        path.split(|byte| *byte == b'/')
            .map(<[u8]>::len)
            .scan(0, |next, len| {
                let start = *next;
                *next += len + 1;
                Some(start..start + len)
            })
            .collect::<Vec<_>>()
    };
    let mut depth = components(folder).into_iter().filter(|at| !at.is_empty()).count();
    for at in components(target) {
        let name = Name::of(&target[at.clone()]);
        if name.is_parent() {
            depth = match depth.checked_sub(1) {
                Some(depth) => depth,
                None => return Some(at),
            };
        } else if !name.is_empty() && !name.is_here() {
            depth += 1;
        }
    }
    None
}

/// The target of a symlink when it can be followed.
fn target<'a>(link: &Entry<'a>) -> Result<&'a [u8], Violation> {
    let target = link.target.ok_or(Violation::UnknownTarget)?;
    match target {
        [b'/', ..] => Err(Violation::AbsoluteTarget),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => Err(Violation::AbsoluteTarget),
        [] => Err(Violation::MalformedTarget),
        _ if target.len() > MAX_PATH_BYTES || target.iter().any(|byte| matches!(byte, 0 | b'\\')) => {
            Err(Violation::MalformedTarget)
        }
        _ => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a symlink leads in a tree of symlinks (`path -> target`), submodules (`path @`) and files.
    fn lead(tree: &[&str], link: &str) -> Option<(Violation, String)> {
        let entry = |line: &'static str| -> Entry<'static> {
            let (path, mode, target) = match line.split_once(" -> ") {
                Some((path, target)) => (path, Mode::Symlink, Some(target.as_bytes())),
                None => match line.strip_suffix(" @") {
                    Some(path) => (path, Mode::Submodule, None),
                    None => (line, Mode::File, None),
                },
            };
            Entry { mode, id: b"", path: path.as_bytes(), target }
        };
        let lines: Vec<&'static str> = tree.iter().map(|line| &*line.to_string().leak()).collect();
        let entries: Vec<_> = lines.into_iter().map(entry).collect();
        let tree = Tree::new(&entries).unwrap();
        let link = entries.iter().find(|entry| entry.path == link.as_bytes()).unwrap();
        let lead = follow(&tree, link, &mut Budget::default()).unwrap().err()?;
        Some((lead.violation, String::from_utf8_lossy(&link.target.unwrap_or_default()[lead.at]).into_owned()))
    }

    fn leads(tree: &[&str], link: &str, violation: Violation, by: &str) {
        assert_eq!(lead(tree, link), Some((violation, by.to_owned())), "{tree:?}");
    }

    #[test]
    fn links_within_the_tree_are_fine() {
        assert_eq!(lead(&["a/l -> ../b", "b"], "a/l"), None);
        assert_eq!(lead(&["a/l -> .", "b"], "a/l"), None);
        assert_eq!(lead(&["l -> nowhere/at/all"], "l"), None);
        assert_eq!(lead(&["l -> a/l", "a/l -> ../b/"], "l"), None);
        assert_eq!(lead(&["x/l -> ../a/../b"], "x/l"), None);
    }

    #[test]
    fn links_that_lead_out() {
        leads(&["l -> .."], "l", Violation::Escape, "..");
        leads(&["a/l -> ../../x"], "a/l", Violation::Escape, "..");
        leads(&["l -> a/../../x"], "l", Violation::Escape, "..");
        leads(&["l -> /etc/passwd"], "l", Violation::AbsoluteTarget, "/etc/passwd");
        leads(&["l -> C:/x"], "l", Violation::AbsoluteTarget, "C:/x");
        leads(&["l -> a\\..\\b"], "l", Violation::MalformedTarget, "a\\..\\b");
        leads(&["l -> ", "b"], "l", Violation::MalformedTarget, "");
        leads(&["l -> .. "], "l", Violation::Escape, ".. ");
    }

    #[test]
    fn a_parent_is_that_of_where_a_link_leads() {
        leads(&["a/b/l -> ../up/../../x", "a/up -> ../c"], "a/b/l", Violation::Escape, "..");
        assert_eq!(lead(&["l -> d/../x", "d -> a/b"], "l"), None);
        leads(&["l -> d/../x", "d -> ."], "l", Violation::Escape, "..");
        leads(&["l -> D/../x", "d -> ."], "l", Violation::Escape, "..");
        leads(&["d/l -> s/../../../x", "d/s -> e/f/g"], "d/l", Violation::Escape, "..");
        leads(&["l -> build/../../x", "Build -> d/e/f"], "l", Violation::Escape, "..");
        assert_eq!(lead(&["d/l -> s/../../x", "d/s -> e/f/g"], "d/l"), None);
    }

    #[test]
    fn links_through_others() {
        leads(&["l -> m/x", "m -> /etc"], "l", Violation::AbsoluteTarget, "m");
        leads(&["l -> l"], "l", Violation::Cycle, "l");
        leads(&["l -> m", "m -> l"], "l", Violation::Cycle, "m");
        leads(&["l -> s/x", "s @"], "l", Violation::LinkIntoSubmodule, "s");
        leads(&["l -> a/.GIT/config"], "l", Violation::LinkIntoGit, ".GIT");
    }

    #[test]
    fn forty_links_are_followed() {
        let chain =
            |links: usize| -> Vec<String> { (0..links).map(|link| format!("l{link} -> l{}", link + 1)).collect() };
        let lead_of = |links: usize| {
            let chain = chain(links);
            lead(&chain.iter().map(String::as_str).collect::<Vec<_>>(), "l0").map(|lead| lead.0)
        };
        assert_eq!(lead_of(40), None);
        assert_eq!(lead_of(41), Some(Violation::Cycle));
    }

    #[test]
    fn links_that_double_are_no_explosion() {
        let lines: Vec<String> = (0..60).map(|link| format!("l{link} -> l{}/../l{}", link + 1, link + 1)).collect();
        leads(&lines.iter().map(String::as_str).collect::<Vec<_>>(), "l0", Violation::Cycle, "l1");
    }

    #[test]
    fn work_is_bounded() {
        let target = "a/".repeat(2000);
        let entries = [Entry { mode: Mode::Symlink, id: b"", path: b"l", target: Some(target.as_bytes()) }];
        let tree = Tree::new(&entries).unwrap();
        assert_eq!(follow(&tree, &entries[0], &mut Budget::new(1000)), Err(Limit::Budget { units: 1000 }));
    }
}
