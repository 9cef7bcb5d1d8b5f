//! What the tests of RabbitMQ have in common.

use contract::{
    Answer, Ask, Cause, Command, CommandId, EventId, Position, Recorded, Reply, ShowId, StreamKind,
    StreamName,
    commands::{ShowAction, ShowCommand},
};
use ports::{Audience, Broker, BrokerError, Clock, Delivery, Interest, Lanes, Subscription, SystemClock};
use servers::rabbitmq::{RabbitBroker, RabbitOptions};
use stack::rabbitmq::RabbitMq;
use std::{
    collections::BTreeSet,
    future::Future,
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use uuid::Uuid;

/// Whatever takes longer has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// The server lives as long as somebody has it.
static SERVER: Mutex<Weak<RabbitMq>> = Mutex::new(Weak::new());
/// Shared by those who use it, alone for those who break it.
static USE: RwLock<()> = RwLock::const_new(());

fn server() -> Arc<RabbitMq> {
    let mut current = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = current.upgrade() {
        return server;
    }
    let server = Arc::new(stack::rabbitmq::start().unwrap());
    *current = Arc::downgrade(&server);
    server
}

pub async fn shared() -> (Arc<RabbitMq>, RwLockReadGuard<'static, ()>) {
    (server(), USE.read().await)
}

pub async fn alone() -> (Arc<RabbitMq>, RwLockWriteGuard<'static, ()>) {
    (server(), USE.write().await)
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(found) => found,
        Err(_) => panic!("{what} did not come about"),
    }
}

/// Looks until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// RabbitMQ writes the list of its quorum queues to disk every half second, and a queue that is younger than that is
/// broken for good by a kill. That is nothing of ours, and nothing tells when it is written.
pub async fn queues_are_on_disk() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

pub fn namespace() -> String {
    format!("t{}", &Uuid::new_v4().simple().to_string()[..8])
}

pub fn options(server: &RabbitMq, namespace: &str, node: &str) -> RabbitOptions {
    RabbitOptions {
        namespace: namespace.into(),
        share_every_ms: 300,
        ..RabbitOptions::new(server.url(), node)
    }
}

pub async fn node(server: &RabbitMq, namespace: &str, node: &str) -> Arc<RabbitBroker> {
    RabbitBroker::connect(options(server, namespace, node), Arc::new(SystemClock)).await
}

pub fn ask(key: Uuid) -> Ask {
    Ask {
        id: CommandId(Uuid::new_v4()),
        cause: Cause {
            correlation: key,
            actor: "test".into(),
            trace: None,
        },
        deadline_ms: SystemClock.now().plus_ms(60_000),
        command: Command::Show(ShowCommand {
            show_id: ShowId(key),
            action: ShowAction::ExpireHolds,
        }),
    }
}

pub fn done() -> Reply {
    Reply {
        position: Some(Position(7)),
        answer: Answer::Done,
    }
}

pub fn event(stream: Uuid, revision: u64) -> Arc<Recorded> {
    Arc::new(Recorded {
        position: Position(revision * 10),
        stream: StreamName::of(StreamKind::Show, stream),
        revision,
        id: EventId(Uuid::new_v4()),
        kind: "show_cancelled.v1".into(),
        data: "{}".into(),
        meta: "{}".into(),
        decoded: None,
    })
}

pub const SHARED: Subscription = Subscription {
    name: "saga",
    audience: Audience::Shared,
    interests: &[Interest::all(StreamKind::Show)],
};
pub const OWN: Subscription = Subscription {
    name: "watch",
    audience: Audience::Each,
    interests: &[Interest::all(StreamKind::Show)],
};

/// All that comes to the lanes, with the number of the lane.
pub fn gather(lanes: Lanes) -> mpsc::Receiver<(usize, Delivery)> {
    let (sender, receiver) = mpsc::channel(64);
    for (number, mut lane) in lanes.into_iter().enumerate() {
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(delivery) = lane.recv().await {
                if sender.send((number, delivery)).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// Answers everything; tells which lanes were met.
pub fn answer_all(lanes: Lanes) -> Arc<Mutex<BTreeSet<usize>>> {
    let met = Arc::new(Mutex::new(BTreeSet::new()));
    let (mut deliveries, found) = (gather(lanes), met.clone());
    tokio::spawn(async move {
        while let Some((lane, delivery)) = deliveries.recv().await {
            found.lock().unwrap().insert(lane);
            let _ = delivery.reply.send(done());
        }
    });
    met
}

pub fn asking(broker: &Arc<RabbitBroker>, ask: Ask) -> tokio::task::JoinHandle<Result<Reply, BrokerError>> {
    let broker = broker.clone();
    tokio::spawn(async move { broker.ask(ask).await })
}

/// A request to the management API; the body of the answer.
pub fn manage(server: &RabbitMq, method: &str, path: &str, body: &str) -> String {
    let address = server.management().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "{method} /api/{path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    assert!(status.starts_with('2'), "{method} {path}: {answer}");
    answer
}
