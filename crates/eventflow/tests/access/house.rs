//! A running program that wants tokens, and callers of all kinds.

use crate::common::{Client, Folder};
use axum::Router;
use contract::{Role, SessionId, UserId};
use eventflow::{
    access::{self, Required},
    operations,
    settings::{Settings, Sources},
    world::{self, World},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use uuid::Uuid;
use web::{
    access::{RoleSet, Tokens},
    server::{Closer, Closing, Limits},
};

/// A running program that wants tokens.
pub struct House {
    pub address: SocketAddr,
    pub tokens: Arc<Tokens>,
    world: World,
    stop: oneshot::Sender<()>,
    closer: Closer,
    served: JoinHandle<usize>,
    _folder: Folder,
}

impl House {
    pub async fn open(name: &str) -> Self {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let unlimited = Settings {
            rate_limit: Some(0),
            ..settings
        };
        Self::open_with(name, unlimited).await
    }

    pub async fn open_with(name: &str, settings: Settings) -> Self {
        static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
        let metrics = METRICS
            .get_or_init(|| operations::metrics::install().unwrap())
            .clone();
        let folder = Folder::new(name);
        let taken = world::take_folder(&folder.data()).unwrap();
        let world = World::start(&settings, taken.ok().unwrap()).await.unwrap();
        let (closer, closing) = Closing::pair();
        let router: Router = operations::router(&world, &settings, metrics, closing).unwrap();
        let router = access::guard(router, world.tokens(), world.store(), &settings, Required::Yes);
        let router = web::telemetry::instrument(router, 1_000);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(web::server::serve(listener, router, Limits::default(), async {
            let _ = stopped.await;
        }));
        let tokens = world.tokens();
        Self {
            address,
            tokens,
            world,
            stop,
            closer,
            served,
            _folder: folder,
        }
    }

    pub async fn close(self) {
        self.closer.close();
        drop(self.stop);
        self.served.await.unwrap();
        drop(self.world.stop().await);
    }

    /// A fresh token, of a session of its own.
    pub fn token(&self, user: UserId, roles: &[Role]) -> String {
        let roles: RoleSet = roles.iter().copied().collect();
        self.tokens
            .issue(user, SessionId(Uuid::new_v4()), &roles, self.tokens.now(), 900)
    }

    pub async fn client(&self) -> Client {
        Client::open(self.address).await
    }

    pub async fn register(&self) -> UserId {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("p{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.client().await.register(&name).await.parse().unwrap()
    }

    pub async fn create(&self, token: &str, path: &str, body: Value, id: &str) -> String {
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let mut client = self.client().await;
        let answer = client
            .send("POST", path, &bearer, &body.to_string())
            .await
            .expect(201);
        // Whoever asks next finds it in the read models, too.
        client.get_fresh("/api/eventos").await.expect(200);
        answer.field(id)
    }
}

/// Status and `codigo` of an answer, whatever it is.
pub async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    authorization: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let authorization = match authorization {
        "" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nPrefer: wait=5\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let whole = async {
        // An event stream goes on; its head is enough.
        let is_stream = |answer: &[u8]| String::from_utf8_lossy(answer).contains("text/event-stream");
        while stream.read_buf(&mut answer).await.unwrap_or(0) > 0 && !is_stream(&answer) {}
    };
    let _ = tokio::time::timeout(Duration::from_secs(8), whole).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|text| text.parse().ok());
    let code = answer
        .split("\"codigo\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    (
        status.unwrap_or_else(|| panic!("{method} {path}: {answer:?}")),
        code.unwrap_or_default().to_owned(),
    )
}
