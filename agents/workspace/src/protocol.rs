//! Requests and replies, as they stand in frame headers. README.md describes them for clients.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure, failure};

/// Version of the protocol, said in the greeting.
pub const VERSION: u32 = 1;

/// What every request has; `args` is parsed by operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    id: u32,
    op: String,
    #[serde(default)]
    args: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecArgs {
    /// Program and arguments; excludes `script`.
    pub argv: Option<Vec<String>>,
    /// Run by `/bin/sh -c`.
    pub script: Option<String>,
    /// Directory relative to the root.
    #[serde(default)]
    pub cwd: String,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Start from the environment of the project's image, which is the server's own without what concerns the sandbox.
    #[serde(default)]
    pub image_env: bool,
    pub timeout_ms: u64,
    /// Time between TERM and KILL.
    #[serde(default = "default_grace_ms")]
    pub kill_grace_ms: u64,
    pub output_bytes: u64,
}

fn default_grace_ms() -> u64 {
    5_000
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KillArgs {
    /// Id of the exec's request.
    pub exec: u32,
    pub grace_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadArgs {
    pub path: String,
    #[serde(default)]
    pub offset: u64,
    /// At most the limit of a payload, which is also the default.
    pub length: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteArgs {
    pub path: String,
    /// `true`: added to the end. Otherwise the file is replaced as a whole, or not at all.
    #[serde(default)]
    pub append: bool,
    /// Create missing directories.
    #[serde(default)]
    pub parents: bool,
    /// Permission bits of a new file; default: those of the file replaced, else 0644.
    pub mode: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathArgs {
    pub path: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArgs {}

#[derive(Debug)]
pub enum Request {
    Exec(ExecArgs),
    Kill(KillArgs),
    Read(ReadArgs),
    Write(WriteArgs),
    List(PathArgs),
    Stat(PathArgs),
    Shutdown,
}

/// Parses a header. The error carries the request's id when there is one; without it the peer does not speak the protocol.
pub fn parse(header: &[u8]) -> Result<(u32, Request), (Option<u32>, Failure)> {
    let Header { id, op, args } = serde_json::from_slice(header)
        .map_err(|error| (None, failure(Code::InvalidFrame, format!("not a request header: {error}"))))?;
    let args = serde_json::Value::Object(args);
    let request = match op.as_str() {
        "exec" => serde_json::from_value(args).map(Request::Exec),
        "kill" => serde_json::from_value(args).map(Request::Kill),
        "read" => serde_json::from_value(args).map(Request::Read),
        "write" => serde_json::from_value(args).map(Request::Write),
        "list" => serde_json::from_value(args).map(Request::List),
        "stat" => serde_json::from_value(args).map(Request::Stat),
        "shutdown" => serde_json::from_value(args).map(|NoArgs {}| Request::Shutdown),
        _ => return Err((Some(id), failure(Code::InvalidRequest, format!("unknown operation {op:?}")))),
    };
    match request {
        Ok(request) => Ok((id, request)),
        Err(error) => Err((Some(id), failure(Code::InvalidRequest, format!("{op}: {error}")))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Why an exec ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// By itself, whatever its exit code.
    Exited,
    TimedOut,
    /// On request, or since control was lost.
    Killed,
    TooManyProcesses,
    MemoryExceeded,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Other,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub name: String,
    pub kind: Kind,
    pub bytes: u64,
    /// Permission bits.
    pub mode: u32,
    pub modified_ms: i64,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reply {
    /// First frame of every connection that got control.
    Hello {
        version: u32,
        root: String,
        max_header_bytes: usize,
        max_payload_bytes: usize,
        max_execs: usize,
    },
    Started {
        id: u32,
        pid: i32,
    },
    /// The payload is output. `omitted` bytes of this stream, beyond the output limit, are missing before it.
    Output {
        id: u32,
        stream: Stream,
        #[serde(skip_serializing_if = "Option::is_none")]
        omitted: Option<u64>,
    },
    Exit {
        id: u32,
        cause: Cause,
        code: Option<i32>,
        signal: Option<i32>,
        duration_ms: u64,
        stdout_bytes: u64,
        stderr_bytes: u64,
        truncated: bool,
    },
    /// `kill`, `write` and `shutdown` are done.
    Done {
        id: u32,
    },
    /// The payload is the part of the file that was asked for; `bytes` is the file's size.
    Content {
        id: u32,
        bytes: u64,
    },
    /// The payload is a JSON array of entries.
    Entries {
        id: u32,
        truncated: bool,
    },
    Stat {
        id: u32,
        entry: Entry,
    },
    Error {
        id: Option<u32>,
        code: Code,
        message: String,
    },
}
