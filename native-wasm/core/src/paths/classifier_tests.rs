use super::*;
use crate::paths::canonical;

#[test]
fn the_table_is_in_canonical_form() {
    for (class, globs) in TABLE {
        for glob in globs.split_ascii_whitespace() {
            assert_eq!(glob, glob.to_lowercase(), "{class:?}");
            assert!(Glob::compile(glob.as_bytes(), Case::Sensitive).is_ok(), "{class:?} {glob}");
        }
    }
}

#[test]
fn each_class_is_met() {
    let cases: [(&str, &[Class]); 38] = [
        (".github/workflows/ci.yml", &[Class::Ci]),
        (".GitHub/Workflows./ci.yml", &[Class::Ci]),
        ("sub/.gitlab-ci.yml", &[Class::Ci]),
        ("Jenkinsfile", &[Class::Ci]),
        ("appveyor.yml", &[Class::Ci]),
        ("GITHUB~1/workflows/ci.yml", &[Class::Ci]),
        ("tools/setup/action.yml", &[Class::Ci]),
        ("pkg/HUSKY~1/pre-commit", &[Class::Hooks]),
        (".devcontainer/devcontainer.json", &[Class::Hooks, Class::Build]),
        ("CLAUDE~1/settings.json", &[Class::AgentInstructions]),
        (".clinerules-code", &[Class::AgentInstructions]),
        ("src/claude~3/x", &[]),
        ("docs/CODEOWNERS", &[Class::Ownership]),
        ("pkg/OWNERS", &[Class::Ownership]),
        (".husky/pre-commit", &[Class::Hooks]),
        (".vscode/tasks.json", &[Class::Hooks]),
        ("AGENTS.md", &[Class::AgentInstructions]),
        ("web/CLAUDE.md", &[Class::AgentInstructions]),
        (".cursor/rules/x.mdc", &[Class::AgentInstructions]),
        (".gitattributes", &[Class::GitSettings]),
        (".gitmodules", &[Class::GitSettings, Class::Submodule]),
        ("web/package-lock.json", &[Class::Lockfile]),
        ("go.sum", &[Class::Lockfile]),
        ("Cargo.toml", &[Class::Manifest]),
        ("requirements-dev.txt", &[Class::Manifest]),
        ("db/migrate/1_add.rb", &[Class::Migration]),
        ("schema.sql", &[Class::Migration]),
        ("src/a_test.go", &[Class::Test]),
        ("src/a.test.ts", &[Class::Test]),
        ("src/FooTest.java", &[Class::Test]),
        ("tests/test_a.py", &[Class::Test]),
        ("tests/Dockerfile", &[Class::Test, Class::Build]),
        ("Dockerfile.dev", &[Class::Build]),
        ("docker-compose.yml", &[Class::Build]),
        ("a/Makefile", &[Class::Build]),
        ("src/main.rs", &[]),
        ("README.md", &[]),
        ("docs/workflows/ci.md", &[]),
    ];
    let classifier = Classifier::new().unwrap();
    for (path, expected) in cases {
        let classes: Vec<_> = classifier.classes(&canonical(path.as_bytes())).iter().collect();
        assert_eq!(classes, expected, "{path}");
    }
}

#[test]
fn looking_up_finds_what_matching_each_glob_finds() {
    let paths = [
        ".github/workflows/a",
        "x/.github/workflows/a",
        ".circleci/config.yml",
        "x/.circleci/config.yml",
        "x/migrations/1",
        "migrations",
        "a/b/go.mod",
        "x.sql",
        "tests/x",
        "x/tests",
        "a/Cargo.lock",
        ".husky",
        ".husky/a/b",
        "requirements/dev.txt",
        "build",
        "build/x",
        "a/.envrc",
        "integration-tests/x",
        "mytests/x",
        ".travis.yml",
        "x/.travis.yml",
        "dockerfile.x",
        "a/dockerfile.x",
        "db/schema.rb",
        "x/db/schema.rb",
        "a/values-prod.yaml",
        "x.spec.ts",
    ];
    let classifier = Classifier::new().unwrap();
    let glob = |glob: &str| Glob::compile(glob.as_bytes(), Case::Sensitive).unwrap();
    let globs: Vec<(Class, Vec<Glob>)> =
        TABLE.iter().map(|(class, globs)| (*class, globs.split_ascii_whitespace().map(glob).collect())).collect();
    for path in paths {
        let path = canonical(path.as_bytes());
        let mut expected = Classes::NONE;
        for (class, globs) in &globs {
            if globs.iter().any(|glob| glob.is_match(&path)) {
                expected.insert(*class);
            }
        }
        assert_eq!(classifier.classes(&path), expected, "{}", path.escape_ascii());
    }
}
