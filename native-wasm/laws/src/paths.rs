use crate::Input;
use millwright_core::glob::{Case, Glob, Globs};
use millwright_core::ignore::Ignore;
use millwright_core::paths::{
    Change, Entry, Fault, Mode, Policy, PolicyRules, Report, Violations, canonical, check, judge, parse_listing,
};
use millwright_core::{Budget, Limit};

/// Two listings of trees, globs and rules to ignore: what is read is written as it was, faults name bytes that are there, a path without faults cannot be
/// taken for another file on any system, the order of entries, the policy's other rules and what was asked before do not matter.
///
/// Input: budget, symlinks to be left without a target; a listing, another, a glob that is allowed and one that is denied, rules to ignore and their folder,
/// and targets for symlinks.
pub fn paths(input: &[u8]) {
    let mut input = Input::new(input);
    let tight = input.tight_budget();
    let unknown = input.flag();
    let (before, after) = (input.text(), input.text());
    let (allow, deny) = (input.text(), input.text());
    let (rules, folder) = (input.text(), input.text());
    let targets = input.rest(4);
    let (Some(mut before), Some(mut after)) = (listing(before), listing(after)) else { return };
    for entry in before.iter_mut().chain(&mut after).filter(|entry| entry.mode == Mode::Symlink && !unknown) {
        entry.target = targets.get(entry.path.len() % targets.len().max(1)).copied().or(Some(b""));
    }
    for entry in &after {
        name(entry);
    }
    let paths: Vec<&[u8]> = after.iter().map(|entry| entry.path).collect();
    globs(&[allow, deny], &paths);
    ignored(rules, folder, &paths, &tight);
    let lists =
        [vec![allow], vec![deny]].map(|list| list.into_iter().filter(|glob| !glob.is_empty()).collect::<Vec<_>>());
    let rules = PolicyRules { allow: &lists[0], deny: &lists[1], ..PolicyRules::default() };
    fence(&before, &after, &rules, tight);
}

/// Reads a listing: an error names a record of it, and what was read is all of it.
fn listing(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    match parse_listing(bytes) {
        Ok(entries) => {
            let records: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == 0).collect();
            assert_eq!(entries.len(), records.len());
            for (entry, record) in entries.iter().zip(records) {
                let path = record.strip_suffix(b"\0").expect("a whole record");
                assert!(path.ends_with(entry.path) && path[..path.len() - entry.path.len()].ends_with(b"\t"));
            }
            Some(entries)
        }
        Err(error) => {
            assert!(error.offset < bytes.len() as u64 && !error.to_string().is_empty());
            let before = bytes[..error.offset as usize].iter().filter(|byte| **byte == 0).count();
            assert_eq!(error.record as usize, before);
            None
        }
    }
}

fn name(entry: &Entry) {
    let path = entry.path;
    let faults = check(path, entry.mode);
    for Fault { violation, at } in &faults {
        assert!(at.start <= at.end && at.end <= path.len(), "{violation:?} at {at:?}");
    }
    let folded = canonical(path);
    assert_eq!(canonical(&folded), folded);
    if !faults.is_empty() {
        return;
    }
    // By means as plain as can be: what no path may be.
    for component in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        let lower = component.to_ascii_lowercase();
        let bare = lower.strip_suffix(b".").unwrap_or(&lower);
        assert!(
            !matches!(bare, b"" | b"." | b".." | b".git" | b"git~1" | b"con" | b"nul"),
            "{:?}",
            path.escape_ascii().to_string()
        );
        assert!(!component.iter().any(|byte| byte.is_ascii_control() || *byte == b':'));
        assert!(component.len() <= 255);
    }
    assert!(!folded.starts_with(b"../") && !folded.starts_with(b"/"));
    assert_eq!(folded.split(|byte| *byte == b'/').count(), path.split(|byte| *byte == b'/').count());
}

fn globs(patterns: &[&[u8]], paths: &[&[u8]]) {
    let compiled: Vec<_> = patterns.iter().map(|pattern| Glob::compile(pattern, Case::Sensitive)).collect();
    for (pattern, glob) in patterns.iter().zip(&compiled) {
        let folded = Glob::compile(pattern, Case::Insensitive);
        let Ok(glob) = glob else {
            let error = glob.as_ref().expect_err("no glob");
            assert!(error.offset as usize <= pattern.len() && !error.to_string().is_empty());
            assert!(folded.is_err());
            continue;
        };
        let folded = folded.expect("case is no matter of syntax");
        for path in paths {
            // A class that is negated may match one case only.
            if glob.is_match(path) && !pattern.contains(&b'[') {
                assert!(folded.is_match(path) && folded.is_match(&path.to_ascii_uppercase()));
            }
        }
    }
    for path in paths.iter().filter(|path| is_plain(path)) {
        let escaped: Vec<u8> = path.iter().flat_map(|byte| [b'\\', *byte]).filter(|byte| *byte != b'/').collect();
        let escaped = if path.contains(&b'/') { path.to_vec() } else { escaped };
        if !path.iter().any(|byte| b"*?[]{}\\,!".contains(byte)) {
            assert!(Glob::compile(&escaped, Case::Sensitive).expect("a path").is_match(path));
        }
    }
    let negated = patterns.iter().map(|pattern| [b"!", *pattern].concat()).collect::<Vec<_>>();
    let list: Vec<&[u8]> = patterns.iter().copied().chain(negated.last().map(Vec::as_slice)).collect();
    if let (Ok(list), [Ok(first), Ok(last)]) = (Globs::compile(&list, Case::Sensitive), &compiled[..])
        && !patterns.iter().any(|pattern| pattern.starts_with(b"!"))
    {
        for path in paths {
            assert_eq!(list.is_match(path), first.is_match(path) && !last.is_match(path));
        }
    }
}

