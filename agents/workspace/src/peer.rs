//! Who connected: the agent lives in another container, the commands it runs must not take its place.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use crate::processes;

/// Whether the peer is no process of the workspace. One that has ended since is not trusted: it may have handed its
/// connection to a process that stayed.
pub fn is_foreign(stream: &UnixStream) -> bool {
    // A process of another container has no number here, which the kernel reports as 0.
    peer_pid(stream).is_some_and(|pid| pid == 0 || processes::is_unrelated(pid))
}

/// Not by rustix: its type for process numbers excludes 0.
fn peer_pid(stream: &UnixStream) -> Option<i32> {
    let mut credentials = libc::ucred { pid: -1, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `credentials`, which are plain integers.
    let result = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    (result == 0 && credentials.pid >= 0).then_some(credentials.pid)
}
