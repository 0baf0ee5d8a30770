use crate::exchange::{Failure, answer, seed};
use crate::patch::wrong;
use millwright_core::Budget;
use millwright_core::patch::{ParseOptions, Patch};
use millwright_core::weakening::{Confidence, File, Kind, Side, WeakeningError, check, check_patch};
use wasm_bindgen::prelude::*;

impl From<WeakeningError> for Failure {
    fn from(error: WeakeningError) -> Self {
        match error {
            WeakeningError::Limit(limit) => limit.into(),
            WeakeningError::FileTooLarge { file, .. } => Self::new("Size", error.to_string()).of(file as u32),
            _ => Self::new("Weakening", error.to_string()),
        }
    }
}

/// Checks whether a change weakens the tests.
///
/// Request: for each changed file its path, and its contents before and after, each if there are any. Answer: the number of findings, and of each the file, the side
/// (0 old, 1 new), the line, start, end, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
#[wasm_bindgen(js_name = checkWeakening)]
pub fn check_weakening() -> usize {
    answer(|request, writer| {
        let mut files = Vec::new();
        while !request.is_done() {
            files.push(File { path: request.bytes(), old: request.optional_bytes(), new: request.optional_bytes() });
        }
        let findings = check(&files, seed(), &mut Budget::default())?;
        writer.u32(findings.len() as u32);
        for finding in &findings {
            writer.u32(finding.file as u32);
            writer.bool(finding.side == Side::New);
            for number in [finding.line, finding.range.start, finding.range.end] {
                writer.u32(number);
            }
            writer.bytes(name(finding.kind).as_bytes())?;
            writer.u32(sureness(finding.confidence));
            writer.bytes(finding.message.as_bytes())?;
        }
        Ok(())
    })
}

/// Checks a patch alone.
///
/// Request: whether lenient, folders to strip, the patch. Answer: the number of findings, and of each the file and the hunk, where its line is in the patch, the side (0 old, 1
/// new), the line, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
#[wasm_bindgen(js_name = checkPatchWeakening)]
pub fn check_patch_weakening() -> usize {
    answer(|request, writer| {
        let options = ParseOptions { lenient: request.bool(), strip: request.u32() };
        let patch = Patch::parse(request.bytes(), &options).map_err(|error| wrong(&error))?;
        let findings = check_patch(&patch, seed(), &mut Budget::default())?;
        writer.u32(findings.len() as u32);
        for finding in &findings {
            for number in [finding.file, finding.hunk, finding.offset] {
                writer.u32(number as u32);
            }
            writer.bool(finding.side == Side::New);
            writer.u32(finding.line);
            writer.bytes(name(finding.kind).as_bytes())?;
            writer.u32(sureness(finding.confidence));
            writer.bytes(finding.message.as_bytes())?;
        }
        Ok(())
    })
}

const fn sureness(confidence: Confidence) -> u32 {
    match confidence {
        Confidence::Low => 0,
        Confidence::Medium => 1,
        Confidence::High => 2,
    }
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::TestFileDeleted => "testFileDeleted",
        Kind::TestDeleted => "testDeleted",
        Kind::TestSkipped => "testSkipped",
        Kind::TestFocused => "testFocused",
        Kind::AssertionRemoved => "assertionRemoved",
        Kind::ExpectationLoosened => "expectationLoosened",
        Kind::GateLowered => "gateLowered",
        _ => "other",
    }
}
