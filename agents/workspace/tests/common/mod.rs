//! A server process of one's own for each test, and a client that speaks the protocol by hand.
#![allow(dead_code, clippy::unwrap_used, reason = "every test file uses a part of it")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_workspace-server");

pub struct Server {
    pub base: PathBuf,
    pub child: Child,
}

impl Server {
    pub fn start(name: &str, settings: &[(&str, &str)]) -> Server {
        Server::start_by(name, settings, &mut Command::new(PROGRAM))
    }

    /// As in a container: process 1 of its own process namespace, and a user whose number of processes the kernel limits.
    /// Whatever happens, all processes end with the server.
    pub fn start_contained(name: &str, settings: &[(&str, &str)]) -> Server {
        let directory = std::env::temp_dir().join(format!("workspace-program-{}", std::process::id()));
        assert!(Command::new(PROGRAM).arg("install").arg(&directory).status().unwrap().success());
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        if rustix::process::getuid().is_root() {
            command.args(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]);
        } else {
            command.args(["--user", "--map-current-user"]);
        }
        Server::start_by(name, settings, command.arg(directory.join("workspace-server")))
    }

    fn start_by(name: &str, settings: &[(&str, &str)], command: &mut Command) -> Server {
        let base = std::env::temp_dir().join(format!("workspace-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        fs::create_dir_all(base.join("root")).unwrap();
        for directory in [&base, &base.join("root")] {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let child = command
            .arg("serve")
            .env("MILLWRIGHT_WORKSPACE_SOCKET", base.join("socket"))
            .env("MILLWRIGHT_WORKSPACE_DIR", base.join("root"))
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        Server { base, child }
    }

    pub fn root(&self) -> PathBuf {
        self.base.join("root")
    }

    /// Connects as soon as the server listens; whether it grants control is not looked at.
    pub fn dial(&self) -> Client {
        let stream = eventually("the server listens", || UnixStream::connect(self.base.join("socket")).ok());
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { stream, next: 1 }
    }

    pub fn connect(&self) -> Client {
        let mut client = self.dial();
        assert_eq!(client.next().0["type"], "hello");
        client
    }

    pub fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    pub fn exited(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the server exits", || child.try_wait().unwrap())
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.base);
    }
}

pub struct Client {
    pub stream: UnixStream,
    next: u32,
}

#[derive(Debug)]
pub struct Finished {
    pub stdout: String,
    pub stderr: String,
    pub omitted: u64,
    pub exit: Value,
}

impl Client {
    pub fn send(&mut self, op: &str, args: &Value, payload: &[u8]) -> u32 {
        let id = self.next;
        self.next += 1;
        self.send_raw(json!({ "id": id, "op": op, "args": args }).to_string().as_bytes(), payload);
        id
    }

    pub fn send_raw(&mut self, header: &[u8], payload: &[u8]) {
        let mut bytes = Vec::new();
        bytes.extend((header.len() as u32).to_be_bytes());
        bytes.extend((payload.len() as u32).to_be_bytes());
        bytes.extend(header);
        bytes.extend(payload);
        self.stream.write_all(&bytes).unwrap();
    }

    pub fn try_next(&mut self) -> std::io::Result<(Value, Vec<u8>)> {
        let mut lengths = [0u8; 8];
        self.stream.read_exact(&mut lengths)?;
        let [a, b, c, d, e, f, g, h] = lengths;
        let mut header = vec![0; u32::from_be_bytes([a, b, c, d]) as usize];
        let mut payload = vec![0; u32::from_be_bytes([e, f, g, h]) as usize];
        self.stream.read_exact(&mut header)?;
        self.stream.read_exact(&mut payload)?;
        Ok((serde_json::from_slice(&header).unwrap(), payload))
    }

    pub fn next(&mut self) -> (Value, Vec<u8>) {
        self.try_next().unwrap()
    }

    /// One request, one reply.
    pub fn call(&mut self, op: &str, args: Value, payload: &[u8]) -> (Value, Vec<u8>) {
        let id = self.send(op, &args, payload);
        let (reply, payload) = self.next();
        assert_eq!(reply["id"], id, "{reply}");
        (reply, payload)
    }

    /// Starts an exec; missing limits are filled in.
    pub fn start(&mut self, mut args: Value, stdin: &[u8]) -> u32 {
        let fields = args.as_object_mut().unwrap();
        fields.entry("timeoutMs").or_insert(json!(20_000));
        fields.entry("outputBytes").or_insert(json!(1_000_000));
        fields.entry("imageEnv").or_insert(json!(true));
        self.send("exec", &args, stdin)
    }

    /// Collects everything about one exec up to its end; `see` gets each chunk as it comes.
    pub fn finish(&mut self, id: u32, mut see: impl FnMut(&str)) -> Finished {
        let (mut stdout, mut stderr, mut omitted) = (Vec::new(), Vec::new(), 0);
        loop {
            let (reply, payload) = self.next();
            assert_eq!(reply["id"], id, "{reply}");
            match reply["type"].as_str().unwrap() {
                "started" => {}
                "output" => {
                    omitted += reply["omitted"].as_u64().unwrap_or(0);
                    see(&String::from_utf8_lossy(&payload));
                    if reply["stream"] == "stdout" { stdout.extend(payload) } else { stderr.extend(payload) }
                }
                "exit" => {
                    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                    return Finished { stdout: text(stdout), stderr: text(stderr), omitted, exit: reply };
                }
                _ => panic!("{reply}"),
            }
        }
    }

    pub fn exec(&mut self, args: Value, stdin: &[u8]) -> Finished {
        let id = self.start(args, stdin);
        self.finish(id, |_| {})
    }

    pub fn script(&mut self, script: &str) -> Finished {
        self.exec(json!({ "script": script }), &[])
    }
}

pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// State letter of a process, None when it is gone.
pub fn process_state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Waits until a process has ended and was reaped.
pub fn gone(pid: &str) {
    assert!(pid.parse::<u32>().is_ok(), "not a process number: {pid:?}");
    eventually("the process is gone", || process_state(pid).is_none().then_some(()));
}
