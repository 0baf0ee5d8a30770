//! Changes of real tests, made line by line so that they do not depend on what is tested.

use millwright_core::weakening::Kind;

/// The languages whose tests are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Script,
    Go,
    Rust,
    Python,
}

/// A change of a file, and the kind of finding that it has to give, if any.
pub struct Mutation {
    pub name: &'static str,
    pub new_path: Option<String>,
    pub new: String,
    pub expected: Option<Kind>,
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Whether a line is a statement of its own that occurs once.
fn is_single(text: &str, line: &str) -> bool {
    let balance: i32 = line.chars().map(|c| i32::from("([{".contains(c)) - i32::from(")]}".contains(c))).sum();
    balance == 0 && text.matches(line.trim()).count() == 1
}

/// The text with the `at`th line replaced.
fn with_line(lines: &[&str], at: usize, new: Option<&str>) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number != at {
            text += line;
            text += "\n";
        } else if let Some(new) = new {
            text += new;
            text += "\n";
        }
    }
    text
}

fn without_lines(lines: &[&str], gone: core::ops::Range<usize>) -> String {
    let kept = lines.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line);
    kept.collect::<Vec<_>>().join("\n") + "\n"
}

/// The lines of the block that the line at `at` begins: to the next one that is not indented more.
fn block(lines: &[&str], at: usize, language: Language) -> Option<core::ops::Range<usize>> {
    let outer = indent(lines[at]).len();
    let mut end = at + 1;
    while end < lines.len() && (lines[end].trim().is_empty() || indent(lines[end]).len() > outer) {
        end += 1;
    }
    match language {
        Language::Python => Some(at..end),
        _ => lines
            .get(end)
            .filter(|line| line.trim_start().starts_with('}') && line.trim().len() <= 3)
            .map(|_| at..end + 1),
    }
}

fn begins_test(line: &str, language: Language) -> bool {
    let line = line.trim_start();
    match language {
        Language::Script => (line.starts_with("it('") || line.starts_with("test('")) && line.ends_with('{'),
        Language::Go => {
            line.starts_with("func Test") && line.ends_with("(t *testing.T) {") && !line.starts_with("func TestMain")
        }
        Language::Rust => line == "#[test]",
        Language::Python => line.starts_with("def test_") && line.ends_with("(self):"),
    }
}

