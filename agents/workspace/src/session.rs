//! One client that holds control: its requests in, replies out.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::config::Config;
use crate::error::{Code, Failure, failure};
use crate::exec;
use crate::files;
use crate::frame::{self, ReadError};
use crate::processes;
use crate::protocol::{self, Cause, ExecArgs, Reply, Request, VERSION};
use crate::registry::{Registry, Stop, lock};
use crate::root::Root;

/// A client that takes nothing for this long is as good as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What all sessions share.
#[derive(Debug)]
pub struct Shared {
    pub config: Config,
    pub root: Root,
    pub registry: Registry,
}

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The client is gone, or spoke nonsense.
    Lost,
    /// The client asked the server to exit.
    Shutdown,
}

/// The writing half, used by all execs of the session.
#[derive(Debug)]
struct Replies(Mutex<UnixStream>);

impl Replies {
    fn send(&self, reply: &Reply, payload: &[u8]) {
        let stream = lock(&self.0);
        if write_reply(&stream, reply, payload).is_err() {
            // The reading half notices and ends the session.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn refuse(&self, id: Option<u32>, Failure { code, message }: Failure) {
        self.send(&Reply::Error { id, code, message }, &[]);
    }
}

/// Writes one reply.
pub fn write_reply(mut stream: &UnixStream, reply: &Reply, payload: &[u8]) -> io::Result<()> {
    frame::write(&mut stream, &serde_json::to_vec(reply)?, payload)
}

/// Serves a client until it leaves. Nothing it started outlives it.
pub fn run(shared: &Arc<Shared>, stream: UnixStream) -> End {
    let end = converse(shared, stream).unwrap_or(End::Lost);
    let now = Stop { cause: Cause::Killed, grace: Duration::ZERO };
    shared.registry.stop_all(now);
    shared.registry.wait_idle(Duration::from_secs(5));
    processes::kill_all_descendants();
    end
}

fn converse(shared: &Arc<Shared>, mut stream: UnixStream) -> io::Result<End> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let replies = Arc::new(Replies(Mutex::new(stream.try_clone()?)));
    let hello = Reply::Hello {
        version: VERSION,
        root: shared.config.root.to_string_lossy().into_owned(),
        max_header_bytes: frame::MAX_HEADER_BYTES,
        max_payload_bytes: frame::MAX_PAYLOAD_BYTES,
        max_execs: shared.config.limits.parallel_execs,
    };
    replies.send(&hello, &[]);
    loop {
        let frame = match frame::read(&mut stream) {
            Ok(frame) => frame,
            Err(ReadError::TooLong(message)) => {
                replies.refuse(None, failure(Code::InvalidFrame, message));
                return Ok(End::Lost);
            }
            Err(ReadError::Closed | ReadError::Io(_)) => return Ok(End::Lost),
        };
        match protocol::parse(&frame.header) {
            Ok((id, Request::Shutdown)) => {
                replies.send(&Reply::Done { id }, &[]);
                return Ok(End::Shutdown);
            }
            Ok((id, request)) => {
                if let Err(failure) = answer(shared, &replies, id, request, frame.payload) {
                    replies.refuse(Some(id), failure);
                }
            }
            Err((id, failure)) => {
                replies.refuse(id, failure);
                if id.is_none() {
                    return Ok(End::Lost);
                }
            }
        }
    }
}

fn answer(
    shared: &Arc<Shared>,
    replies: &Arc<Replies>,
    id: u32,
    request: Request,
    payload: Vec<u8>,
) -> Result<(), Failure> {
    match request {
        Request::Exec(args) => start(shared, replies, id, args, payload)?,
        Request::Kill(args) => {
            let grace = Duration::from_millis(args.grace_ms.unwrap_or(5_000));
            if !shared.registry.stop(args.exec, Stop { cause: Cause::Killed, grace }) {
                return Err(failure(Code::UnknownExec, format!("no exec {} runs", args.exec)));
            }
            replies.send(&Reply::Done { id }, &[]);
        }
        Request::Read(args) => {
            let (content, bytes) = files::read(&shared.root, &args)?;
            replies.send(&Reply::Content { id, bytes }, &content);
        }
        Request::Write(args) => {
            files::write(&shared.root, &args, &payload)?;
            replies.send(&Reply::Done { id }, &[]);
        }
        Request::List(args) => {
            let (entries, truncated) = files::list(&shared.root, &args.path)?;
            let payload = serde_json::to_vec(&entries).map_err(|error| failure(Code::Io, error.to_string()))?;
            replies.send(&Reply::Entries { id, truncated }, &payload);
        }
        Request::Stat(args) => {
            let entry = files::stat(&shared.root, &args.path)?;
            replies.send(&Reply::Stat { id, entry }, &[]);
        }
        Request::Shutdown => unreachable!("ends the conversation before it gets here"),
    }
    Ok(())
}

fn start(
    shared: &Arc<Shared>,
    replies: &Arc<Replies>,
    id: u32,
    mut args: ExecArgs,
    stdin: Vec<u8>,
) -> Result<(), Failure> {
    let limits = shared.config.limits;
    args.output_bytes = args.output_bytes.min(limits.output_bytes);
    let mut command = exec::command(&shared.root, &limits, &args, !stdin.is_empty())?;
    let (running, child) = shared.registry.spawn(id, limits.parallel_execs, &mut command)?;
    let task = {
        let (shared, replies, running) = (Arc::clone(shared), Arc::clone(replies), Arc::clone(&running));
        move || {
            let send = move |reply: &Reply, payload: &[u8]| replies.send(reply, payload);
            exec::supervise(&shared.registry, &running, child, &args, stdin, limits.exec_time, &send);
        }
    };
    if let Err(error) = thread::Builder::new().name(format!("exec-{id}")).spawn(task) {
        shared.registry.signal(&running, rustix::process::Signal::KILL);
        shared.registry.remove(id);
        return Err(failure(Code::SpawnFailed, format!("no thread for the exec: {error}")));
    }
    Ok(())
}
