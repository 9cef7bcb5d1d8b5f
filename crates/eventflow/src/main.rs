//! EventFlow, the program. See `eventflow --help`.

use clap::Parser;
use eventflow::{cli::Cli, run};
use std::process::ExitCode;

/// Many small, short-lived values are made by one thread and freed by another, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eventflow: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