/// Changes of a file whose effect is known.
pub fn mutations(path: &str, text: &str, language: Language) -> Vec<Mutation> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    let mut add = |name: &'static str, new: String, expected: Option<Kind>| {
        all.push(Mutation { name, new_path: None, new, expected });
    };
    let tests: Vec<usize> = (0..lines.len()).filter(|at| begins_test(lines[*at], language)).collect();
    if let Some(at) = tests.get(tests.len() / 2).copied() {
        let line = lines[at];
        let space = indent(line);
        let (skip, renamed) = match language {
            Language::Script => (line.replacen("('", ".skip('", 1), line.replacen("('", "('renamed ", 1)),
            Language::Go => (format!("{line}\n\tt.Skip(\"later\")"), line.replacen("(t ", "Renamed(t ", 1)),
            Language::Rust => (format!("{line}\n{space}#[ignore]"), line.to_owned()),
            Language::Python => {
                (format!("{space}@unittest.skip('later')\n{line}"), line.replacen("(self)", "_renamed(self)", 1))
            }
        };
        let is_skipped = lines.get(at + 1).is_some_and(|next| next.contains("ignore") || next.contains("Skip"));
        if !is_skipped {
            add("skip", with_line(&lines, at, Some(&skip)), Some(Kind::TestSkipped));
        }
        add("rename", with_line(&lines, at, Some(&renamed)), None);
        if language == Language::Script {
            let only = line.replacen("('", ".only('", 1);
            add("focus", with_line(&lines, at, Some(&only)), Some(Kind::TestFocused));
        }
        let first = at + usize::from(language == Language::Rust);
        if let Some(found) = lines
            .get(first)
            .filter(|line| line.ends_with('{') || language == Language::Python)
            .and_then(|_| block(&lines, first, language))
        {
            let whole = at..found.end;
            let decorated = at > 0 && matches!(lines[at - 1].trim_start().chars().next(), Some('@' | '#'));
            if !decorated && tests.len() > 1 {
                add("delete", without_lines(&lines, whole.clone()), Some(Kind::TestDeleted));
            }
            if indent(lines[at]).is_empty() && !decorated {
                let moved = lines[whole.clone()].join("\n");
                add("move to the end", without_lines(&lines, whole) + "\n" + &moved + "\n", None);
            }
        }
    }
    change_assertion(text, &lines, &tests, language, &mut add);
    if language != Language::Python && !text.contains('`') && !text.contains("r#\"") {
        let deeper: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
        add("indent", deeper.join("\n"), None);
    }
    add("rename a variable", text.replace("result", "outcome"), None);
    add("swap a comment", format!("{text}\n"), None);
    let name = path.rsplit('/').next().unwrap_or(path);
    all.push(Mutation {
        name: "move the file",
        new_path: Some(format!("tests/moved/{name}")),
        new: text.to_owned(),
        expected: None,
    });
    all.push(Mutation {
        name: "delete the file",
        new_path: Some("README".to_owned()),
        new: String::new(),
        expected: (!tests.is_empty() && language != Language::Rust).then_some(Kind::TestFileDeleted),
    });
    all.retain(|mutation| mutation.name != "delete the file" || mutation.expected.is_some());
    all
}

/// Removes an assertion, and loosens it.
fn change_assertion(
    text: &str,
    lines: &[&str],
    tests: &[usize],
    language: Language,
    add: &mut impl FnMut(&'static str, String, Option<Kind>),
) {
    let is_assertion = |line: &&str| {
        let line = line.trim_start();
        match language {
            Language::Script => {
                (line.starts_with("expect(") || line.starts_with("await expect(")) && line.ends_with(");")
            }
            Language::Go => (line.starts_with("t.Errorf(") || line.starts_with("t.Fatalf(")) && line.ends_with(')'),
            Language::Rust => line.starts_with("assert_eq!(") && line.ends_with(");"),
            Language::Python => line.starts_with("self.assertEqual(") && line.ends_with(')'),
        }
    };
    let in_test = |at: usize| {
        tests.iter().any(|test| {
            *test < at
                && block(lines, *test + usize::from(language == Language::Rust), language)
                    .is_some_and(|it| it.contains(&at))
        })
    };
    let assertions: Vec<usize> = (0..lines.len())
        .filter(|at| is_assertion(&lines[*at]) && is_single(text, lines[*at]) && in_test(*at))
        .collect();
    if let Some(at) = assertions.get(assertions.len() / 2).copied() {
        let line = lines[at];
        let without = if language == Language::Go {
            Some(line.replacen("t.Errorf", "t.Logf", 1).replacen("t.Fatalf", "t.Logf", 1))
        } else {
            None
        };
        add("remove an assertion", with_line(lines, at, without.as_deref()), Some(Kind::AssertionRemoved));
        let loose = match language {
            Language::Script => line
                .find(").toBe(")
                .or_else(|| line.find(").toEqual("))
                .map(|end| format!("{}).toBeDefined();", &line[..end])),
            Language::Go => None,
            Language::Rust => Some(format!("{}assert!(true);", indent(line))),
            Language::Python => Some(format!("{}self.assertTrue(True)", indent(line))),
        };
        let is_boolean =
            line.contains("(true)") || line.contains("(false)") || line.contains("True") || line.contains("False");
        if let Some(loose) = loose.filter(|_| !is_boolean) {
            add("loosen", with_line(lines, at, Some(&loose)), Some(Kind::ExpectationLoosened));
        }
    }
}
