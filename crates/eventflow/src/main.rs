//! EventFlow, the program. See `eventflow --help`.

use clap::Parser;
use eventflow::{cli::Cli, run};
use std::process::ExitCode;

/// Many small, short-lived values cross threads here; see docs/PERFORMANCE.md for what this allocator is worth.
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
