//! Redaction of a stream.

use millwright_core::secrets::{Detector, MAX_HELD_BYTES, Redactor};
use std::sync::Arc;

/// What comes out of a text in chunks of these sizes in turn. Nothing is held back for longer than is allowed.
pub fn redact(detector: &Arc<Detector>, text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut redactor = Redactor::new(Arc::clone(detector));
    let mut shown = Vec::new();
    let mut rest = text;
    for size in sizes.iter().cycle() {
        let (chunk, more) = rest.split_at((*size).min(rest.len()));
        redactor.push(chunk, &mut shown).unwrap();
        assert!(redactor.held() <= MAX_HELD_BYTES);
        rest = more;
        if rest.is_empty() {
            break;
        }
    }
    redactor.end(&mut shown).unwrap();
    assert_eq!(redactor.held(), 0);
    shown
}
