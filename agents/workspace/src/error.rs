//! Failures as typed codes: a client decides by the code, the message is for people.

use rustix::io::Errno;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// The byte stream is not the protocol; the connection is closed.
    InvalidFrame,
    /// The frame is well-formed, the request in it is not.
    InvalidRequest,
    /// Another client holds control.
    Busy,
    /// The peer is a process of the workspace itself.
    Forbidden,
    TooManyExecs,
    UnknownExec,
    /// The program cannot be started.
    SpawnFailed,
    /// The path leads out of the workspace.
    OutsideWorkspace,
    NotFound,
    AlreadyExists,
    /// Not of the kind that the operation needs: a regular file or a directory.
    WrongKind,
    PermissionDenied,
    NoSpace,
    Io,
}

#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
}

pub fn failure(code: Code, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into() }
}

/// What a failed system call on `what` means to a client.
pub fn from_errno(errno: Errno, what: &str) -> Failure {
    let code = match errno {
        // openat2 answers EXDEV when a path would leave the root, ELOOP when a forbidden link stands in the way.
        Errno::XDEV | Errno::LOOP => Code::OutsideWorkspace,
        Errno::NOENT => Code::NotFound,
        Errno::EXIST => Code::AlreadyExists,
        Errno::NOTDIR | Errno::ISDIR | Errno::NXIO => Code::WrongKind,
        Errno::ACCESS | Errno::PERM | Errno::ROFS => Code::PermissionDenied,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Code::NoSpace,
        Errno::NAMETOOLONG | Errno::INVAL => Code::InvalidRequest,
        _ => Code::Io,
    };
    failure(code, format!("{what}: {errno}"))
}

/// The same for an error of the standard library.
pub fn from_io(error: &std::io::Error, what: &str) -> Failure {
    match Errno::from_io_error(error) {
        Some(errno) => from_errno(errno, what),
        None => failure(Code::Io, format!("{what}: {error}")),
    }
}
