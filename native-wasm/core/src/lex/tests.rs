use super::*;
use proptest::prelude::*;

fn texts(language: Language, text: &str) -> Vec<String> {
    Scanner::new(language, text.as_bytes())
        .map(|token| {
            let mark = match token.kind {
                TokenKind::Word => 'w',
                TokenKind::Number => 'n',
                TokenKind::String => 's',
                TokenKind::Regex => 'r',
                TokenKind::Text => 't',
                TokenKind::Comment => 'c',
                TokenKind::Punct => return text[token.range()].to_owned(),
            };
            format!("{mark}:{}", &text[token.range()])
        })
        .collect()
}

#[test]
fn script_has_templates_in_templates() {
    let found = texts(Language::TypeScript, "`a${ {b: `c${d}`} }e` + 'f\\'g'");
    assert_eq!(found, ["s:`a${", "{", "w:b", ":", "s:`c${", "w:d", "s:}`", "}", "s:}e`", "+", "s:'f\\'g'"]);
}

#[test]
fn script_tells_regex_from_division() {
    assert_eq!(texts(Language::TypeScript, "a / b / c"), ["w:a", "/", "w:b", "/", "w:c"]);
    assert_eq!(texts(Language::TypeScript, "return /[/'\"]\\//g;"), ["w:return", "r:/[/'\"]\\//g", ";"]);
    assert_eq!(texts(Language::TypeScript, "x = / 2\n'a'"), ["w:x", "=", "/", "n:2", "s:'a'"]);
}

#[test]
fn jsx_text_is_no_code() {
    let found = texts(Language::Tsx, "return <p class=\"it's\">Don't {x ? <b/> : 'n'} </p>; y");
    assert_eq!(
        found,
        [
            "w:return",
            "<",
            "w:p",
            "w:class",
            "=",
            "s:\"it's\"",
            ">",
            "t:Don't ",
            "{",
            "w:x",
            "?",
            "<",
            "w:b",
            "/",
            ">",
            ":",
            "s:'n'",
            "}",
            "t: ",
            "<",
            "/",
            "w:p",
            ">",
            ";",
            "w:y"
        ]
    );
    assert_eq!(texts(Language::Tsx, "= <T,>(a: T) => 'x'").last().unwrap(), "s:'x'");
    assert_eq!(texts(Language::TypeScript, "a = <T>b; 'x'").last().unwrap(), "s:'x'");
}

#[test]
fn python_has_prefixes_and_triple_quotes() {
    let found = texts(Language::Python, "x = rb'a\\'' + f\"{y}\" # c\n'''a\n'b''' u");
    assert_eq!(found, ["w:x", "=", "s:rb'a\\''", "+", "s:f\"{y}\"", "c:# c", "s:'''a\n'b'''", "w:u"]);
    assert_eq!(texts(Language::Python, "'open\nx"), ["s:'open", "w:x"]);
}

#[test]
fn go_has_raw_strings_and_runes() {
    assert_eq!(texts(Language::Go, "`a\\`+'\\''/* b */"), ["s:`a\\`", "+", "s:'\\''", "c:/* b */"]);
}

#[test]
fn rust_has_lifetimes_raw_strings_and_nested_comments() {
    let found = texts(Language::Rust, "&'a 'b' '\\'' r#\"x\"y\"# r#fn b\"z\" /* /* */ '\" */ 'ä' 1.5e-3 0..2");
    assert_eq!(
        found,
        [
            "&",
            "w:'a",
            "s:'b'",
            "s:'\\''",
            "s:r#\"x\"y\"#",
            "w:r",
            "#",
            "w:fn",
            "s:b\"z\"",
            "c:/* /* */ '\" */",
            "s:'ä'",
            "n:1.5e-3",
            "n:0",
            ".",
            ".",
            "n:2"
        ]
    );
}

#[test]
fn rust_raw_strings_end_with_all_their_hashes() {
    assert_eq!(texts(Language::Rust, "r##\"a\"# b\"## c"), ["s:r##\"a\"# b\"##", "w:c"]);
    assert_eq!(texts(Language::Rust, "r\"a\\\" b"), ["s:r\"a\\\"", "w:b"]);
}

#[test]
fn java_has_text_blocks() {
    assert_eq!(
        texts(Language::Java, "\"\"\"\n a \"b\" \\\"\"\" \"\"\"; 'c'"),
        ["s:\"\"\"\n a \"b\" \\\"\"\" \"\"\"", ";", "s:'c'"]
    );
}

#[test]
fn what_is_open_at_the_end_is_a_token() {
    for (language, text) in [
        (Language::JavaScript, "`a"),
        (Language::Python, "\"\"\"a"),
        (Language::Go, "`a"),
        (Language::Rust, "r##\"a\"#"),
        (Language::Java, "/* a"),
        (Language::Rust, "/*/ a"),
    ] {
        assert_eq!(Scanner::new(language, text.as_bytes()).count(), 1, "{text}");
    }
}

fn any_language() -> impl Strategy<Value = Language> {
    prop_oneof![
        Just(Language::JavaScript),
        Just(Language::TypeScript),
        Just(Language::Tsx),
        Just(Language::Python),
        Just(Language::Go),
        Just(Language::Rust),
        Just(Language::Java),
    ]
}

fn source() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "'", "\"", "`", "\"\"\"", "'''", "\\", "\n", "/", "//", "/*", "*/", "#", "r#\"", "${", "{", "}", "<", "</", "/>",
            ">", "<a", "[", "]", "(", ")", "=", "x", "1", ".", " ", "b'", "return ",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn tokens_are_in_order_and_leave_out_only_space(language in any_language(), text in source()) {
        let mut at = 0;
        for token in Scanner::new(language, &text) {
            prop_assert!(token.start < token.end);
            prop_assert!(text[at..token.start as usize].iter().all(|byte| *byte <= b' ' || *byte == 0x7f));
            at = token.end as usize;
        }
        prop_assert!(text[at..].iter().all(|byte| *byte <= b' ' || *byte == 0x7f));
    }

    #[test]
    fn spans_cover_the_text(language in any_language(), text in source()) {
        let mut at = 0;
        let mut last = None;
        for span in spans(language, &text) {
            prop_assert_eq!(span.range.start, at);
            prop_assert!(span.range.end > at);
            prop_assert!(last != Some(SpanKind::Code) || span.kind != SpanKind::Code);
            at = span.range.end;
            last = Some(span.kind);
        }
        prop_assert_eq!(at as usize, text.len());
    }
}

#[test]
fn regexes_that_never_end_are_looked_for_once() {
    // Quadratic, this would take minutes.
    let text = b"=[/".repeat(1 << 20);
    assert!(Scanner::new(Language::JavaScript, &text).count() > 1 << 20);
    let text = b"<a ".repeat(1 << 20);
    assert!(Scanner::new(Language::Tsx, &text).count() > 1 << 20);
}
