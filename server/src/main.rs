//! The `lectern` binary: it reads the configuration, puts implementations into the ports, and offers
//! the result as commands and over HTTP.
//!
//! A command goes `cli -> config -> data_folder -> compose -> the stage it asks`; a request goes
//! `http -> auth -> the stage it asks -> render`. No searching, parsing or writing is done here.

mod config;
mod data_folder;
mod analytics;
mod compose;
mod sources;
mod rules_file;
mod search_settings;
mod auth;
mod http;
mod render;
mod cli;
mod demo;
mod random;
mod eval;
mod bench;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
