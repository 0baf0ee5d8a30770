use crate::exchange::{Failure, answer};
use crate::frame::Writer;
use millwright_core::Limit;
use millwright_core::lex::Language;
use millwright_core::outline::{Definition, DefinitionKind, outline};
use wasm_bindgen::prelude::*;

/// Lists what texts define.
///
/// Request: for each text its path, which says the language, and its contents. Answer: for each text whether its language is known; if so the number
/// of its definitions, and of each its name, its kind (0 function, 1 method, 2 class, 3 interface, 4 implementation, 5 type, 6 module, 7 constant, 8 macro, 9 test),
/// line, last line, start and end of the name, start and end of the whole, the place of the definition around it in the list plus one (0: there is none).
#[wasm_bindgen(js_name = outlineTexts)]
pub fn outline_texts() -> usize {
    answer(|request, writer| {
        let mut item = 0;
        while !request.is_done() {
            let (path, contents) = (request.bytes(), request.bytes());
            let language = Language::of_path(path);
            writer.bool(language.is_some());
            if let Some(language) = language {
                let definitions = outline(language, contents).map_err(|limit| Failure::from(limit).of(item))?;
                write_outline(writer, contents, &definitions)?;
            }
            item += 1;
        }
        Ok(())
    })
}

/// Writes the definitions of a text behind their number.
pub fn write_outline(writer: &mut Writer, contents: &[u8], definitions: &[Definition]) -> Result<(), Limit> {
    writer.u32(definitions.len() as u32);
    for definition in definitions {
        let name = contents.get(definition.name.start as usize..definition.name.end as usize);
        writer.bytes(name.unwrap_or_default())?;
        for number in [
            definition.kind as u32,
            definition.line,
            definition.last_line,
            definition.name.start,
            definition.name.end,
            definition.range.start,
            definition.range.end,
            definition.parent.map_or(0, |parent| parent + 1),
        ] {
            writer.u32(number);
        }
    }
    Ok(())
}

/// The kind of definition that has a number.
pub fn kind(number: u32) -> Result<DefinitionKind, Failure> {
    let kind = DefinitionKind::ALL.get(number as usize).copied();
    kind.ok_or_else(|| Failure::new("Kind", format!("there is no kind of definition {number}: use a smaller number")))
}
