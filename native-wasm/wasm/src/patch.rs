use crate::exchange::{Failure, answer, seed};
use crate::frame::Writer;
use millwright_core::Budget;
use millwright_core::patch::{
    ApplyError, ApplyOptions, Body, Change, ParseError, ParseOptions, Patch, RejectKind, TreeFile,
};
use wasm_bindgen::prelude::*;

/// A patch that cannot be read.
pub fn wrong(error: &ParseError) -> Failure {
    Failure { offset: Some(error.offset as u64), ..Failure::new("Patch", error.to_string()) }
}

/// Reads a patch.
///
/// Request: whether lenient, folders to strip, the patch. Answer: the number of files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename, 4 copy),
/// where it is in the patch, its old path and new path, its old and new mode and the similarity, each after whether there is one, whether it is binary, the number of hunks,
/// and of each where it is in the patch, old start, old lines, new start, new lines (u64), whether they say a place, and what stands behind them.
#[wasm_bindgen(js_name = readPatch)]
pub fn read_patch() -> usize {
    answer(|request, writer| {
        let options = ParseOptions { lenient: request.bool(), strip: request.u32() };
        let patch = Patch::parse(request.bytes(), &options).map_err(|error| wrong(&error))?;
        writer.u32(patch.files.len() as u32);
        for file in &patch.files {
            writer.u32(match file.change {
                Change::Modify => 0,
                Change::Create => 1,
                Change::Delete => 2,
                Change::Rename => 3,
                Change::Copy => 4,
            });
            writer.u32(file.offset as u32);
            for path in [&file.old_path, &file.new_path] {
                writer.bool(path.is_some());
                writer.bytes(path.as_deref().unwrap_or_default())?;
            }
            for number in [file.old_mode, file.new_mode, file.similarity.map(u32::from)] {
                writer.bool(number.is_some());
                writer.u32(number.unwrap_or_default());
            }
            let hunks = match &file.body {
                Body::Hunks(hunks) => Some(hunks.as_slice()),
                _ => None,
            };
            writer.bool(hunks.is_none());
            writer.u32(hunks.map_or(0, <[_]>::len) as u32);
            for hunk in hunks.unwrap_or_default() {
                writer.u32(hunk.offset as u32);
                for number in [hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines] {
                    writer.u64(number);
                }
                writer.bool(hunk.placed);
                writer.bytes(hunk.section)?;
            }
        }
        Ok(())
    })
}

/// Applies a patch to a set of files.
///
/// Request: whether lenient, folders to strip, whether reversed, fuzz, the patch; for each file its path, mode and contents. Answer: for each file of the patch, after their number,
/// whether it was applied, and if not why: a kind, a sentence, and the rejected hunks with their number, offset in the patch, kind and sentence; then the number of written
/// files with path, mode and contents, and the number of deleted paths with each.
#[wasm_bindgen(js_name = applyPatch)]
pub fn apply_patch() -> usize {
    answer(|request, writer| {
        let parsing = ParseOptions { lenient: request.bool(), strip: request.u32() };
        let options =
            ApplyOptions { reverse: request.bool(), fuzz: request.u32(), seed: seed(), ..ApplyOptions::default() };
        let patch = Patch::parse(request.bytes(), &parsing).map_err(|error| wrong(&error))?;
        let mut files = Vec::new();
        while !request.is_done() {
            files.push(TreeFile { path: request.bytes(), mode: request.u32(), bytes: request.bytes() });
        }
        let changes = patch.apply(&files, &options, &mut Budget::default())?;
        writer.u32(changes.files.len() as u32);
        for applied in &changes.files {
            writer.bool(applied.is_ok());
            if let Err(error) = applied {
                describe(error, writer)?;
            }
        }
        writer.u32(changes.written.len() as u32);
        for file in changes.written {
            writer.bytes(&file.path)?;
            writer.u32(file.mode);
            writer.keep(file.bytes);
        }
        writer.u32(changes.deleted.len() as u32);
        for path in &changes.deleted {
            writer.bytes(path)?;
        }
        Ok(())
    })
}

fn describe(error: &ApplyError, writer: &mut Writer) -> Result<(), Failure> {
    let (code, rejects) = match error {
        ApplyError::Rejected(rejects) => ("Rejected", rejects.as_slice()),
        ApplyError::Missing => ("Missing", &[][..]),
        ApplyError::Exists => ("Exists", &[][..]),
        ApplyError::TypeDiffers { .. } => ("TypeDiffers", &[][..]),
        ApplyError::NotEmpty => ("NotEmpty", &[][..]),
        ApplyError::CopyDiffers => ("CopyDiffers", &[][..]),
        ApplyError::NoBinaryData => ("NoBinaryData", &[][..]),
        ApplyError::Binary(_) => ("Binary", &[][..]),
        ApplyError::Limit(limit) => return Err((*limit).into()),
        _ => ("Other", &[][..]),
    };
    writer.bytes(code.as_bytes())?;
    writer.bytes(error.to_string().as_bytes())?;
    writer.u32(rejects.len() as u32);
    for reject in rejects {
        writer.u32(reject.hunk as u32);
        writer.u32(reject.offset as u32);
        writer.bytes(name(&reject.kind).as_bytes())?;
        writer.bytes(reject.to_string().as_bytes())?;
    }
    Ok(())
}

const fn name(kind: &RejectKind) -> &'static str {
    match kind {
        RejectKind::NotFound => "NotFound",
        RejectKind::ContextDiffers => "ContextDiffers",
        RejectKind::AlreadyApplied { .. } => "AlreadyApplied",
        RejectKind::Overlap { .. } => "Overlap",
        RejectKind::OutOfOrder { .. } => "OutOfOrder",
        RejectKind::Ambiguous { .. } => "Ambiguous",
        RejectKind::Elsewhere { .. } => "Elsewhere",
        RejectKind::NotAtStart { .. } => "NotAtStart",
        RejectKind::NotAtEnd { .. } => "NotAtEnd",
        RejectKind::NoPosition => "NoPosition",
        RejectKind::JoinsLines { .. } => "JoinsLines",
        _ => "Other",
    }
}
