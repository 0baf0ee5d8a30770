use crate::exchange::{Failure, answer};
use crate::handles::Handles;
use millwright_core::Budget;
use millwright_core::secrets::{Detector, Redactor, Rules, ScanOptions, Severity};
use std::cell::OnceCell;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

thread_local! {
    /// The rules without known secrets, compiled when they are needed first.
    static DETECTOR: OnceCell<Arc<Detector>> = const { OnceCell::new() };
    static REDACTORS: Handles<Redactor> = const { Handles::new() };
}

fn rules() -> Result<Rules, Failure> {
    Rules::built_in().map_err(|error| Failure::new("Rules", error.to_string()))
}

fn detector() -> Result<Arc<Detector>, Failure> {
    DETECTOR.with(|known| {
        if let Some(detector) = known.get() {
            return Ok(Arc::clone(detector));
        }
        let detector = Arc::new(Detector::new(rules()?, &[]));
        Ok(Arc::clone(known.get_or_init(|| detector)))
    })
}

/// Finds the secrets of texts.
///
/// Request: whether comments may allow secrets; for each text its path and its bytes. Answer: for each text the number of findings, and of each the rule,
/// a preview, the severity (0 suspect, 1 medium, 2 high), start, end, line and column.
#[wasm_bindgen(js_name = scanSecrets)]
pub fn scan_secrets() -> usize {
    answer(|request, writer| {
        let allow_comments = request.bool();
        let detector = detector()?;
        let mut item = 0;
        while !request.is_done() {
            let path = request.bytes();
            let text = request.bytes();
            let options = ScanOptions { path, allow_comments };
            let findings =
                detector.scan(text, &options, &mut Budget::default()).map_err(|limit| Failure::from(limit).of(item))?;
            item += 1;
            writer.u32(findings.len() as u32);
            for finding in &findings {
                writer.bytes(finding.rule.as_bytes())?;
                writer.bytes(finding.preview.as_bytes())?;
                writer.u32(match finding.severity {
                    Severity::Suspect => 0,
                    Severity::Medium => 1,
                    Severity::High => 2,
                });
                for number in [finding.range.start, finding.range.end, finding.line, finding.column] {
                    writer.u32(number);
                }
            }
        }
        Ok(())
    })
}

/// Makes a redactor. Request: the known secrets. Answer: its number.
#[wasm_bindgen(js_name = createRedactor)]
pub fn create_redactor() -> usize {
    answer(|request, writer| {
        let mut known = Vec::new();
        while !request.is_done() {
            known.push(request.bytes());
        }
        let detector = if known.is_empty() { detector()? } else { Arc::new(Detector::new(rules()?, &known)) };
        writer.u32(REDACTORS.with(|redactors| redactors.add(Redactor::new(detector))));
        Ok(())
    })
}

/// Passes a chunk of a stream through a redactor. Request: its number, whether the stream ends with the chunk, the chunk. Answer: what can be shown.
#[wasm_bindgen]
pub fn redact() -> usize {
    answer(|request, writer| {
        let (number, ends) = (request.u32(), request.bool());
        let chunk = request.bytes();
        REDACTORS.with(|redactors| {
            redactors.with(number, |redactor| {
                writer.with_bytes(|shown| {
                    redactor.push(chunk, shown)?;
                    if ends { redactor.end(shown) } else { Ok(()) }
                })?;
                Ok(())
            })
        })
    })
}

/// Lets go of a redactor.
#[wasm_bindgen(js_name = disposeRedactor)]
pub fn dispose_redactor(number: u32) {
    REDACTORS.with(|redactors| redactors.remove(number));
}
