//! Settings, read from the environment once; every error is listed, not only the first.

use std::path::PathBuf;
use std::time::Duration;

/// Upper bounds that no request can exceed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Execs that run at the same time.
    pub parallel_execs: usize,
    /// Time limit of one exec.
    pub exec_time: Duration,
    /// Bytes of output forwarded per exec; the rest is counted, and its last part kept.
    pub output_bytes: u64,
    /// Private writable memory of one process (RLIMIT_DATA), and resident memory of all processes together.
    pub memory_bytes: u64,
    /// Processes of all execs together; four times as many threads of the workspace's user (RLIMIT_NPROC).
    pub processes: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Size of one file written by a process.
    pub file_bytes: u64,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server listens.
    pub socket: PathBuf,
    /// Directory that every path is confined to.
    pub root: PathBuf,
    /// How long to wait for the first client.
    pub connect_grace: Duration,
    /// How long to wait for a client after control was lost.
    pub control_grace: Duration,
    /// How long a client may go on after SIGTERM.
    pub terminate_grace: Duration,
    pub limits: Limits,
}

impl Config {
    /// Reads the settings by `get` (the environment). The error lists everything that is wrong.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Config, Vec<String>> {
        let mut errors = Vec::new();
        let mut path = |name: &str| match get(name).filter(|value| value.starts_with('/')) {
            Some(value) => PathBuf::from(value),
            None => {
                errors.push(format!("{name}: an absolute path is required"));
                PathBuf::new()
            }
        };
        let socket = path("MILLWRIGHT_WORKSPACE_SOCKET");
        let root = path("MILLWRIGHT_WORKSPACE_DIR");
        let mut number = |name: &str, default: u64, min: u64, max: u64| match get(name) {
            None => default,
            Some(value) => match value.parse::<u64>() {
                Ok(number) if (min..=max).contains(&number) => number,
                _ => {
                    errors.push(format!("{name}: must be a whole number from {min} to {max}, not {value:?}"));
                    default
                }
            },
        };
        let day = 86_400;
        let tib = 1 << 40;
        let config = Config {
            socket,
            root,
            connect_grace: Duration::from_secs(number("MILLWRIGHT_WORKSPACE_CONNECT_GRACE_SECONDS", 300, 1, day)),
            control_grace: Duration::from_secs(number("MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS", 5, 0, day)),
            terminate_grace: Duration::from_secs(number("MILLWRIGHT_WORKSPACE_TERMINATE_GRACE_SECONDS", 15, 0, day)),
            limits: Limits {
                parallel_execs: number("MILLWRIGHT_WORKSPACE_MAX_EXECS", 16, 1, 256) as usize,
                exec_time: Duration::from_secs(number("MILLWRIGHT_WORKSPACE_MAX_EXEC_SECONDS", day, 1, 7 * day)),
                output_bytes: number("MILLWRIGHT_WORKSPACE_MAX_OUTPUT_BYTES", 64 << 20, 1024, tib),
                // Below what the container may use: a command is to be ended with a clear cause before the kernel ends the server.
                memory_bytes: 15 * (number("MILLWRIGHT_WORKSPACE_MAX_MEMORY_BYTES", 64 << 30, 16 << 20, tib) / 16),
                processes: number("MILLWRIGHT_WORKSPACE_MAX_PROCESSES", 1024, 16, 1 << 20),
                open_files: number("MILLWRIGHT_WORKSPACE_MAX_OPEN_FILES", 16_384, 64, 1 << 20),
                file_bytes: number("MILLWRIGHT_WORKSPACE_MAX_FILE_BYTES", 16 << 30, 1 << 20, tib),
            },
        };
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_error_at_once() {
        let errors = Config::read(|name| match name {
            "MILLWRIGHT_WORKSPACE_DIR" => Some("relative".to_owned()),
            "MILLWRIGHT_WORKSPACE_MAX_EXECS" => Some("many".to_owned()),
            _ => None,
        })
        .expect_err("three settings are wrong");
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[2].contains("MILLWRIGHT_WORKSPACE_MAX_EXECS"), "{errors:?}");
    }
}
