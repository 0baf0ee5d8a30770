//! The definitions of a source file, by the scanners of [`crate::lex`]: names and nesting, no types and no references.

mod builder;
mod go;
mod java;
mod python;
mod rust;
mod script;

use crate::Limit;
use crate::lex::{Language, code_tokens};
use builder::Builder;
use core::ops::Range;

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DefinitionKind {
    /// A function outside of a type.
    Function,
    /// A function of a type.
    Method,
    /// A class, struct, enum, record or union.
    Class,
    /// An interface or a trait.
    Interface,
    /// The methods of a type in Rust; its name is that of the type.
    Implementation,
    /// Another name for a type.
    Type,
    /// A namespace or module.
    Module,
    /// A constant or variable of a file or module.
    Constant,
    /// A macro of Rust.
    Macro,
    /// A test or a group of tests. Where it is named by a string, its name is what is between the quotes.
    Test,
}

impl DefinitionKind {
    /// All of them, in ascending order.
    pub const ALL: [Self; 10] = [
        Self::Function,
        Self::Method,
        Self::Class,
        Self::Interface,
        Self::Implementation,
        Self::Type,
        Self::Module,
        Self::Constant,
        Self::Macro,
        Self::Test,
    ];
}

/// A definition in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: DefinitionKind,
    /// Where its name is.
    pub name: Range<u32>,
    /// From its keyword, or its name where there is none, to the end of its body. Without a body it ends with its name.
    pub range: Range<u32>,
    /// The line of its name, from 1 on.
    pub line: u32,
    /// The line of the end of its body.
    pub last_line: u32,
    /// The definition around it, as a place in the list.
    pub parent: Option<u32>,
}

/// Lists the definitions of a text in the order of their names.
///
/// # Errors
/// [`Limit::Size`] when the text is too large, [`Limit::Memory`] when it has more tokens than there is room for.
///
/// ```
/// use millwright_core::{lex::Language, outline::outline};
/// let text = b"class A:\n    def b(self):\n        pass\n";
/// let found = outline(Language::Python, text)?;
/// assert_eq!(&text[found[1].name.start as usize..found[1].name.end as usize], b"b");
/// assert_eq!((found[1].line, found[1].last_line, found[1].parent), (2, 3, Some(0)));
/// # Ok::<(), millwright_core::Limit>(())
/// ```
pub fn outline(language: Language, bytes: &[u8]) -> Result<Vec<Definition>, Limit> {
    let tokens = code_tokens(language, bytes)?;
    let mut builder = Builder::new(bytes, &tokens);
    match language {
        Language::Python => python::read(&mut builder),
        Language::Go => builder.read(go::Go::default()),
        Language::Rust => builder.read(rust::Rust::default()),
        Language::Java => builder.read(java::Java::default()),
        Language::JavaScript | Language::TypeScript | Language::Tsx => builder.read(script::Script),
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests;
