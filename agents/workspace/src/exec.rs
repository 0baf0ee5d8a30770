//! One exec from start to end: output forwarded as it comes, limits kept, the whole process group ended.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, WaitStatus, fchdir};

use crate::config::Limits;
use crate::error::{Code, Failure, failure, from_errno};
use crate::limits;
use crate::output::{Allowance, Meter};
use crate::processes;
use crate::protocol::{Cause, ExecArgs, Reply, Stream};
use crate::registry::{Registry, Running, Stop};
use crate::root::Root;

/// How long output is awaited once the leader has ended: a process that left the group may hold the pipe for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// Bytes read at once; also the size of the largest output frame.
const CHUNK: usize = 64 * 1024;

/// Where replies go. Errors are not its business: a client that is gone ends all execs by itself.
pub type Send = dyn Fn(&Reply, &[u8]) + std::marker::Send + Sync;

/// Builds the command: confined directory, exactly the environment asked for, limits set before the program starts.
pub fn command(root: &Root, limits: &Limits, args: &ExecArgs, has_stdin: bool) -> Result<Command, Failure> {
    let argv: Vec<&str> = match (&args.argv, &args.script) {
        (Some(argv), None) if !argv.is_empty() => argv.iter().map(String::as_str).collect(),
        (None, Some(script)) => vec!["/bin/sh", "-c", script],
        _ => return Err(failure(Code::InvalidRequest, "exec: exactly one of argv (not empty) and script is required")),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let directory = root
        .open_beneath(Path::new(&args.cwd), flags, Mode::empty())
        .map_err(|errno| from_errno(errno, &format!("cwd {:?}", args.cwd)))?;
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).env_clear().process_group(0);
    if args.image_env {
        command.envs(std::env::vars_os().filter(|(name, _)| is_of_the_image(name)));
    }
    command.envs(&args.env);
    command.stdin(if has_stdin { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
    let prepared = limits::prepare(limits);
    let prepare_child = move || {
        fchdir(&directory)?;
        limits::apply(&prepared)
    };
    // SAFETY: between fork and exec the closure makes system calls only; it takes no lock and no memory.
    unsafe { command.pre_exec(prepare_child) };
    Ok(command)
}

/// Variables by which Millwright and Kubernetes describe the sandbox are not the commands' business.
fn is_of_the_image(name: &OsStr) -> bool {
    !["MILLWRIGHT_", "KUBERNETES_"].iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// One output pipe.
struct Pipe {
    fd: Option<OwnedFd>,
    stream: Stream,
    meter: Meter,
}

/// Accompanies a started exec to its end and reports it. Runs on a thread of its own.
pub fn supervise(
    registry: &Registry,
    running: &Arc<Running>,
    mut child: Child,
    args: &ExecArgs,
    stdin: Vec<u8>,
    max_time: Duration,
    send: &Send,
) {
    let started = Instant::now();
    let id = running.exec;
    send(&Reply::Started { id, pid: running.pid.as_raw_pid() }, &[]);
    let mut input = child.stdin.take().map(|pipe| Input::new(pipe, stdin));
    let mut pipes = [
        Pipe { fd: child.stdout.take().map(OwnedFd::from), stream: Stream::Stdout, meter: Meter::default() },
        Pipe { fd: child.stderr.take().map(OwnedFd::from), stream: Stream::Stderr, meter: Meter::default() },
    ];
    let mut allowance = Allowance(args.output_bytes);
    let mut clock = Clock::new(started + Duration::from_millis(args.timeout_ms).min(max_time));
    let timeout = Stop { cause: Cause::TimedOut, grace: Duration::from_millis(args.kill_grace_ms) };

    let status = loop {
        let (status, stop) = running.state();
        let now = Instant::now();
        if let Some(status) = status {
            let drained = pipes.iter().all(|pipe| pipe.fd.is_none());
            if drained || now >= *clock.drain_until.get_or_insert(now + DRAIN) {
                break status;
            }
        } else if let Some(stop) = stop {
            match clock.kill_at {
                None => {
                    registry.signal(running, Signal::TERM);
                    // A stopped process handles TERM only once it is continued.
                    registry.signal(running, Signal::CONT);
                    clock.kill_at = Some(now + stop.grace);
                }
                Some(at) if now >= at => {
                    registry.signal(running, Signal::KILL);
                    clock.kill_at = Some(now + Duration::from_secs(1));
                }
                Some(_) => {}
            }
        } else if now >= clock.deadline {
            running.stop(timeout);
        }
        wait_for_something(running, &pipes, input.as_ref(), clock.next());
        let _ = rustix::io::read(&running.wake, &mut [0u8; 8]);
        if input.as_mut().is_some_and(|input| input.feed()) {
            input = None;
        }
        for pipe in &mut pipes {
            forward(pipe, &mut allowance, id, send);
        }
    };

    let cause = running.state().1.map_or(Cause::Exited, |stop| stop.cause);
    if cause != Cause::Exited && registry.is_alone(id) {
        // Whoever had to be ended may have left processes outside of the group; all of them are its own.
        processes::kill_all_descendants();
    }
    let exit = end_of_output(pipes, status, cause, started.elapsed(), id, send);
    // Before the last frame: once the client knows of the end, its next request finds the place free.
    registry.remove(id);
    send(&exit, &[]);
}

/// When the loop has to act even if nothing happens.
struct Clock {
    deadline: Instant,
    kill_at: Option<Instant>,
    drain_until: Option<Instant>,
}

impl Clock {
    fn new(deadline: Instant) -> Clock {
        Clock { deadline, kill_at: None, drain_until: None }
    }

    fn next(&self) -> Instant {
        self.drain_until.or(self.kill_at).unwrap_or(self.deadline)
    }
}

/// Standard input that is fed as fast as the child takes it.
struct Input {
    pipe: ChildStdin,
    bytes: Vec<u8>,
    fed: usize,
}

impl Input {
    fn new(pipe: ChildStdin, bytes: Vec<u8>) -> Input {
        // A child that reads nothing must not hold the loop.
        let _ = rustix::io::ioctl_fionbio(&pipe, true);
        Input { pipe, bytes, fed: 0 }
    }

    /// Writes what fits; true once everything is written, or nobody reads any more.
    fn feed(&mut self) -> bool {
        match self.pipe.write(&self.bytes[self.fed..]) {
            Ok(count) => self.fed += count,
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
        self.fed == self.bytes.len()
    }
}

fn wait_for_something(running: &Running, pipes: &[Pipe], input: Option<&Input>, until: Instant) {
    let mut fds = vec![PollFd::new(&running.wake, PollFlags::IN)];
    fds.extend(pipes.iter().filter_map(|pipe| pipe.fd.as_ref()).map(|fd| PollFd::new(fd, PollFlags::IN)));
    fds.extend(input.map(|input| PollFd::from_borrowed_fd(input.pipe.as_fd(), PollFlags::OUT)));
    let left = until.saturating_duration_since(Instant::now());
    let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
    // An interrupted wait is just a short one: the loop looks at everything anew.
    let _ = poll(&mut fds, Some(&timeout));
}

/// Forwards one chunk if there is one now.
fn forward(pipe: &mut Pipe, allowance: &mut Allowance, id: u32, send: &Send) {
    let Some(fd) = &pipe.fd else { return };
    let mut ready = [PollFd::new(fd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if !matches!(poll(&mut ready, Some(&now)), Ok(1)) {
        return;
    }
    let mut chunk = [0u8; CHUNK];
    match rustix::io::read(fd, &mut chunk) {
        Err(rustix::io::Errno::INTR) => {}
        Ok(0) | Err(_) => pipe.fd = None,
        Ok(count) => {
            let live = pipe.meter.take(&chunk[..count], allowance);
            if !live.is_empty() {
                send(&Reply::Output { id, stream: pipe.stream, omitted: None }, live);
            }
        }
    }
}

/// Sends what was held back of the output, and returns the last frame.
fn end_of_output(
    pipes: [Pipe; 2],
    status: WaitStatus,
    cause: Cause,
    duration: Duration,
    id: u32,
    send: &Send,
) -> Reply {
    let [stdout, stderr] = &pipes;
    let exit = Reply::Exit {
        id,
        cause,
        code: status.exit_status(),
        signal: status.terminating_signal(),
        duration_ms: duration.as_millis() as u64,
        stdout_bytes: stdout.meter.total,
        stderr_bytes: stderr.meter.total,
        truncated: stdout.meter.truncated() || stderr.meter.truncated(),
    };
    for Pipe { meter, stream, .. } in pipes {
        if let Some((omitted, tail)) = meter.rest() {
            send(&Reply::Output { id, stream, omitted: Some(omitted) }, &tail);
        }
    }
    exit
}
