//! Finding secrets in text, and taking them out of streams.
//!
//! [`Rules`] are a data file: for each provider keywords, a shape around them, a validator and a minimal entropy. A [`Detector`] is rules compiled together with the
//! secrets that are known. It scans whole texts into [`Finding`]s, and a [`Redactor`] puts `***` for secrets in a stream, however the stream is cut.
//!
//! ```
//! use millwright_core::{Budget, secrets::{Detector, Rules, ScanOptions, Severity}};
//! let detector = Detector::new(Rules::built_in()?, &[]);
//! let text = b"[db]\nurl = postgres://ada:cu7-Vx1q@db.internal/main\n";
//! let findings = detector.scan(text, &ScanOptions::default(), &mut Budget::default())?;
//! assert_eq!(findings.len(), 1);
//! assert_eq!((findings[0].rule, findings[0].severity), ("url-password", Severity::High));
//! assert_eq!((findings[0].line, findings[0].column), (2, 22));
//! assert_eq!(findings[0].preview, "://…***");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod allow;
mod candidate;
mod checksum;
mod class;
mod detector;
mod encode;
mod entropy;
mod mask;
mod pem;
mod prefilter;
mod redactor;
mod rules;
mod scan;
mod shape;
mod validate;

pub use detector::{Detector, KNOWN_SECRET};
pub use redactor::Redactor;
pub use rules::{RuleError, RuleErrorKind, RuleInfo, Rules, Severity};
pub use scan::{Finding, ScanOptions};

/// The most bytes that a [`Redactor`] keeps to itself until it knows whether they are secret. No secret is longer until it is decided.
pub const MAX_HELD_BYTES: usize = 16 * 1024;
