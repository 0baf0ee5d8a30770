//! Files, and paths that hostile code has prepared.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use common::Server;
use serde_json::json;

#[test]
fn write_read_append_stat_and_list() {
    let server = Server::start("files", &[]);
    let mut client = server.connect();
    let write = |args| ("write", args);
    let (op, args) = write(json!({ "path": "a/b/file", "parents": true, "mode": 0o755 }));
    assert_eq!(client.call(op, args, b"one\x00\xfftwo").0["type"], "done");
    assert_eq!(client.call("write", json!({ "path": "a/b/file", "append": true }), b"three").0["type"], "done");
    let (reply, content) = client.call("read", json!({ "path": "a/b/file" }), &[]);
    assert_eq!((reply["bytes"].as_u64(), content.as_slice()), (Some(13), b"one\x00\xfftwothree".as_slice()));
    let (reply, content) = client.call("read", json!({ "path": "a/b/file", "offset": 5, "length": 3 }), &[]);
    assert_eq!((reply["bytes"].as_u64(), content.as_slice()), (Some(13), b"two".as_slice()));

    let (reply, _) = client.call("stat", json!({ "path": "a/b/file" }), &[]);
    assert_eq!((&reply["entry"]["kind"], &reply["entry"]["mode"]), (&json!("file"), &json!(0o755)));
    client.call("write", json!({ "path": "a/b/file" }), b"replaced");
    let mode = fs::metadata(server.root().join("a/b/file")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o755, "replacing keeps the mode");

    symlink("b/file", server.root().join("a/link")).unwrap();
    let (_, listing) = client.call("list", json!({ "path": "a" }), &[]);
    let listing: serde_json::Value = serde_json::from_slice(&listing).unwrap();
    let kinds: Vec<_> = listing.as_array().unwrap().iter().map(|e| (&e["name"], &e["kind"])).collect();
    assert_eq!(kinds, [(&json!("b"), &json!("directory")), (&json!("link"), &json!("symlink"))]);
    assert_eq!(fs::read_dir(server.root().join("a/b")).unwrap().count(), 1, "no partial file is left");
}

#[test]
fn nothing_outside_is_read_or_written() {
    let server = Server::start("escape", &[]);
    let secret = server.base.join("secret");
    fs::write(&secret, "theirs").unwrap();
    let root = server.root();
    symlink(&secret, root.join("link")).unwrap();
    symlink("../secret", root.join("relative")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/proc/self/root", root.join("magic")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    let mut client = server.connect();
    for path in ["/etc/passwd", "../secret", "link", "relative", "up/secret", "magic/etc/passwd", "loop", "up"] {
        for op in ["read", "list"] {
            assert_eq!(client.call(op, json!({ "path": path }), &[]).0["code"], "outsideWorkspace", "{op} {path}");
        }
    }
    for path in ["/tmp/new", "../new", "up/new", "magic/tmp/new"] {
        for parents in [false, true] {
            let (reply, _) = client.call("write", json!({ "path": path, "parents": parents }), b"x");
            assert_eq!(reply["code"], "outsideWorkspace", "{path}: {reply}");
        }
    }
    let (reply, _) = client.call("write", json!({ "path": "link", "append": true }), b"x");
    assert_eq!(reply["code"], "outsideWorkspace", "appending follows links, but not out of the root");
    let (reply, _) = client.call("write", json!({ "path": "up/sub/new", "parents": true }), b"x");
    assert_eq!(reply["code"], "outsideWorkspace");
    assert_eq!(
        client.call("exec", json!({ "argv": ["true"], "cwd": "up", "timeoutMs": 1, "outputBytes": 1 }), &[]).0["code"],
        "outsideWorkspace"
    );

    // Replacing a link replaces the link, not what it points to.
    assert_eq!(client.call("write", json!({ "path": "link" }), b"ours").0["type"], "done");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(root.join("link")).unwrap(), "ours");
    assert_eq!(client.call("stat", json!({ "path": "relative" }), &[]).0["entry"]["kind"], "symlink");
    assert!(!server.base.join("new").exists() && !server.base.join("sub").exists());
}

#[test]
fn what_is_no_regular_file_is_refused_and_does_not_block() {
    let server = Server::start("kinds", &[]);
    let root = server.root();
    let _listener = UnixListener::bind(root.join("socket")).unwrap();
    let mut client = server.connect();
    assert_eq!(client.script("mkfifo fifo && mkdir directory").exit["code"], 0);
    for path in ["fifo", "directory", "socket"] {
        assert_eq!(client.call("read", json!({ "path": path }), &[]).0["code"], "wrongKind", "{path}");
        assert_eq!(
            client.call("write", json!({ "path": path, "append": true }), b"x").0["code"],
            "wrongKind",
            "{path}"
        );
    }
    assert_eq!(client.call("write", json!({ "path": "directory" }), b"x").0["code"], "wrongKind");
    assert_eq!(client.call("write", json!({ "path": "directory/.." }), b"x").0["code"], "invalidRequest");
    assert_eq!(client.call("read", json!({ "path": "missing" }), &[]).0["code"], "notFound");
    assert_eq!(client.call("list", json!({ "path": "fifo" }), &[]).0["code"], "wrongKind");
    assert_eq!(client.call("read", json!({ "path": "x".repeat(5000) }), &[]).0["code"], "invalidRequest");
}

#[test]
fn a_huge_directory_is_listed_in_part() {
    let server = Server::start("huge", &[]);
    let mut client = server.connect();
    assert_eq!(client.script("seq -f 'file-%g' 1 5000 | xargs touch").exit["code"], 0);
    let (reply, listing) = client.call("list", json!({ "path": "" }), &[]);
    let listing: serde_json::Value = serde_json::from_slice(&listing).unwrap();
    assert_eq!((&reply["truncated"], listing.as_array().unwrap().len()), (&json!(true), 4096));
}
