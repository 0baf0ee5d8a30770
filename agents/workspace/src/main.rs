//! The exec server of a sandbox: it runs the commands of a trusted agent inside the untrusted workspace container.
//!
//! `workspace-server install <dir>` copies the program (an init container does that, since the workspace's image is the project's own);
//! `workspace-server serve` is the command of the workspace container. The protocol is described in README.md.
//! `workspace-server listen <program>` starts the agent itself, in its own container.

mod config;
mod error;
mod exec;
mod files;
mod frame;
mod install;
mod limits;
mod listen;
mod output;
mod peer;
mod processes;
mod protocol;
mod registry;
mod root;
mod server;
mod session;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["serve"] => serve(),
        ["install", directory] => install::install(directory.as_ref()),
        ["listen", program @ ..] => listen::listen(std::env::var("MILLWRIGHT_HTTP_PORT").ok().as_deref(), program),
        _ => Err("usage: workspace-server serve | install <directory> | listen <program> [arguments]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("workspace-server: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), String> {
    let config = config::Config::read(|name| std::env::var(name).ok()).map_err(|errors| errors.join("\n"))?;
    server::serve(config).map_err(|error| error.to_string())
}
