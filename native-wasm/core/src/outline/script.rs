use super::DefinitionKind::{Class, Constant, Function, Interface, Method, Module, Test, Type};
use super::builder::{Builder, Rules};
use crate::lex::TokenKind;

pub(super) struct Script;

impl Rules for Script {
    fn visit(&mut self, builder: &mut Builder<'_>, at: usize) {
        if builder.kind(at) != Some(TokenKind::Word) {
            return;
        }
        let before = builder.before(at);
        if before == b"." {
            return;
        }
        match builder.text(at) {
            b"function" => {
                let name = at + 1 + usize::from(builder.text(at + 1) == b"*");
                if builder.is_word(name) {
                    builder.define(Function, at, name);
                } else {
                    builder.turn_pending(Constant, Function);
                }
            }
            b"class" | b"enum" if is_name(builder, at + 1) => builder.define(Class, at, at + 1),
            b"interface" if is_name(builder, at + 1) => builder.define(Interface, at, at + 1),
            b"type" if is_name(builder, at + 1) && matches!(builder.text(at + 2), b"=" | b"<") => {
                builder.define(Type, at, at + 1);
            }
            b"namespace" | b"module" if is_name(builder, at + 1) && builder.text(at + 2) == b"{" => {
                builder.define(Module, at, at + 1);
            }
            b"const" | b"let" | b"var"
                if builder.is_word(at + 1) && (builder.depth == 0 || builder.directly_in() == Some(Module)) =>
            {
                constant(builder, at);
            }
            b"it" | b"test" | b"describe" | b"suite" | b"fit" | b"xit" | b"fdescribe" | b"xdescribe" | b"context" => {
                test(builder, at);
            }
            _ if builder.directly_in() == Some(Class) && matches!(builder.text(at + 1), b"(" | b"<") => {
                let begins = matches!(
                    before,
                    b"{" | b"}"
                        | b";"
                        | b"*"
                        | b"#"
                        | b")"
                        | b"async"
                        | b"static"
                        | b"get"
                        | b"set"
                        | b"public"
                        | b"private"
                        | b"protected"
                        | b"override"
                        | b"abstract"
                );
                if begins {
                    builder.define(Method, at, at);
                }
            }
            _ => {}
        }
    }
}

fn is_name(builder: &Builder<'_>, at: usize) -> bool {
    builder.is_word(at) && !matches!(builder.text(at), b"extends" | b"implements")
}

/// A variable is a function when an arrow comes before anything else could.
fn constant(builder: &mut Builder<'_>, at: usize) {
    builder.define(Constant, at, at + 1);
    if builder.text(at + 2) != b"=" {
        return;
    }
    let first = at + 3 + usize::from(builder.text(at + 3) == b"async");
    let arrow = match builder.text(first) {
        b"function" => return builder.turn_pending(Constant, Function),
        b"(" => {
            let mut depth = 0_i32;
            let close = (first..first + 256).find(|at| {
                match builder.text(*at) {
                    b"(" => depth += 1,
                    b")" => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let Some(close) = close else { return };
            if builder.text(close + 1) == b":" {
                // The type of the result is some tokens long.
                (close + 2..close + 32).find(|at| builder.text(*at) == b"=" && builder.text(at + 1) == b">")
            } else {
                Some(close + 1)
            }
        }
        _ if builder.is_word(first) => Some(first + 1),
        _ => None,
    };
    if arrow.is_some_and(|at| builder.text(at) == b"=" && builder.text(at + 1) == b">") {
        builder.turn_pending(Constant, Function);
    }
}

/// `it('name', …)`, `describe.skip('name', …)`, `test.each(…)('name', …)`.
fn test(builder: &mut Builder<'_>, at: usize) {
    let mut next = at + 1;
    while builder.text(next) == b"." && builder.is_word(next + 1) && next < at + 8 {
        next += 2;
    }
    if builder.text(next) == b"(" && builder.kind(next + 1) == Some(TokenKind::String) {
        builder.define(Test, at, next + 1);
        builder.open_call();
    }
}
