//! A program that is listened for while it starts.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Output};

use common::PROGRAM;

fn listen(port: &str, program: &[&str]) -> Output {
    Command::new(PROGRAM).arg("listen").args(program).env("MILLWRIGHT_HTTP_PORT", port).output().unwrap()
}

#[test]
fn the_program_inherits_the_socket() {
    let output = listen("0", &["sh", "-c", "readlink /proc/self/fd/$MILLWRIGHT_HTTP_FD; exit 3"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("socket:["));
}

#[test]
fn what_is_wrong_is_said() {
    for (port, program, said) in [
        ("many", &["true"][..], "MILLWRIGHT_HTTP_PORT"),
        ("0", &["no-such-program"], "no-such-program"),
        ("0", &[], "a program is required"),
    ] {
        let output = listen(port, program);
        assert!(!output.status.success());
        assert!(String::from_utf8(output.stderr).unwrap().contains(said));
    }
}