/// Whether the bytes of a path are components with a name, so that a glob can be written for it.
fn is_plain(path: &[u8]) -> bool {
    path.len() <= 1000 && path.split(|byte| *byte == b'/').all(|component| !matches!(component, b"" | b"." | b".."))
}

/// What was asked before does not matter, and what is in an ignored folder is ignored.
fn ignored(rules: &[u8], folder: &[u8], paths: &[&[u8]], tight: &Budget) {
    let ignore = Ignore::new(&[(b"", rules), (folder, rules)]).expect("memory");
    let (mut shared, mut hasty) = (ignore.cursor(), tight.clone());
    for path in paths.iter().chain(paths.iter().rev()) {
        let fresh = ignore.cursor().matched(path, false, &mut Input::ample_budget());
        let _ = shared.matched(path, true, &mut hasty);
        assert_eq!(shared.matched(path, false, &mut Input::ample_budget()), fresh);
        let Ok(found) = fresh else { panic!("an ample budget") };
        if let Some(found) = found {
            assert!(found.file < 2 && found.line >= 1);
        }
        let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        if slash > 0
            && !path.starts_with(b"/")
            && shared.is_ignored(&path[..slash], true, &mut Input::ample_budget()) == Ok(true)
        {
            assert!(found.is_some_and(|found| !found.negated));
        }
    }
}

fn fence(before: &[Entry], after: &[Entry], rules: &PolicyRules, mut tight: Budget) {
    let Ok(policy) = Policy::new(rules) else { return };
    let report = judge(before, after, &policy, &mut Input::ample_budget()).expect("an ample budget");
    consistent(&report, before, after, rules);
    let same = judge(after, after, &policy, &mut Input::ample_budget()).expect("an ample budget");
    assert!(same.paths().is_empty() && same.is_clean(), "no change");
    match judge(before, after, &policy, &mut tight) {
        Ok(hasty) => assert_eq!(described(&hasty), described(&report), "the budget matters"),
        Err(error) => assert!(matches!(error, Limit::Budget { .. })),
    }
    let is_set = |entries: &[Entry]| {
        let mut paths: Vec<_> = entries.iter().map(|entry| entry.path).collect();
        paths.sort_unstable();
        paths.windows(2).all(|pair| pair[0] != pair[1])
    };
    if is_set(before) && is_set(after) {
        let [old, new]: [Vec<Entry>; 2] = [before, after].map(|entries| entries.iter().rev().copied().collect());
        let other = judge(&old, &new, &policy, &mut Input::ample_budget()).expect("an ample budget");
        assert_eq!(described(&other), described(&report), "the order matters");
    }
}

/// A report without the places in the listings.
fn described(report: &Report) -> Vec<(Vec<u8>, Change, u32, u16)> {
    let touched = report.paths().iter();
    touched.map(|path| (path.path.to_vec(), path.change, path.violations.bits(), path.classes.bits())).collect()
}

fn consistent(report: &Report, before: &[Entry], after: &[Entry], rules: &PolicyRules) {
    assert!(report.paths().is_sorted_by(|one, other| one.path <= other.path));
    assert_eq!(report.is_clean(), report.findings().is_empty());
    assert!(report.findings().is_sorted_by_key(|finding| finding.path));
    for (number, touched) in report.paths().iter().enumerate() {
        assert_eq!(report.canonical(touched), canonical(touched.path));
        let known = |entries: &[Entry]| entries.iter().any(|entry| entry.path == touched.path);
        assert_eq!(touched.before.is_some(), touched.change != Change::Added);
        assert_eq!(touched.after.is_some(), touched.change != Change::Deleted);
        assert!(touched.before.is_none() || known(before));
        assert!(touched.after.is_none() || known(after));
        let mut violations = Violations::NONE;
        for finding in report.findings_of(touched) {
            assert_eq!(finding.path as usize, number);
            violations.insert(finding.violation);
            assert!(finding.at.start <= finding.at.end, "{finding:?}");
            let globs = rules.allow.len().max(rules.deny.len()) as u32;
            assert!(finding.rule.is_none_or(|rule| rule < globs), "{finding:?}");
            assert!(!report.message(finding).to_string().is_empty());
        }
        assert_eq!(violations, touched.violations);
        // Each fault of the name of a new path is told.
        if let (Change::Added, Some(mode)) = (touched.change, touched.after) {
            for fault in check(touched.path, mode) {
                assert!(violations.contains(fault.violation), "{fault:?} is not in {violations:?}");
            }
        }
    }
}
