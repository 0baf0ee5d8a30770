use crate::exchange::answer;
use millwright_core::Budget;
use millwright_core::ignore::Ignore;
use wasm_bindgen::prelude::*;

/// Looks paths up in rule files, as `git check-ignore --no-index` does. Request: the number of rule files, and of each its folder and its contents, those of one folder in
/// ascending order of precedence; for each path the path and whether it is a folder. Answer: for each path whether a rule decides on it; if so the
/// index of the rule file, the line, whether the rule begins with `!`.
#[wasm_bindgen(js_name = checkIgnored)]
pub fn check_ignored() -> usize {
    answer(|request, writer| {
        let files: Vec<_> = (0..request.u32()).map(|_| (request.bytes(), request.bytes())).collect();
        let ignore = Ignore::new(&files)?;
        let (mut cursor, mut budget) = (ignore.cursor(), Budget::default());
        while !request.is_done() {
            let (path, is_folder) = (request.bytes(), request.bool());
            let found = cursor.matched(path, is_folder, &mut budget)?;
            writer.bool(found.is_some());
            if let Some(found) = found {
                writer.u32(found.file);
                writer.u32(found.line);
                writer.bool(found.negated);
            }
        }
        Ok(())
    })
}
