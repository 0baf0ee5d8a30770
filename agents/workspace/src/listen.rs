//! Listens on behalf of a program that takes a while to start: who connects meanwhile waits instead of being refused.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

/// Where the program finds the number of the listening socket.
const SOCKET: &str = "MILLWRIGHT_HTTP_FD";

/// Listens on `port` and becomes the program, which inherits the socket. Returns only when that fails.
pub fn listen(port: Option<&str>, program: &[&str]) -> Result<(), String> {
    let port: u16 = port.unwrap_or("8080").parse().map_err(|error| format!("MILLWRIGHT_HTTP_PORT: {error}"))?;
    let [name, arguments @ ..] = program else { return Err("listen: a program is required".to_owned()) };
    let run = || -> std::io::Result<std::convert::Infallible> {
        let any = (Ipv6Addr::UNSPECIFIED, port);
        // A node may have no IPv6.
        let listener = TcpListener::bind(any).or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))?;
        fcntl_setfd(&listener, FdFlags::empty())?;
        Err(Command::new(name).args(arguments).env(SOCKET, listener.as_raw_fd().to_string()).exec())
    };
    run().map(|_| ()).map_err(|error| format!("cannot listen on {port} for {name}: {error}"))
}
