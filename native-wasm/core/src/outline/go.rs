use super::DefinitionKind::{self, Class, Constant, Function, Interface, Method, Test, Type};
use super::builder::{Builder, Rules};

#[derive(Default)]
pub(super) struct Go {
    /// What `const (`, `var (` or `type (` declares, until its bracket closes.
    group: Option<&'static [u8]>,
}

impl Rules for Go {
    fn visit(&mut self, builder: &mut Builder<'_>, at: usize) {
        match builder.depth {
            0 => {
                self.group = None;
                match builder.text(at) {
                    b"func" => function(builder, at),
                    b"type" => self.declare(builder, b"type", at),
                    b"const" | b"var" => self.declare(builder, b"const", at),
                    _ => {}
                }
            }
            1 => {
                if let Some(what) = self.group
                    && builder.is_word(at)
                    && builder.column_if_first(at).is_some()
                {
                    declaration(builder, what, at, at);
                }
            }
            _ => {}
        }
    }
}

impl Go {
    fn declare(&mut self, builder: &mut Builder<'_>, what: &'static [u8], at: usize) {
        if builder.text(at + 1) == b"(" {
            self.group = Some(what);
        } else if builder.is_word(at + 1) {
            declaration(builder, what, at, at + 1);
        }
    }
}

fn declaration(builder: &mut Builder<'_>, what: &[u8], first: usize, name: usize) {
    builder.define(if what == b"type" { type_kind(builder, name + 1) } else { Constant }, first, name);
}

fn type_kind(builder: &Builder<'_>, mut at: usize) -> DefinitionKind {
    if builder.text(at) == b"[" {
        // Type parameters; where there are more, it counts as another name.
        at = (at..at + 32).find(|at| builder.text(*at) == b"]").map_or(at, |at| at + 1);
    }
    match builder.text(at) {
        b"struct" => Class,
        b"interface" => Interface,
        _ => Type,
    }
}

fn function(builder: &mut Builder<'_>, at: usize) {
    if builder.is_word(at + 1) {
        let name = builder.text(at + 1);
        let is_test = [&b"Test"[..], b"Fuzz", b"Benchmark", b"Example"].iter().any(|prefix| {
            name.strip_prefix(*prefix).is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_lowercase))
        });
        builder.define(if is_test { Test } else { Function }, at, at + 1);
    } else if builder.text(at + 1) == b"(" {
        // The receiver has few tokens.
        if let Some(close) = (at + 2..at + 24).find(|at| builder.text(*at) == b")")
            && builder.is_word(close + 1)
        {
            builder.define(Method, at, close + 1);
        }
    }
}
