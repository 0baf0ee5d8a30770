use super::DefinitionKind::{Class, Interface, Method, Test};
use super::builder::{Builder, Rules};

#[derive(Default)]
pub(super) struct Java {
    /// Whether the annotations since the last method make the next one a test.
    is_test: bool,
}

impl Rules for Java {
    fn visit(&mut self, builder: &mut Builder<'_>, at: usize) {
        let text = builder.text(at);
        let before = builder.before(at);
        match text {
            b"class" | b"enum" if before != b"." && builder.is_word(at + 1) => builder.define(Class, at, at + 1),
            b"record" if builder.is_word(at + 1) && matches!(builder.text(at + 2), b"(" | b"<") => {
                builder.define(Class, at, at + 1);
            }
            b"interface" if builder.is_word(at + 1) => builder.define(Interface, at, at + 1),
            b"Test" | b"ParameterizedTest" | b"RepeatedTest" | b"TestFactory" | b"TestTemplate" if before == b"@" => {
                self.is_test = true;
            }
            _ if builder.text(at + 1) == b"(" && matches!(builder.directly_in(), Some(Class | Interface)) => {
                let after_type = matches!(before, b">" | b"]")
                    || (at > 0
                        && builder.is_word(at - 1)
                        && !matches!(before, b"new" | b"return" | b"throw" | b"record"));
                if before != b"@" && before != b"." && (after_type || text == builder.inner_name()) {
                    let kind = if core::mem::take(&mut self.is_test) { Test } else { Method };
                    builder.define(kind, at, at);
                }
            }
            _ => {}
        }
    }
}
