//! Serves the log of a folder until it is told to stop: `cargo run --example serve -- FOLDER 127.0.0.1:2113`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ports::embedded::{LogOptions, SqliteLog};
use std::path::Path;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder");
    let address = arguments.next().expect("an address");
    std::fs::create_dir_all(&folder).unwrap();
    let log = SqliteLog::open(&Path::new(&folder).join("events.db"), LogOptions::default()).unwrap();
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let stopped = async {
        tokio::signal::ctrl_c().await.unwrap();
    };
    endpoint::serve(log, listener, stopped).await.unwrap();
}
