//! Resource limits that every child starts with.

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

use crate::config::Limits;

/// What is added to the niceness of commands.
const NICE: i32 = 10;

/// Limits ready to be set between fork and exec, where nothing may allocate.
pub type Prepared = [(Resource, Rlimit); 5];

/// Computes what `limits` means here: a hard limit of the container is never raised.
pub fn prepare(limits: &Limits) -> Prepared {
    let at_most = |resource: Resource, wanted: u64| {
        let value = getrlimit(resource).maximum.map_or(wanted, |hard| hard.min(wanted));
        (resource, Rlimit { current: Some(value), maximum: Some(value) })
    };
    [
        // Not RLIMIT_AS: runtimes such as V8 and Go reserve far more address space than they ever use.
        at_most(Resource::Data, limits.memory_bytes),
        at_most(Resource::Nofile, limits.open_files),
        // The kernel counts threads, and those of all sandboxes on the node that share the user: hence the head room. The
        // number of processes below this server is bounded by the server itself.
        at_most(Resource::Nproc, limits.processes.saturating_mul(4)),
        at_most(Resource::Fsize, limits.file_bytes),
        at_most(Resource::Core, 0),
    ]
}

/// Sets the limits of the calling process. Makes system calls only, so it is safe between fork and exec.
pub fn apply(prepared: &Prepared) -> std::io::Result<()> {
    // The server must get its turn however many processes there are; among themselves they all have the same priority.
    nice(NICE)?;
    for (resource, limit) in prepared {
        setrlimit(*resource, *limit)?;
    }
    Ok(())
}
