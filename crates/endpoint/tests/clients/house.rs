//! What every story needs: a folder, an endpoint in it, and patience with an end.

use endpoint::{
    Options,
    testing::{Running, spawn_at},
};
use ports::{Clock, embedded::SqliteLog};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An endpoint in a folder of its own, which goes with it.
pub struct House {
    folder: PathBuf,
    running: Option<Running>,
    address: SocketAddr,
    options: Options,
}

impl House {
    pub async fn new() -> Self {
        // Pages so small that every story turns some.
        Self::with(Options {
            page_events: 3,
            ..Options::default()
        })
        .await
    }

    pub async fn with(options: Options) -> Self {
        let folder = std::env::temp_dir().join(format!("endpoint-{}", Uuid::new_v4()));
        fs::create_dir_all(&folder).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = spawn_at(&folder, address, options).await.unwrap();
        Self {
            folder,
            address: running.address,
            running: Some(running),
            options,
        }
    }

    /// The connection string. The clients wait between attempts, half a second by default, even before the first.
    pub fn url(&self) -> String {
        let address = self.address;
        format!(
            "esdb://{address}?tls=false&discoveryInterval=20&maxDiscoverAttempts=500&keepAliveInterval=10000"
        )
    }

    /// The same, for clients that ask first who is there.
    pub fn discovering_url(&self) -> String {
        self.url().replace("esdb://", "esdb+discover://")
    }

    pub fn log(&self) -> Arc<SqliteLog> {
        self.running.as_ref().unwrap().log.clone()
    }

    pub async fn close(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    pub async fn open(&mut self) {
        self.running = Some(spawn_at(&self.folder, self.address, self.options).await.unwrap());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // What the system keeps from us, it removes itself one day.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits, but not for ever.
pub async fn soon<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it takes too long")
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    ports::SystemClock.now().0
}
