use super::DefinitionKind::{Class, Constant, Function, Method, Test};
use super::builder::Builder;

/// Reads a language whose blocks are made by indentation: depth is the column plus one here, as `close` compares depths only.
pub(super) fn read(builder: &mut Builder<'_>) {
    let mut brackets = 0_u32;
    for at in 0..builder.len() {
        match builder.text(at) {
            b"(" | b"[" | b"{" => brackets = brackets.saturating_add(1),
            b")" | b"]" | b"}" => brackets = brackets.saturating_sub(1),
            _ if brackets > 0 || builder.before(at) == b"\\" => {}
            word => {
                let Some(column) = builder.column_if_first(at) else { continue };
                let end = at.checked_sub(1).map_or(0, |before| builder.end(before));
                builder.close(column, end);
                statement(builder, word, at, column);
            }
        }
    }
}

fn statement(builder: &mut Builder<'_>, word: &[u8], at: usize, column: u32) {
    let name = match word {
        b"async" if builder.text(at + 1) == b"def" => at + 2,
        b"def" | b"class" => at + 1,
        _ => {
            if column == 0 && builder.is_word(at) && builder.text(at + 1) == b"=" && builder.text(at + 2) != b"=" {
                builder.define(Constant, at, at);
            }
            return;
        }
    };
    // A name in the next line may be behind the end of the body around it.
    if !builder.is_word(name) || builder.column_if_first(name).is_some() {
        return;
    }
    let kind = if word == b"class" {
        Class
    } else if builder.text(name).starts_with(b"test_") {
        Test
    } else if builder.innermost() == Some(Class) {
        Method
    } else {
        Function
    };
    builder.define(kind, at, name);
    builder.open_last(column);
}
