//! Repositories that only a test knows.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A repository in a temporary folder that goes away with it.
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("millwright-core-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        let repository = Self { root };
        let made = repository.git(&["init", "--quiet"], b"");
        assert!(made.status.success(), "{}", made.stderr.escape_ascii());
        repository
    }

    /// Runs git in it, whatever the settings of this machine are.
    pub fn git(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // Git may stop reading when it refuses something.
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().unwrap()
        })
    }

    /// Makes a folder and those above it.
    pub fn make_folder(&self, path: &str) {
        std::fs::create_dir_all(self.root.join(path)).unwrap();
    }

    /// Writes a file.
    pub fn write(&self, path: &str, contents: &[u8]) {
        std::fs::write(self.root.join(path), contents).unwrap();
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
