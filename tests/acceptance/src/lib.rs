//! What the acceptance tests share: stories told on a running platform, and buyers who remember what they were
//! told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod buyers;
#[path = "../../../crates/eventflow/tests/common/client.rs"]
pub mod client;
#[path = "../../../crates/eventflow/tests/common/contest.rs"]
pub mod contest;
pub mod dice;
#[path = "../../../crates/eventflow/tests/common/exactness.rs"]
pub mod exactness;
#[path = "../../../crates/eventflow/tests/common/follower.rs"]
pub mod follower;

use client::Client;
use futures_util::FutureExt;
use serde_json::json;
use stack::platform::{ADMIN_EMAIL, ADMIN_PASSWORD, Platform, Shape};
use std::{
    future::Future,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long the platform may take to be ready, or to be well again.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// A story: a sentence, and what proves it.
pub type Story = (
    &'static str,
    for<'a> fn(&'a Platform) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
);

/// Makes a list of stories from the names of functions.
#[macro_export]
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        &[$((stringify!($story), |platform| Box::pin($story(platform)))),+]
    };
}

/// Starts the platform, tells the stories one after another, and ends it. Names given on the command line choose.
pub fn tell(shape: Shape, variables: &[(&str, &str)], stories: &[Story]) -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let chosen: Vec<&Story> = stories
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())))
        .collect();
    println!("\nrunning {} tests", chosen.len());
    let platform = match Platform::start(shape, variables) {
        Ok(platform) => platform,
        Err(error) => {
            println!(
                "the platform does not start: {error}\n\ntest result: FAILED. 0 passed; {} failed; 0 ignored",
                chosen.len()
            );
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // A line that says what failed and where, not the pages of a backtrace.
    std::panic::set_hook(Box::new(|panic| println!("{panic}")));
    let chosen_count = chosen.len();
    let (mut passed, mut failed) = (0, Vec::new());
    runtime.block_on(async {
        ready(&platform).await;
        log_in(&platform).await;
        for (name, story) in chosen {
            let begun = Instant::now();
            match AssertUnwindSafe(story(&platform)).catch_unwind().await {
                Ok(()) => {
                    passed += 1;
                    println!("test {name} ... ok ({:.1} s)", begun.elapsed().as_secs_f64());
                }
                Err(panic) => {
                    let why = panic
                        .downcast_ref::<String>()
                        .map(String::as_str)
                        .or_else(|| panic.downcast_ref::<&str>().copied());
                    failed.push(format!("{name}: {}", why.unwrap_or("?")));
                    println!("test {name} ... FAILED");
                    // The stories after it are not about this fault.
                    platform.heal();
                    if AssertUnwindSafe(ready(&platform)).catch_unwind().await.is_err() {
                        println!("the platform does not recover");
                        break;
                    }
                }
            }
        }
    });
    // Those that were never told have not passed.
    let failures = failed.len().max(chosen_count - passed);
    if failures > 0 {
        println!(
            "\nwhat the processes said:\n{}\nfailures:\n{}",
            platform.said(),
            failed.join("\n")
        );
    }
    let result = if failures == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failures} failed; 0 ignored");
    drop(platform);
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Makes the first administrator and logs in: the stories act as they do. Returns the token.
pub async fn log_in(platform: &Platform) -> String {
    platform.make_admin().unwrap();
    let credentials = json!({ "email": ADMIN_EMAIL, "password": ADMIN_PASSWORD });
    let mut client = client(platform).await;
    let session = client.post("/api/auth/login", credentials).await.expect(200);
    let token = session.field("access_token");
    eventflow::client::authorize(&token);
    token
}

/// Waits until every node says that it is ready.
pub async fn ready(platform: &Platform) {
    for node in platform.nodes() {
        let begun = Instant::now();
        loop {
            let answer = look(node.address(), "/salud/lista").await;
            if matches!(answer, Some((200, _))) {
                break;
            }
            assert!(
                begun.elapsed() < READY_WITHIN,
                "{} is not ready: {answer:?}\n{}",
                node.name(),
                node.said()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Status and text of a page; `None` when nobody answers.
pub async fn look(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let asked = async {
        let mut bytes = Vec::new();
        eventflow::client::request(&mut bytes, "GET", path, "Connection: close\r\n", b"");
        let mut connection = eventflow::client::Connection::open(address).await.ok()?;
        let response = connection.send(&bytes).await.ok()?;
        Some((
            response.status,
            String::from_utf8_lossy(response.body).into_owned(),
        ))
    };
    tokio::time::timeout(Duration::from_secs(5), asked).await.ok()?
}

/// A buyer's connection through nginx.
pub async fn client(platform: &Platform) -> Client {
    Client::open(platform.address()).await
}

/// The whole log is replayed and proven.
pub async fn verify(platform: &Platform) {
    let answer = client(platform)
        .await
        .get("/api/auditoria/verificar")
        .await
        .expect(200);
    assert_eq!(answer.body["correcto"], true, "{}", answer.text);
}
