//! Finds tests, groups of tests and helpers in the tokens of each language.

mod go;
mod java;
mod python;
mod rust;
mod script;

use super::paths::is_rust_test_folder;
use super::scope::{Scope, ScopeKind, nest, normal_name};
use super::source::Source;
use crate::Limit;
use crate::lex::Language;
use crate::outline::{Definition, DefinitionKind, outline};
use core::ops::Range;

/// Finds the scopes of a source, from the outside in; the first is the whole text.
pub(super) fn find(source: &Source<'_>) -> Result<Vec<Scope>, Limit> {
    let definitions = outline(source.language, source.bytes)?;
    let mut scopes: Vec<Scope> =
        definitions.iter().filter_map(|definition| defined(source, &definitions, definition)).collect();
    match source.language {
        Language::Go => go::add_calls(source, &mut scopes),
        Language::JavaScript | Language::TypeScript | Language::Tsx => script::add_calls(source, &mut scopes),
        _ => {}
    }
    nest(&mut scopes, source.len());
    if source.language == Language::Python {
        python::mark_file(source, &mut scopes);
    }
    if source.language == Language::Rust {
        rust::drop_product(&mut scopes, is_rust_test_folder(source.path) || source.partial);
    }
    Ok(scopes)
}

fn defined(source: &Source<'_>, all: &[Definition], definition: &Definition) -> Option<Scope> {
    let name = token_at(source, definition.name.start);
    let whole = token_at(source, definition.range.start)..token_at(source, definition.range.end);
    let parent = definition.parent.and_then(|at| all.get(at as usize)).map(|parent| parent.kind);
    let kind = kind_of(source, definition.kind, parent, source.text(name))?;
    if source.language.is_script() && kind == ScopeKind::Test {
        return None;
    }
    let body = body_of(source, &whole, name);
    let mut scope = Scope::new(kind, normal_name(source, name), whole, body, name);
    match source.language {
        Language::Python => python::decorate(source, &mut scope),
        Language::Rust => rust::decorate(source, &mut scope),
        Language::Java => java::decorate(source, &mut scope),
        _ => {}
    }
    Some(scope)
}

fn kind_of(
    source: &Source<'_>,
    kind: DefinitionKind,
    parent: Option<DefinitionKind>,
    name: &[u8],
) -> Option<ScopeKind> {
    let in_class = parent == Some(DefinitionKind::Class);
    Some(match kind {
        // What Go runs only to measure or to show is no test.
        DefinitionKind::Test if source.language == Language::Go && name.starts_with(b"Benchmark") => ScopeKind::Helper,
        DefinitionKind::Test => ScopeKind::Test,
        DefinitionKind::Method if source.language == Language::Python && name.starts_with(b"test") && in_class => {
            ScopeKind::Test
        }
        DefinitionKind::Method if source.language == Language::Go && is_go_test(name) => ScopeKind::Test,
        DefinitionKind::Method if source.language == Language::Java && is_old_test(name) => ScopeKind::Test,
        DefinitionKind::Function
            if source.language == Language::Python && name.starts_with(b"test") && parent.is_none() =>
        {
            ScopeKind::Test
        }
        DefinitionKind::Function | DefinitionKind::Method => ScopeKind::Helper,
        DefinitionKind::Class if matches!(source.language, Language::Python | Language::Java) => ScopeKind::Suite,
        DefinitionKind::Module if source.language == Language::Rust => ScopeKind::Suite,
        _ => return None,
    })
}

/// A method of a suite of testify.
fn is_go_test(name: &[u8]) -> bool {
    name.strip_prefix(b"Test").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_uppercase))
}

/// A test of JUnit 3, which has no annotation.
fn is_old_test(name: &[u8]) -> bool {
    name.strip_prefix(b"test").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_uppercase))
}

fn token_at(source: &Source<'_>, offset: u32) -> usize {
    source.tokens.partition_point(|token| token.start < offset)
}

fn body_of(source: &Source<'_>, whole: &Range<usize>, name: usize) -> Range<usize> {
    if source.language == Language::Python {
        let mut at = name + 1;
        while at < whole.end && !source.is(at, b":") {
            at = if matches!(source.text(at), b"(" | b"[") { source.mate(at) + 1 } else { at + 1 };
        }
        return (at + 1).min(whole.end)..whole.end;
    }
    let last = whole.end.saturating_sub(1);
    match source.opener(last) {
        Some(open) if source.is(last, b"}") => open + 1..last,
        // A fragment may end before its body does.
        _ => (name + 1).min(whole.end)..whole.end,
    }
}
