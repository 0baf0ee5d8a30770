//! Commands that run tests, in scripts and in the configuration of CI.

use super::Confidence;
use super::gate_facts::{FactKind, Reader};

impl Reader<'_, '_> {
    /// A command that runs tests, and what makes it pass when it should not.
    pub(super) fn command(&mut self, name: &[u8]) {
        let line = self.line;
        let (key, text) = if name == b"package.json" {
            let Some((key, value)) = json_pair(line) else { return };
            if !is_test_script(key) && (runner(value).is_none() || !value.contains(&b' ')) {
                return;
            }
            (key, value)
        } else {
            let Some(tool) = runner(line) else { return };
            (tool, line)
        };
        let text = text.strip_prefix(b"- ").unwrap_or(text);
        let text = text.strip_prefix(b"run: ").or_else(|| text.strip_prefix(b"script: ")).unwrap_or(text);
        let ignored = [
            &b"|| true"[..],
            b"||true",
            b"|| :",
            b"|| exit 0",
            b"; true",
            b"; exit 0",
            b"|| echo",
            b"|| /bin/true",
            b"|| printf",
        ];
        if ignored.iter().any(|it| memchr::memmem::find(text, it).is_some())
            || (is_makefile(name) && text.starts_with(b"-") && !text.starts_with(b"--"))
        {
            self.add(FactKind::Slack, b"|| true", 0.0, line);
        }
        for part in [
            &b"--ignore"[..],
            b"--deselect",
            b"--testPathIgnorePatterns",
            b"--exclude ",
            b"--exclude=",
            b"-skip",
            b"--skip",
            b"-k \"not",
            b"-k 'not",
            b"-m \"not",
            b"-m 'not",
            b"--grep-invert",
            b"-short",
        ] {
            if let Some(at) = memchr::memmem::find(text, part) {
                self.add(FactKind::Slack, &text[at..at + part.len()], 0.0, line);
            }
        }
        self.add(FactKind::Command, key, 0.0, text);
    }
}

fn is_makefile(name: &[u8]) -> bool {
    matches!(name, b"Makefile" | b"makefile" | b"GNUmakefile") || name.ends_with(b".mk")
}

/// Key and value of a line `"key": "value",`.
fn json_pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = memchr::memchr(b'"', line)? + 1;
    let rest = &line[from..];
    let end = memchr::memchr(b'"', rest)?;
    let (key, rest) = (&rest[..end], rest[end + 1..].trim_ascii_start());
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memrchr(b'"', rest)?;
    Some((key, &rest[..end]))
}

fn is_test_script(key: &[u8]) -> bool {
    key == b"test"
        || key.starts_with(b"test:")
        || matches!(key, b"check" | b"ci" | b"verify" | b"e2e" | b"coverage" | b"pretest" | b"posttest")
}

/// The tool that runs tests in a command, as the words by which it is known.
fn runner(text: &[u8]) -> Option<&'static [u8]> {
    const TOOLS: [&[u8]; 32] = [
        b"vitest",
        b"jest",
        b"mocha",
        b"node --test",
        b"playwright test",
        b"cypress run",
        b"karma start",
        b"pytest",
        b"tox",
        b"nox",
        b"unittest",
        b"go test",
        b"gotestsum",
        b"cargo test",
        b"cargo nextest",
        b"nextest run",
        b"mvn",
        b"gradlew",
        b"gradle test",
        b"npm test",
        b"npm run test",
        b"npm t",
        b"yarn test",
        b"pnpm test",
        b"pnpm run test",
        b"make test",
        b"make check",
        b"just test",
        b"bazel test",
        b"deno test",
        b"bun test",
        b"npm run check",
    ];
    TOOLS.into_iter().find(|tool| {
        let builds = matches!(*tool, b"mvn" | b"gradlew");
        let tests =
            [&b"test"[..], b"verify", b"check", b"build"].iter().any(|it| memchr::memmem::find(text, it).is_some());
        memchr::memmem::find_iter(text, tool).any(|at| {
            let begins = at == 0
                || matches!(text[at - 1], b' ' | b'/' | b'"' | b'\'' | b'\t' | b'@' | b'(' | b'-' | b';' | b'&');
            // Not a folder, a module or an option of that name.
            let ends = text
                .get(at + tool.len())
                .is_none_or(|next| matches!(next, b' ' | b'"' | b'\'' | b';' | b')' | b'&' | b'|' | b':'));
            begins && ends && (!builds || tests) && !is_mention(text, at + tool.len())
        })
    })
}

/// Whether a word is the key of a mapping or an installed package instead of a command.
fn is_mention(text: &[u8], end: usize) -> bool {
    let installs = [&b"install"[..], b" add ", b"uses:", b"name:", b"import "]
        .iter()
        .any(|it| memchr::memmem::find(text, it).is_some());
    installs || text.get(end) == Some(&b':')
}

/// How a command runs less than before, if it does.
pub(super) fn weaker(old: &[u8], new: &[u8]) -> Option<(Confidence, &'static str)> {
    if runner(old).is_some() && runner(new).is_none() {
        return Some((Confidence::High, "a command runs no tests any more"));
    }
    let split = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split(|byte| matches!(byte, b' ' | b'"' | b'\'' | b','))
            .filter(|part| !part.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (before, after) = (split(old), split(new));
    let removed: Vec<&Vec<u8>> = before.iter().filter(|part| !after.contains(part)).collect();
    let added: Vec<&Vec<u8>> = after.iter().filter(|part| !before.contains(part)).collect();
    let narrows = |part: &Vec<u8>| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        matches!(
            name,
            b"-t"
                | b"--testNamePattern"
                | b"--testPathPattern"
                | b"-k"
                | b"-m"
                | b"--ignore"
                | b"--exclude"
                | b"-run"
                | b"--run"
                | b"-skip"
                | b"-short"
                | b"--shard"
                | b"--lib"
                | b"--changed"
                | b"--onlyChanged"
                | b"--deselect"
                | b"--grep"
                | b"-g"
                | b"--lf"
                | b"--filter"
                | b"--testPathIgnorePatterns"
                | b"--no-coverage"
                | b"-x"
                | b"--maxfail"
                | b"--no-run"
                | b"--collect-only"
                | b"--list"
        ) && !matches!(name, b"-x" | b"--maxfail")
    };
    if added.iter().any(|part| narrows(part)) {
        return Some((Confidence::Medium, "a command runs fewer tests"));
    }
    let strict = |part: &&&Vec<u8>| {
        part.starts_with(b"-race")
            || part.starts_with(b"--cov")
            || part.starts_with(b"--strict")
            || part.starts_with(b"--all")
            || part.starts_with(b"--workspace")
            || matches!(part.as_slice(), b"&&" | b"./..." | b"--bail" | b"--ci")
    };
    if removed.iter().any(|part| strict(&part)) {
        return Some((Confidence::Low, "a command that runs tests checks less"));
    }
    // Paths that were added to a command without any leave out the others.
    let is_path = |part: &&&Vec<u8>| {
        part.contains(&b'/') && !part.starts_with(b"-") && !part.starts_with(b"@") && !part.contains(&b'@')
    };
    let narrowed =
        removed.is_empty() && added.iter().any(|part| is_path(&part)) && !before.iter().any(|part| is_path(&&part));
    narrowed.then_some((Confidence::Low, "a command runs the tests of some paths only"))
}
