use super::*;
use proptest::prelude::*;

fn glob(pattern: &str) -> Glob {
    Glob::compile(pattern.as_bytes(), Case::Sensitive).unwrap()
}

/// What is wrong with a pattern, and where.
fn wrong(pattern: &str) -> (GlobErrorKind, u32) {
    let error = Glob::compile(pattern.as_bytes(), Case::Sensitive).unwrap_err();
    (error.kind, error.offset)
}

/// What a pattern without brackets, escapes and braces means, by trying everything.
fn naive(pattern: &[u8], path: &[u8], at_start: bool) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] if at_start => {
            naive(rest, path, true) || (0..path.len()).any(|at| path[at] == b'/' && naive(rest, &path[at + 1..], true))
        }
        [b'*', b'*'] if at_start => true,
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| naive(rest, &path[at..], false))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && naive(rest, &path[1..], false),
        [byte, rest @ ..] => path.first() == Some(byte) && naive(rest, &path[1..], *byte == b'/'),
    }
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]{1,3}", 1..5).prop_map(|segments| segments.join("/"))
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![2 => Just("**".to_owned()), 5 => "[ab?]{0,2}[*]?[ab?]{1,2}[*]?"];
    proptest::collection::vec(segment, 1..5).prop_map(|segments| segments.join("/"))
}

proptest! {
    #[test]
    fn is_what_trying_everything_finds(pattern in pattern(), paths in proptest::collection::vec(path(), 20)) {
        let glob = glob(&pattern);
        for path in &paths {
            prop_assert_eq!(glob.is_match(path.as_bytes()), naive(pattern.as_bytes(), path.as_bytes(), true), "{} {}", pattern, path);
        }
    }

    #[test]
    fn braces_are_the_patterns_they_stand_for(head in "[a*/]{0,2}", choices in proptest::collection::vec("[ab?*/]{0,3}", 1..4), tail in "[a*/]{0,2}", path in path()) {
        let single = |choice: &String| Glob::compile(format!("{head}{choice}{tail}").as_bytes(), Case::Sensitive);
        let each: Result<Vec<_>, _> = choices.iter().map(single).collect();
        let braced = Glob::compile(format!("{head}{{{}}}{tail}", choices.join(",")).as_bytes(), Case::Sensitive);
        prop_assert!(braced.is_ok() || each.is_err());
        if let (Ok(each), Ok(braced)) = (each, braced) {
            prop_assert_eq!(braced.is_match(path.as_bytes()), each.iter().any(|glob| glob.is_match(path.as_bytes())));
        }
    }

    #[test]
    fn no_bytes_are_too_strange(pattern in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(&b"*?[]{},!\\/:-a"[..])], 0..40), path: Vec<u8>) {
        if let Ok(glob) = Glob::compile(&pattern, Case::Insensitive) {
            glob.is_match(&path);
        }
    }

    #[test]
    fn what_is_escaped_matches_itself(path in "[ab*?\\[\\]{},!\\\\]{1,8}") {
        let escaped: String = path.chars().flat_map(|char| ['\\', char]).collect();
        prop_assert!(glob(&escaped).is_match(path.as_bytes()));
        prop_assert!(!glob(&escaped).is_match((path + "a").as_bytes()));
    }
}

#[test]
fn stars_keep_to_their_segment() {
    assert!(glob("*.md").is_match(b"a.md"));
    assert!(!glob("*.md").is_match(b"docs/a.md"));
    assert!(glob("a/*/c").is_match(b"a/b/c"));
    assert!(!glob("a/*/c").is_match(b"a/b/b/c"));
    assert!(glob("a**c").is_match(b"abbc"), "`**` beside other characters is `*`");
    assert!(!glob("a**c").is_match(b"ab/c"));
}

#[test]
fn two_stars_are_folders() {
    assert!(glob("**/a").is_match(b"a"));
    assert!(glob("a/**/b").is_match(b"a/b"));
    assert!(glob("a/**/b").is_match(b"a/x/y/b"));
    assert!(!glob("a/**/b").is_match(b"ab"));
    assert!(glob("a/**").is_match(b"a/x/y"));
    assert!(!glob("a/**").is_match(b"a"));
    assert!(!glob("a/**").is_match(b"ab/x"));
    assert!(glob("**").is_match(b"a/b"));
    assert!(glob("**/{a,b/**}/c").is_match(b"x/b/y/c"));
}

