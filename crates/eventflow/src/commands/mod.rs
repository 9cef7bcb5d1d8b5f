//! The subcommands beside `dev` and `bench`, one file each.

pub mod admin;
pub mod dead_letters;
pub mod eventstore;
pub mod forget;
pub mod health;
pub mod keys;
pub mod rebuild;
pub mod replay;
pub mod sagas;
pub mod verify;

use crate::{ProgramError, client};
use std::{net::SocketAddr, path::Path};

/// Sends one request to the `dev` that runs on a data folder; status and body.
async fn ask_running(
    address: SocketAddr,
    method: &str,
    path: &str,
) -> Result<(u16, serde_json::Value), ProgramError> {
    let mut bytes = Vec::new();
    client::request(&mut bytes, method, path, "Connection: close\r\n", b"");
    let mut connection = client::Connection::open(address).await?;
    let response = connection.send(&bytes).await?;
    Ok((response.status, response.json()))
}

/// A runtime for a short conversation.
fn small_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The reader of a folder's log; nothing is made.
fn open_log(data: &Path) -> Result<ports::embedded::LogReader, ProgramError> {
    let path = data.join("events.db");
    if !path.exists() {
        return Err(ProgramError::NoLog(data.display().to_string()));
    }
    Ok(ports::embedded::SqliteLog::open_read_only(&path)?)
}
