//! Commands: what they get, what they give, and how they end.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Server, gone};
use serde_json::{Value, json};

#[test]
fn output_exit_code_environment_directory_and_input() {
    let server =
        Server::start("basic", &[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("IMAGE_SETTING", "from the image")]);
    let mut client = server.connect();
    fs::create_dir(server.root().join("sub")).unwrap();

    let result = client.exec(json!({ "script": "cat; echo oops >&2; exit 3" }), b"from stdin");
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("from stdin", "oops\n"));
    assert_eq!((&result.exit["code"], &result.exit["cause"]), (&json!(3), &json!("exited")));
    assert_eq!((&result.exit["stdoutBytes"], &result.exit["truncated"]), (&json!(10), &json!(false)));

    let env = json!({ "argv": ["env"], "cwd": "sub", "env": { "GIVEN": "1" }, "imageEnv": false });
    let mut names: Vec<String> = client.exec(env, &[]).stdout.lines().map(str::to_owned).collect();
    names.sort();
    assert_eq!(names, ["GIVEN=1"]);
    let names = client.script("env").stdout;
    assert!(names.contains("IMAGE_SETTING=from the image\n"), "{names}");
    assert!(!names.contains("MILLWRIGHT_") && !names.contains("KUBERNETES_"), "{names}");

    let result = client.exec(json!({ "argv": ["pwd"], "cwd": "sub" }), &[]);
    assert_eq!(result.stdout.trim(), server.root().join("sub").to_str().unwrap());
    assert_eq!(client.script("kill -9 $$").exit["signal"], 9);
}

#[test]
fn output_comes_live() {
    let server = Server::start("live", &[]);
    let mut client = server.connect();
    let go = server.root().join("go");
    let id = client.start(json!({ "script": "echo one; until [ -e go ]; do sleep 0.02; done; echo two" }), &[]);
    let result = client.finish(id, |chunk| {
        if chunk == "one\n" {
            fs::write(&go, "").unwrap();
        }
    });
    assert_eq!((result.stdout.as_str(), &result.exit["code"]), ("one\ntwo\n", &json!(0)));
}

#[test]
fn a_timeout_ends_the_whole_group_even_when_it_ignores_term() {
    let server = Server::start("timeout", &[]);
    let mut client = server.connect();
    let script = "trap '' TERM; (trap '' TERM; sleep 100) & echo $!; while :; do sleep 1; done";
    let result = client.exec(json!({ "script": script, "timeoutMs": 300, "killGraceMs": 200 }), &[]);
    assert_eq!((&result.exit["cause"], &result.exit["signal"]), (&json!("timedOut"), &json!(9)));
    assert!(result.exit["durationMs"].as_u64().unwrap() < 5_000, "{}", result.exit);
    gone(result.stdout.trim());
}

#[test]
fn term_comes_first_so_that_a_command_can_clean_up() {
    let server = Server::start("term", &[]);
    let mut client = server.connect();
    let id = client
        .start(json!({ "script": "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done" }), &[]);
    while client.next().1 != b"ready\n" {}
    client.send("kill", &json!({ "exec": id, "graceMs": 10_000 }), &[]);
    let (mut output, mut done) = (String::new(), false);
    let exit: Value = loop {
        let (reply, payload) = client.next();
        if reply["stream"] == "stdout" {
            output.push_str(&String::from_utf8(payload).unwrap());
        }
        match reply["type"].as_str().unwrap() {
            "done" => done = true,
            "exit" => break reply,
            _ => {}
        }
    };
    assert!(done);
    assert_eq!((output.as_str(), &exit["code"], &exit["cause"]), ("bye\n", &json!(7), &json!("killed")));
    assert_eq!(client.call("kill", json!({ "exec": id }), &[]).0["code"], "unknownExec");
}

#[test]
fn what_a_command_leaves_behind_does_not_hold_its_end() {
    let server = Server::start("leftover", &[]);
    let mut client = server.connect();
    let result = client.script("sleep 100 & echo $!");
    assert_eq!(result.exit["cause"], "exited");
    gone(result.stdout.trim());
    // A daemon in a session of its own, with the pipe in its hands, survives: services started by set-up commands do so.
    let result = client.script("setsid sh -c 'echo $$; sleep 100' & sleep 0.3");
    let daemon = result.stdout.trim();
    assert!(common::process_state(daemon).is_some());
    // The end of an exec that had to be ended takes it along.
    client.exec(json!({ "script": "sleep 100", "timeoutMs": 50 }), &[]);
    gone(daemon);
}

#[test]
fn long_output_keeps_its_first_and_last_part() {
    let server = Server::start("truncate", &[]);
    let mut client = server.connect();
    let result = client.exec(json!({ "script": "seq 1 200000; echo the last line", "outputBytes": 1000 }), &[]);
    assert!(result.stdout.starts_with("1\n2\n3\n"));
    assert!(result.stdout.ends_with("200000\nthe last line\n"));
    assert_eq!(result.exit["truncated"], true);
    assert_eq!(result.exit["stdoutBytes"].as_u64().unwrap(), result.omitted + result.stdout.len() as u64);
}

#[test]
fn what_cannot_be_started_is_said_with_a_code() {
    let server = Server::start("refuse", &[("MILLWRIGHT_WORKSPACE_MAX_EXECS", "1")]);
    let mut client = server.connect();
    let limits = json!({ "timeoutMs": 1000, "outputBytes": 1000 });
    let cases = [
        (json!({ "argv": ["no-such-program"] }), "spawnFailed"),
        (json!({ "argv": [] }), "invalidRequest"),
        (json!({ "argv": ["true"], "script": "true" }), "invalidRequest"),
        (json!({ "argv": ["true"], "cwd": ".." }), "outsideWorkspace"),
        (json!({ "argv": ["true"], "cwd": "missing" }), "notFound"),
        (json!({ "argv": ["nul\u{0}"] }), "spawnFailed"),
        (json!({ "argv": ["true"], "timeoutMs": -1 }), "invalidRequest"),
        (json!({ "argv": ["true"], "surprise": 1 }), "invalidRequest"),
    ];
    for (case, code) in cases {
        let mut args = limits.clone();
        args.as_object_mut().unwrap().extend(case.as_object().unwrap().clone());
        let (reply, _) = client.call("exec", args, &[]);
        assert_eq!(reply["code"], code, "{case}: {reply}");
    }
    let first = client.start(json!({ "script": "sleep 100" }), &[]);
    assert_eq!(client.next().0["type"], "started");
    assert_eq!(
        client.call("exec", json!({ "argv": ["true"], "timeoutMs": 1, "outputBytes": 1 }), &[]).0["code"],
        "tooManyExecs"
    );
    client.call("kill", json!({ "exec": first, "graceMs": 0 }), &[]);
    assert_eq!(client.finish(first, |_| {}).exit["cause"], "killed");
    assert_eq!(client.script("echo again").stdout, "again\n");
}

#[test]
fn several_execs_run_at_once() {
    let server = Server::start("parallel", &[]);
    let mut client = server.connect();
    let waiter = client.start(json!({ "script": "until [ -e made ]; do sleep 0.02; done" }), &[]);
    let maker = client.start(json!({ "script": "touch made" }), &[]);
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let (reply, _) = client.next();
        if reply["type"] == "exit" {
            assert_eq!(reply["code"], 0);
            ended.push(reply["id"].as_u64().unwrap() as u32);
        }
    }
    // The first can only end because the second ran beside it.
    ended.sort_unstable();
    assert_eq!(ended, [waiter, maker]);
}
