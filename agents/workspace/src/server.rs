//! The server's life: one client at a time, and a clean exit when it asks for it, stays away too long, or SIGTERM comes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::config::{Config, Limits};
use crate::error::Code;
use crate::peer;
use crate::processes;
use crate::protocol::{Cause, Reply};
use crate::registry::{Registry, Stop};
use crate::root::Root;
use crate::session::{self, End, Shared, write_reply};

/// How often the processes of running execs are counted.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

enum Event {
    Connection(UnixStream),
    SessionEnded(End),
    Terminate,
}

/// Serves until there is no reason to go on. Errors: the root cannot be opened, or the socket cannot be bound.
pub fn serve(config: Config) -> io::Result<()> {
    // Commands run as the same user: they must not be able to trace the server or read its memory.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_child_subreaper(Some(getpid()))?;
    let root = Root::open(&config.root)
        .map_err(|errno| io::Error::other(format!("root {}: {errno}", config.root.display())))?;
    let listener = bind(&config.socket)?;
    let shared = Arc::new(Shared { config, root, registry: Registry::default() });
    let (events, inbox) = channel();
    handle_signals(&shared, events.clone())?;
    spawn("watch", {
        let shared = Arc::clone(&shared);
        move || watch(&shared.registry, &shared.config.limits)
    })?;
    spawn("accept", {
        let events = events.clone();
        move || {
            for connection in listener.incoming() {
                match connection {
                    Ok(connection) => {
                        if events.send(Event::Connection(connection)).is_err() {
                            return;
                        }
                    }
                    // Out of file descriptors or the like: a pause, or this would spin.
                    Err(_) => thread::sleep(Duration::from_millis(50)),
                }
            }
        }
    })?;
    live(&shared, &events, &inbox)?;
    processes::kill_all_descendants();
    // Gone is gone: nothing is to be done about a socket that hostile code removed.
    let _ = fs::remove_file(&shared.config.socket);
    Ok(())
}

/// The states between start and exit.
fn live(shared: &Arc<Shared>, events: &Sender<Event>, inbox: &Receiver<Event>) -> io::Result<()> {
    let mut controlled = false;
    let mut terminating = false;
    let mut exit_at = Some(Instant::now() + shared.config.connect_grace);
    loop {
        let event = match exit_at {
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match event {
            Err(_) | Ok(Event::SessionEnded(End::Shutdown)) => return Ok(()),
            Ok(Event::Connection(stream)) => {
                if let Some((code, message)) = refusal(&stream, controlled || terminating) {
                    // Short, since nothing else happens meanwhile; the peer may not even read.
                    stream.set_write_timeout(Some(Duration::from_millis(100)))?;
                    let _ = write_reply(&stream, &Reply::Error { id: None, code, message: message.to_owned() }, &[]);
                    continue;
                }
                controlled = true;
                exit_at = None;
                let (shared, events) = (Arc::clone(shared), events.clone());
                spawn("session", move || {
                    let end = session::run(&shared, stream);
                    // The receiver is gone only when the server exits.
                    let _ = events.send(Event::SessionEnded(end));
                })?;
            }
            Ok(Event::SessionEnded(End::Lost)) => {
                if terminating {
                    return Ok(());
                }
                controlled = false;
                exit_at = Some(Instant::now() + shared.config.control_grace);
            }
            Ok(Event::Terminate) if !controlled => return Ok(()),
            // The agent got the same signal, and needs the workspace to save its work.
            Ok(Event::Terminate) if !terminating => {
                terminating = true;
                exit_at = Some(Instant::now() + shared.config.terminate_grace);
            }
            Ok(Event::Terminate) => {}
        }
    }
}

fn refusal(stream: &UnixStream, taken: bool) -> Option<(Code, &'static str)> {
    if !peer::is_foreign(stream) {
        return Some((Code::Forbidden, "processes of the workspace cannot control it"));
    }
    taken.then_some((Code::Busy, "another client holds control, or the server is about to exit"))
}

/// Binds the socket for this user and group only, in place of one that a former run has left behind.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("socket {}: {error}", path.display()));
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(explain(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(explain)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(explain)?;
    Ok(listener)
}

fn handle_signals(shared: &Arc<Shared>, events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGINT])?;
    let shared = Arc::clone(shared);
    spawn("signals", move || {
        for signal in signals.forever() {
            if signal == SIGCHLD {
                shared.registry.reap();
            } else if events.send(Event::Terminate).is_err() {
                return;
            }
        }
    })
}

/// Bounds all processes together, which limits per process cannot: fork bombs, memory spread over many processes.
fn watch(registry: &Registry, limits: &Limits) {
    loop {
        registry.wait_busy();
        let usage = processes::usage(limits.processes);
        let cause = if usage.processes > limits.processes {
            Some(Cause::TooManyProcesses)
        } else if usage.resident_bytes > limits.memory_bytes {
            Some(Cause::MemoryExceeded)
        } else {
            None
        };
        if let Some(cause) = cause {
            registry.stop_all(Stop { cause, grace: Duration::ZERO });
            processes::kill_all_descendants();
        }
        thread::sleep(WATCH_INTERVAL);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(|_| ())
}
