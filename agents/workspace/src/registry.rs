//! The execs that run, and the reaping of every child: as process 1 of its container the server adopts all orphans.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait};

use crate::error::{Code, Failure, failure, from_errno, from_io};
use crate::protocol::Cause;

/// A lock that goes on after a panic elsewhere: every critical section here leaves its data consistent.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A demand to end an exec: why, and how long it may take after TERM.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub cause: Cause,
    pub grace: Duration,
}

#[derive(Debug, Default)]
struct State {
    status: Option<WaitStatus>,
    stop: Option<Stop>,
}

/// One exec that was started.
#[derive(Debug)]
pub struct Running {
    pub exec: u32,
    pub pid: Pid,
    /// Becomes readable whenever the state has changed.
    pub wake: OwnedFd,
    state: Mutex<State>,
}

impl Running {
    /// How the leader ended, and what was demanded.
    pub fn state(&self) -> (Option<WaitStatus>, Option<Stop>) {
        let state = lock(&self.state);
        (state.status, state.stop)
    }

    /// Demands the end; the first demand counts.
    pub fn stop(&self, stop: Stop) {
        lock(&self.state).stop.get_or_insert(stop);
        self.notify();
    }

    fn notify(&self) {
        // Fails only when the counter is full, and then it is readable anyway.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

#[derive(Debug, Default)]
struct Inner {
    by_exec: HashMap<u32, Arc<Running>>,
    /// Leaders that are not reaped yet: only their process groups may be signalled, later the number may be another's.
    by_pid: HashMap<i32, Arc<Running>>,
}

#[derive(Debug, Default)]
pub struct Registry {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Registry {
    /// Starts a command as the leader of a process group of its own, unless `max` execs run already.
    pub fn spawn(&self, exec: u32, max: usize, command: &mut Command) -> Result<(Arc<Running>, Child), Failure> {
        // Held until the child is entered, so that nobody reaps it unknown. It also keeps the reaper away while the
        // standard library waits for a child whose exec failed.
        let mut inner = lock(&self.inner);
        if inner.by_exec.contains_key(&exec) {
            return Err(failure(Code::InvalidRequest, format!("id {exec} is in use by an exec that runs")));
        }
        if inner.by_exec.len() >= max {
            return Err(failure(Code::TooManyExecs, format!("{max} execs run already")));
        }
        let wake =
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|errno| from_errno(errno, "eventfd"))?;
        let child = command.spawn().map_err(|error| {
            let program = command.get_program().to_string_lossy();
            failure(Code::SpawnFailed, from_io(&error, &program).message)
        })?;
        let pid = Pid::from_child(&child);
        let running = Arc::new(Running { exec, pid, wake, state: Mutex::default() });
        inner.by_exec.insert(exec, Arc::clone(&running));
        inner.by_pid.insert(pid.as_raw_pid(), Arc::clone(&running));
        self.changed.notify_all();
        Ok((running, child))
    }

    /// Reaps every child that has ended. What is left in the process group of an ended exec is killed.
    pub fn reap(&self) {
        let mut inner = lock(&self.inner);
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let Some(running) = inner.by_pid.remove(&pid.as_raw_pid()) {
                let _ = kill_process_group(pid, Signal::KILL);
                lock(&running.state).status = Some(status);
                running.notify();
            }
        }
    }

    /// Signals the process group of an exec whose leader has not ended.
    pub fn signal(&self, running: &Running, signal: Signal) {
        let inner = lock(&self.inner);
        if inner.by_pid.contains_key(&running.pid.as_raw_pid()) {
            let _ = kill_process_group(running.pid, signal);
        }
    }

    /// Demands the end of one exec; false when there is none of that id.
    pub fn stop(&self, exec: u32, stop: Stop) -> bool {
        lock(&self.inner).by_exec.get(&exec).map(|running| running.stop(stop)).is_some()
    }

    pub fn stop_all(&self, stop: Stop) {
        lock(&self.inner).by_exec.values().for_each(|running| running.stop(stop));
    }

    /// Forgets an exec whose end was reported.
    pub fn remove(&self, exec: u32) {
        lock(&self.inner).by_exec.remove(&exec);
        self.changed.notify_all();
    }

    /// Whether no other exec runs beside this one.
    pub fn is_alone(&self, exec: u32) -> bool {
        lock(&self.inner).by_exec.keys().all(|id| *id == exec)
    }

    /// Waits until nothing runs, at most for `limit`.
    pub fn wait_idle(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut inner = lock(&self.inner);
        while !inner.by_exec.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Blocks until something runs.
    pub fn wait_busy(&self) {
        let mut inner = lock(&self.inner);
        while inner.by_exec.is_empty() {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
