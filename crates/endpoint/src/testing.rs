//! An endpoint for tests: on a port of its own, over a log in a folder of the caller's.

use crate::{Error, Options, serve_with};
use ports::embedded::{LogOptions, OpenError, SqliteLog};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A running endpoint. Dropping it closes it without waiting.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The log that it serves.
    pub log: Arc<SqliteLog>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), Error>>,
}

/// Why a test's endpoint could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The log could not be opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The port could not be had.
    #[error(transparent)]
    Port(#[from] std::io::Error),
}

/// Opens `events.db` in this folder, which exists, and serves it on a free port.
///
/// # Errors
/// When the log cannot be opened or no port is free.
pub async fn spawn(folder: &Path) -> Result<Running, SpawnError> {
    spawn_at(
        folder,
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        Options::default(),
    )
    .await
}

/// The same at a given address, such as where another endpoint was before.
///
/// # Errors
/// When the log cannot be opened or the address cannot be had.
pub async fn spawn_at(folder: &Path, address: SocketAddr, options: Options) -> Result<Running, SpawnError> {
    let log = SqliteLog::open(&folder.join("events.db"), LogOptions::default())?;
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve_with(log.clone(), listener, options, async {
        // A dropped sender stops it too.
        let _ = stopped.await;
    });
    Ok(Running {
        address,
        log,
        stop: Some(stop),
        task: tokio::spawn(serving),
    })
}

impl Running {
    /// What clients connect with.
    pub fn url(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    /// Closes the endpoint and waits until it has, so that its address and its log are free.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the endpoint had failed"),
            Err(error) => tracing::error!(%error, "the endpoint had panicked"),
        }
    }
}
