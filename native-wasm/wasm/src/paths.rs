use crate::exchange::{Failure, answer};
use crate::frame::Reader;
use millwright_core::Budget;
use millwright_core::paths::{
    Class, Entry, Policy, PolicyError, PolicyRules, Verdict, Violation, Violations, judge, parse_listing,
};
use wasm_bindgen::prelude::*;

/// Judges the change from one tree to another.
///
/// Request: the two listings as `git ls-tree -r -z` writes them, each followed by the number of symlinks and for each its path and its target; then lists of byte strings, each
/// after its length: globs that allow, globs that deny, classes with a verdict each (0 allow, 1 report, 2 deny), tolerated violations. Answer: the number of
/// changed paths, and of each the path, its canonical form, what happened (0 added, 1 modified, 2 deleted, 3 affected), the classes by name; the number of findings, and of
/// each the index of its path, the violation by name, a sentence.
#[wasm_bindgen(js_name = judgePaths)]
pub fn judge_paths() -> usize {
    answer(|request, writer| {
        let before = listing(request)?;
        let after = listing(request)?;
        let (allow, deny) = (strings(request), strings(request));
        let mut classes = Vec::new();
        for _ in 0..request.u32() {
            let name = request.bytes();
            let verdict = match request.u32() {
                0 => Verdict::Allow,
                1 => Verdict::Report,
                _ => Verdict::Deny,
            };
            let class = Class::ALL.into_iter().find(|class| class.name().as_bytes() == name);
            classes.push((class.ok_or_else(|| unknown("class", name, &Class::ALL.map(Class::name)))?, verdict));
        }
        let mut tolerated = Violations::NONE;
        for name in strings(request) {
            let violation = Violation::all().find(|violation| violation.name().as_bytes() == name);
            let known = || Violations::TOLERABLE.iter().map(Violation::name).collect::<Vec<_>>();
            tolerated.insert(violation.ok_or_else(|| unknown("violation", name, &known()))?);
        }
        let rules = PolicyRules { allow: &allow, deny: &deny, classes: &classes, tolerated };
        let policy = Policy::new(&rules).map_err(|error| refused(&error))?;
        let report = judge(&before, &after, &policy, &mut Budget::default())?;
        writer.u32(report.paths().len() as u32);
        for touched in report.paths() {
            writer.bytes(touched.path)?;
            writer.bytes(report.canonical(touched))?;
            writer.u32(touched.change as u32);
            let names: Vec<_> = touched.classes.iter().map(Class::name).collect();
            writer.bytes(names.join(",").as_bytes())?;
        }
        writer.u32(report.findings().len() as u32);
        for finding in report.findings() {
            writer.u32(finding.path);
            writer.bytes(finding.violation.name().as_bytes())?;
            writer.bytes(report.message(finding).to_string().as_bytes())?;
        }
        Ok(())
    })
}

fn listing<'a>(request: &mut Reader<'a>) -> Result<Vec<Entry<'a>>, Failure> {
    let mut entries = parse_listing(request.bytes()).map_err(|error| Failure {
        offset: Some(error.offset),
        item: Some(error.record),
        ..Failure::new("Listing", error.to_string())
    })?;
    let mut targets: Vec<_> = (0..request.u32()).map(|_| (request.bytes(), request.bytes())).collect();
    targets.sort_unstable();
    for entry in &mut entries {
        let found = targets.binary_search_by(|(path, _)| (*path).cmp(entry.path));
        entry.target = found.ok().and_then(|at| targets.get(at)).map(|(_, target)| *target);
    }
    Ok(entries)
}

fn strings<'a>(request: &mut Reader<'a>) -> Vec<&'a [u8]> {
    (0..request.u32()).map(|_| request.bytes()).collect()
}

fn refused(error: &PolicyError) -> Failure {
    let code = if matches!(error, PolicyError::Intolerable(_)) { "Intolerable" } else { "Glob" };
    Failure::new(code, error.to_string())
}

fn unknown(what: &str, name: &[u8], known: &[&str]) -> Failure {
    let name = String::from_utf8_lossy(name);
    Failure::new("Policy", format!("there is no {what} {name:?}: use one of {}", known.join(", ")))
}
