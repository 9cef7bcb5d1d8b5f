//! Where log lines go: standard error, so that standard output stays for what a command was asked for.

use crate::settings::{LogFormat, Settings};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging as the settings say. Once per process; a second time does nothing.
pub fn start(settings: &Settings) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Failing means that somebody, such as a test, has started it before.
    let _ = match settings.log_format {
        LogFormat::Text => lines.with_target(true).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
