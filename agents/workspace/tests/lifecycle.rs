//! When the server ends, and when it must not.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{PROGRAM, Server, eventually, gone};
use serde_json::json;

#[test]
fn ends_when_asked_and_takes_everything_along() {
    let mut server = Server::start("shutdown", &[]);
    let mut client = server.connect();
    let daemon = client.script("setsid sleep 100 >/dev/null 2>&1 & echo $!").stdout;
    assert_eq!(client.call("shutdown", json!({}), &[]).0["type"], "done");
    assert!(server.exited().success());
    assert!(!server.base.join("socket").exists());
    gone(daemon.trim());
}

#[test]
fn only_one_client_holds_control() {
    let server = Server::start("control", &[("MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS", "60")]);
    let mut first = server.connect();
    let mode = fs::metadata(server.base.join("socket")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660);
    let mut second = server.dial();
    assert_eq!(second.next().0["code"], "busy");
    assert!(second.try_next().is_err());
    assert_eq!(first.script("echo mine").stdout, "mine\n");
    drop(first);
    eventually("control is free", || (server.dial().next().0["type"] == "hello").then_some(()));
}

#[test]
fn a_lost_client_ends_its_commands_and_after_a_while_the_server() {
    let mut server = Server::start("lost", &[("MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS", "1")]);
    let mut client = server.connect();
    client.start(json!({ "script": "trap '' TERM HUP; echo $$; while :; do sleep 1; done" }), &[]);
    let pid = loop {
        let (_, payload) = client.next();
        if !payload.is_empty() {
            break String::from_utf8(payload).unwrap();
        }
    };
    drop(client);
    gone(pid.trim());
    assert!(server.runs(), "the grace period has begun only now");
    assert!(server.exited().success());
}

#[test]
fn nobody_ever_connects() {
    let mut server = Server::start("alone", &[("MILLWRIGHT_WORKSPACE_CONNECT_GRACE_SECONDS", "1")]);
    assert!(server.exited().success());
}

#[test]
fn sigterm_ends_it_at_once_only_without_a_client() {
    let mut idle = Server::start("term-idle", &[]);
    eventually("the server listens", || idle.base.join("socket").exists().then_some(()));
    idle.terminate();
    assert!(idle.exited().success());

    let mut server = Server::start("term-busy", &[]);
    let mut client = server.connect();
    server.terminate();
    assert_eq!(client.script("sleep 0.2; echo saved").stdout, "saved\n", "the agent can still save its work");
    assert!(server.runs());
    drop(client);
    assert!(server.exited().success());
}

#[test]
fn sigterm_with_a_client_that_never_leaves() {
    let mut server = Server::start("term-stuck", &[("MILLWRIGHT_WORKSPACE_TERMINATE_GRACE_SECONDS", "1")]);
    let mut client = server.connect();
    let id = client.start(json!({ "script": "sleep 100" }), &[]);
    assert_eq!(client.next().0["id"], id);
    server.terminate();
    assert!(server.exited().success());
}

#[test]
fn installs_itself() {
    let directory = std::env::temp_dir().join(format!("workspace-install-{}", std::process::id()));
    for _ in 0..2 {
        assert!(Command::new(PROGRAM).arg("install").arg(directory.join("bin")).status().unwrap().success());
    }
    let copy = directory.join("bin/workspace-server");
    assert_eq!(fs::read(&copy).unwrap(), fs::read(PROGRAM).unwrap());
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o755);
    fs::remove_dir_all(directory).unwrap();
    let refused = Command::new(PROGRAM).args(["install", "/proc/nowhere"]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("cannot install"));
}

#[test]
fn wrong_settings_are_all_named() {
    let output =
        Command::new(PROGRAM).arg("serve").env_clear().env("MILLWRIGHT_WORKSPACE_MAX_EXECS", "0").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    for name in ["MILLWRIGHT_WORKSPACE_SOCKET", "MILLWRIGHT_WORKSPACE_DIR", "MILLWRIGHT_WORKSPACE_MAX_EXECS"] {
        assert!(message.contains(name), "{message}");
    }
}