#[test]
fn brackets_and_question_marks_never_match_a_slash() {
    assert!(!glob("a?b").is_match(b"a/b"));
    assert!(!glob("a[!x]b").is_match(b"a/b"));
    assert!(!glob("a[+-9]b").is_match(b"a/b"));
    assert!(glob("[[:upper:]]*").is_match(b"Makefile"));
}

#[test]
fn case_can_be_ignored() {
    let glob = Glob::compile(b"**/[m]AKE*.Txt", Case::Insensitive).unwrap();
    assert!(glob.is_match(b"a/Makefile.tXT"));
    assert!(!glob.is_match(b"a/Takefile.txt"));
}

#[test]
fn braces_nest_and_may_be_empty() {
    let glob = glob("a{,.{b,c{d,e}}}");
    assert_eq!(glob.alternatives(), 4);
    for path in ["a", "a.b", "a.cd", "a.ce"] {
        assert!(glob.is_match(path.as_bytes()), "{path}");
    }
    assert!(!glob.is_match(b"a.c"));
}

#[test]
fn brackets_and_escapes_hide_braces() {
    assert!(glob("{[,}],b}").is_match(b","));
    assert!(glob(r"{a\,b,c\}}").is_match(b"a,b"));
    assert!(glob("a,b").is_match(b"a,b"));
}

#[test]
fn too_many_alternatives_are_an_error_and_no_work() {
    let pattern = "{a,b}".repeat(30);
    assert_eq!(wrong(&pattern), (GlobErrorKind::TooManyAlternatives, 40));
    let nested = "{a,".repeat(1000) + &"}".repeat(1000);
    assert_eq!(wrong(&nested).0, GlobErrorKind::TooManyAlternatives);
    let one = "{".repeat(2000) + &"}".repeat(2000);
    assert_eq!(wrong(&one).0, GlobErrorKind::LeadingSlash);
    let long = format!("{{{}1}}{}", "1,".repeat(200), "x".repeat(1000));
    assert_eq!(wrong(&long).0, GlobErrorKind::TooManyAlternatives);
}

#[test]
fn what_is_wrong_has_its_offset() {
    assert_eq!(wrong(""), (GlobErrorKind::Empty, 0));
    assert_eq!(wrong(&"a".repeat(4097)), (GlobErrorKind::TooLong, 4096));
    assert_eq!(wrong("a{b,{c}"), (GlobErrorKind::UnclosedBrace, 1));
    assert_eq!(wrong("ab}"), (GlobErrorKind::UnopenedBrace, 2));
    assert_eq!(wrong("a/[b"), (GlobErrorKind::UnclosedClass, 2));
    assert_eq!(wrong("{a,[z-b]}"), (GlobErrorKind::EmptyRange, 4));
    assert_eq!(wrong("a\\"), (GlobErrorKind::TrailingEscape, 1));
    assert_eq!(wrong("/a"), (GlobErrorKind::LeadingSlash, 0));
    assert_eq!(wrong("a/"), (GlobErrorKind::TrailingSlash, 1));
    assert_eq!(wrong("a//b"), (GlobErrorKind::EmptySegment, 2));
    assert_eq!(wrong("./a"), (GlobErrorKind::DotSegment, 0));
    assert_eq!(wrong("{a,b/..}/c"), (GlobErrorKind::DotSegment, 5));
    assert_eq!(wrong("[[:nope:]]"), (GlobErrorKind::UnknownClassName, 1));
}

#[test]
fn many_stars_are_no_explosion() {
    let glob = glob("**/*a*a*a*b/".repeat(100).trim_end_matches('/'));
    let path = format!("{}/", "a".repeat(30)).repeat(130);
    assert!(!glob.is_match(path.trim_end_matches('/').as_bytes()));
}

#[test]
fn the_last_match_of_a_list_wins() {
    let list = |patterns: &[&str]| {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        Globs::compile(&patterns, Case::Sensitive)
    };
    let globs = list(&["**", "!a/**", "a/b", r"\!x"]).unwrap();
    assert_eq!(globs.matched(b"a/c"), Some(GlobMatch { rule: 1, negated: true }));
    assert!(globs.is_match(b"a/b") && globs.is_match(b"z") && !globs.is_match(b"a/c"));
    assert_eq!(globs.matched(b"!x"), Some(GlobMatch { rule: 3, negated: false }));
    assert_eq!(list(&["a"]).unwrap().matched(b"b"), None);
    let error = list(&["a", "!b{"]).unwrap_err();
    assert_eq!((error.rule, error.offset, error.kind), (1, 2, GlobErrorKind::UnclosedBrace));
    assert_eq!(list(&vec!["a"; 1025]).unwrap_err().kind, GlobErrorKind::TooManyGlobs);
}
