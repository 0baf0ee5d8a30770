use super::DefinitionKind::{Class, Constant, Function, Implementation, Interface, Macro, Method, Module, Test, Type};
use super::builder::{Builder, Rules};

#[derive(Default)]
pub(super) struct Rust {
    /// Whether the attributes since the last item make a function a test.
    is_test: bool,
}

impl Rules for Rust {
    fn visit(&mut self, builder: &mut Builder<'_>, at: usize) {
        let kind = match builder.text(at) {
            b"test" | b"rstest" | b"test_case" if is_attribute(builder, at) => {
                self.is_test = true;
                return;
            }
            b"fn" if core::mem::take(&mut self.is_test) => Test,
            b"fn" if matches!(builder.directly_in(), Some(Implementation | Interface)) => Method,
            b"fn" => Function,
            b"struct" | b"enum" => Class,
            b"union" if matches!(builder.text(at + 2), b"{" | b"<") => Class,
            b"trait" => Interface,
            b"type" => Type,
            b"mod" => Module,
            b"const" | b"static" if !matches!(builder.before(at), b"<" | b"," | b"*" | b"(") => Constant,
            b"impl" if !matches!(builder.before(at), b"," | b"(" | b">" | b":" | b"<" | b"&" | b"=" | b"+") => {
                if let Some(name) = implemented(builder, at) {
                    builder.define(Implementation, at, name);
                }
                return;
            }
            b"macro_rules" if builder.text(at + 1) == b"!" => {
                builder.define(Macro, at, at + 2);
                return;
            }
            _ => return,
        };
        let name = at + 1 + usize::from(kind == Constant && builder.text(at + 1) == b"mut");
        if !builder.is_word(name)
            || (kind == Constant && matches!(builder.text(name), b"fn" | b"unsafe" | b"extern" | b"async"))
        {
            return;
        }
        builder.define(kind, at, name);
    }
}

/// Whether the word ends the path of an attribute: `#[test]`, `#[tokio::test(…)]`.
fn is_attribute(builder: &Builder<'_>, at: usize) -> bool {
    if !matches!(builder.text(at + 1), b"]" | b"(") {
        return false;
    }
    let mut first = at;
    for _ in 0..4 {
        if builder.before(first) == b":" && first >= 3 {
            first -= 3;
        }
    }
    first >= 2 && builder.before(first) == b"[" && builder.text(first - 2) == b"#"
}

/// The name of the type in `impl<T> Trait<T> for Type<T> where …`, if it comes soon.
fn implemented(builder: &Builder<'_>, at: usize) -> Option<usize> {
    let mut name = None;
    let (mut angles, mut brackets) = (0_u32, 0_u32);
    for at in at + 1..at + 64 {
        match builder.text(at) {
            b"(" | b"[" => brackets += 1,
            // What is behind the end of the body around it is not its name.
            b")" | b"]" | b"}" => brackets = brackets.checked_sub(1)?,
            b"<" => angles += 1,
            b">" if builder.before(at) != b"-" => angles = angles.saturating_sub(1),
            b";" if brackets > 0 => {}
            b"{" | b";" | b"where" | b"" => return name,
            b"fn" | b"type" | b"struct" | b"enum" | b"trait" | b"mod" | b"const" | b"static" | b"impl"
            | b"macro_rules" => return None,
            b"for" | b"dyn" | b"mut" | b"unsafe" => {}
            text if angles == 0 && builder.is_word(at) && text.first() != Some(&b'\'') => name = Some(at),
            _ => {}
        }
    }
    None
}
