//! Peers and commands that mean harm.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Server, gone};
use serde_json::json;

#[test]
fn nonsense_costs_the_connection_and_never_the_server() {
    let server = Server::start("garbage", &[("MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS", "60")]);
    let deep =
        format!("{{\"id\":1,\"op\":\"stat\",\"args\":{{\"path\":{}1{}}}}}", "[".repeat(10_000), "]".repeat(10_000));
    let framed = |header: &[u8]| {
        let mut bytes = Vec::from((header.len() as u32).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(header);
        bytes
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("lengths of 4 GiB", vec![0xff; 8]),
        ("a payload beyond the limit", vec![0, 0, 0, 2, 0, 0x10, 0, 1]),
        ("no JSON", framed(b"GET / HTTP/1.1")),
        ("an empty header", framed(b"")),
        ("JSON that is no object", framed(b"[1]")),
        ("no id", framed(b"{\"op\":\"stat\"}")),
        ("a negative id", framed(b"{\"id\":-1,\"op\":\"stat\"}")),
        ("nesting without end", framed(deep.as_bytes())),
        ("no UTF-8", framed(b"{\"id\":1,\"op\":\"\xff\"}")),
    ];
    for (name, bytes) in cases {
        let mut client = common::eventually("control is free again", || {
            let mut client = server.dial();
            (client.next().0["type"] == "hello").then_some(client)
        });
        client.stream.write_all(&bytes).unwrap();
        assert_eq!(client.next().0["code"], "invalidFrame", "{name}");
        assert!(client.try_next().is_err(), "{name}: the connection is closed");
    }
    let mut client = common::eventually("control is free again", || {
        let mut client = server.dial();
        (client.next().0["type"] == "hello").then_some(client)
    });
    // Well-formed frames with a bad request cost that request only.
    for (op, args) in
        [("fly", json!({})), ("stat", json!({})), ("stat", json!({ "path": 1 })), ("shutdown", json!({ "now": 1 }))]
    {
        assert_eq!(client.call(op, args.clone(), &[]).0["code"], "invalidRequest", "{op} {args}");
    }
    assert_eq!(client.script("echo still here").stdout, "still here\n");
}

#[test]
fn a_fork_bomb_is_ended() {
    let server = Server::start_contained("forks", &[("MILLWRIGHT_WORKSPACE_MAX_PROCESSES", "64")]);
    let mut client = server.connect();
    let started = Instant::now();
    // Each process leaves the group of its parent, so a signal to the group alone would not do.
    fs::write(server.root().join("bomb"), "setsid sh ./bomb & setsid sh ./bomb & wait; sleep 100").unwrap();
    let result = client.script("sh ./bomb");
    assert_eq!(result.exit["cause"], "tooManyProcesses");
    assert!(started.elapsed() < Duration::from_secs(15));
    let left = client.script("ls /proc | grep -c '^[0-9]'").stdout;
    assert!(left.trim().parse::<u32>().unwrap() < 8, "{left}");
}

#[test]
fn more_processes_than_allowed_end_an_exec_outside_of_a_container_too() {
    let server = Server::start("processes", &[("MILLWRIGHT_WORKSPACE_MAX_PROCESSES", "16")]);
    let mut client = server.connect();
    let result = client.script("for i in $(seq 1 30); do setsid sleep 100 & done; wait");
    assert_eq!(result.exit["cause"], "tooManyProcesses");
    let children = format!("/proc/{0}/task/{0}/children", server.child.id());
    common::eventually("nothing of it is left", || fs::read_to_string(&children).unwrap().is_empty().then_some(()));
}

#[test]
fn memory_of_all_processes_together_is_bounded() {
    let server = Server::start("memory", &[("MILLWRIGHT_WORKSPACE_MAX_MEMORY_BYTES", "200000000")]);
    let mut client = server.connect();
    let hold = "python3 -c 'x = b\"x\" * 120_000_000; import time; time.sleep(60)'";
    assert_eq!(client.script(&format!("{hold} & {hold} & wait")).exit["cause"], "memoryExceeded");
    let result = client.script("python3 -c 'x = b\"x\" * 400_000_000'");
    assert!(result.stderr.contains("MemoryError"), "one process alone is stopped by its own limit: {result:?}");
}

#[test]
fn a_flood_of_output_neither_fills_the_server_nor_the_client() {
    let server = Server::start("flood", &[]);
    let mut client = server.connect();
    let result = client.exec(json!({ "script": "yes", "timeoutMs": 1500, "outputBytes": 100_000 }), &[]);
    assert_eq!((&result.exit["cause"], &result.exit["truncated"]), (&json!("timedOut"), &json!(true)));
    assert!(result.stdout.len() < 150_000);
    assert!(result.exit["stdoutBytes"].as_u64().unwrap() > 1_000_000);
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
    let kib: u64 = resident.split(' ').next().unwrap().parse().unwrap();
    assert!(kib < 32 * 1024, "{resident}");
}

#[test]
fn limits_hold_for_commands() {
    let server = Server::start("limits", &[("MILLWRIGHT_WORKSPACE_MAX_OPEN_FILES", "100")]);
    let mut client = server.connect();
    assert_eq!(client.script("ulimit -n; ulimit -c").stdout, "100\n0\n");
    let own: u32 = String::from_utf8(Command::new("nice").output().unwrap().stdout).unwrap().trim().parse().unwrap();
    assert_eq!(client.script("nice").stdout.trim(), (own + 10).min(19).to_string(), "the server goes first");
}

#[test]
fn a_command_cannot_take_control() {
    let server = Server::start("impostor", &[("MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS", "60")]);
    let mut client = server.connect();
    let script = "python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect(\"../socket\")
print(s.recv(4096))'";
    let result = client.script(script);
    assert!(result.stdout.contains("forbidden"), "{result:?}");
    // Neither can it read the server's memory, although it is the same user.
    let result = client.script(&format!("head -c 1 /proc/{}/mem", server.child.id()));
    assert_ne!(result.exit["code"], 0);
}

#[test]
fn orphans_are_adopted_and_reaped() {
    let server = Server::start("orphans", &[]);
    let mut client = server.connect();
    let result = client.script("(setsid sh -c 'echo $$; sleep 0.2' &) ; sleep 0.1");
    gone(result.stdout.trim());
}
