//! What it costs to tell many followers of one show about many sales, and how late they hear of them. The show has
//! 60,000 seats; its read models are on the embedded store; the followers are another process, so that their work is
//! not counted:
//! `cargo run --release -p query-side --example followers_of_one_show -- 1000 200`
#![allow(clippy::unwrap_used, missing_docs)]

use axum::body::Bytes;
use contract::{Event, Position, ShowId, StreamName, collections, events::*};
use ports::{
    Change, Document, ReadStore, SystemClock,
    embedded::{
        FileVault, GatewayOptions, LogOptions, ReadStoreOptions, SimulatedGateway, SqliteLog, SqliteReadStore,
    },
};
use query_side::{App, Settings};
use serde::Serialize;
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;
use views::{seat_map, show};
use web::server::{Closing, Limits};

const SHOW: ShowId = ShowId(Uuid::from_u128(2));
const SECTIONS: u32 = 40;
const ROWS: u32 = 30;
const PER_ROW: u32 = 50;
const SECONDS: u32 = 15;

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

/// Processor time of this process in milliseconds: `utime` and `stime`, a hundredth of a second each.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

fn percentile(sorted: &[u64], of: f64) -> f64 {
    let at = ((sorted.len() as f64 * of) as usize).min(sorted.len() - 1);
    sorted[at] as f64 / 1_000.0
}

/// A follower's arrivals: which version came when.
type Arrivals = Vec<(u64, u64)>;

/// Follows until the connection ends.
async fn follow(address: SocketAddr, format: &str, arrivals: Arc<Mutex<Arrivals>>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /api/eventos/{SHOW}/cambios?formato={format} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let now = micros();
        // Messages are small: one that is cut in two is counted with the next.
        let text = String::from_utf8_lossy(&buffer[..count]);
        for id in text.split("\nid: ").skip(1) {
            if let Some(Ok(version)) = id.lines().next().map(str::parse) {
                arrivals.lock().unwrap().push((version, now));
            }
        }
    }
}

/// The other process: follows, then is told when each sale was made, and says how late it was heard.
#[tokio::main]
async fn listen(address: SocketAddr, followers: usize, format: &str) {
    let all: Vec<Arc<Mutex<Arrivals>>> = (0..followers).map(|_| Arc::default()).collect();
    for arrivals in &all {
        tokio::spawn(follow(address, &format.to_owned().leak()[..], arrivals.clone()));
    }
    while all.iter().any(|arrivals| arrivals.lock().unwrap().is_empty()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("ready");
    let sales: Vec<(u64, u64)> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (version, at) = line.split_once(' ')?;
            Some((version.parse().ok()?, at.parse().ok()?))
        })
        .collect();
    let (mut late, mut messages, mut missed) = (Vec::new(), 0, 0);
    for arrivals in &all {
        let arrivals = arrivals.lock().unwrap();
        messages += arrivals.len() - 1;
        for (version, at) in &sales {
            let heard = arrivals.partition_point(|(told, _)| told < version);
            match arrivals.get(heard) {
                Some((_, heard)) => late.push(heard.saturating_sub(*at)),
                None => missed += 1,
            }
        }
    }
    late.sort_unstable();
    println!(
        "{} sales heard by {followers} followers in {} messages each: p50 {:.0} ms, p99 {:.0} ms, latest {:.0} ms; {missed} not heard",
        sales.len(),
        messages / followers,
        percentile(&late, 0.5),
        percentile(&late, 0.99),
        percentile(&late, 1.0),
    );
}

fn put(collection: &'static collections::Collection, version: u64, doc: &impl Serialize) -> Change {
    let body = Bytes::from(serde_json::to_vec(doc).unwrap());
    let key = SHOW.to_string();
    Change::Put {
        collection,
        document: Arc::new(Document { key, version, body }),
    }
}

/// The read models of the show, to which things happen without a log.
struct Models {
    store: Arc<SqliteReadStore>,
    show: Option<show::Show>,
    map: Option<seat_map::SeatMap>,
    revision: u64,
}

impl Models {
    async fn happen(&mut self, event: &Event) -> u64 {
        let revision = self.revision;
        self.show = show::evolve(self.show.take(), event, revision);
        self.map = seat_map::evolve(self.map.take(), event, revision);
        self.revision += 1;
        let changes = vec![
            put(&collections::SHOWS, self.revision, self.show.as_ref().unwrap()),
            put(&collections::SEAT_MAPS, self.revision, self.map.as_ref().unwrap()),
        ];
        let generation = self.store.active().await.unwrap();
        self.store
            .apply(generation, changes, Position(revision))
            .await
            .unwrap();
        revision
    }

    /// So many sales a second, each of one seat. When each was seen by readers, in microseconds.
    async fn sell(&mut self, per_second: u32) -> Vec<(u64, u64)> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
        let mut sales = Vec::new();
        for _ in 0..per_second * SECONDS {
            ticks.tick().await;
            let at = micros();
            let number =
                u32::try_from(self.revision).unwrap().wrapping_mul(7_919) % (SECTIONS * ROWS * PER_ROW);
            let (section, place) = (number / (ROWS * PER_ROW), number % (ROWS * PER_ROW));
            let seat = seat_name(
                &format!("Tribuna {section}"),
                place / PER_ROW,
                place % PER_ROW + 1,
            );
            let sold = json!({
                "hold_id": Uuid::nil(), "reservation_id": Uuid::nil(), "user_id": Uuid::nil(), "quantity": 1,
                "seats": [seat], "amount": { "minor": 0, "currency": "USD" },
                "tally": { "free": 60_000 - self.revision, "held": 0, "sold": self.revision },
            });
            let sold: TicketsSold = serde_json::from_value(sold).unwrap();
            sales.push((self.happen(&sold.into()).await, at));
        }
        sales
    }
}

fn scheduled() -> Event {
    let section = |n| json!({ "name": format!("Tribuna {n}"), "rows": ROWS, "seats_per_row": PER_ROW });
    let show = json!({
        "show_id": SHOW, "name": "Final", "starts_at_ms": 4_000_000_000_000_i64, "venue": "Estadio",
        "price": { "minor": 0, "currency": "USD" }, "limit_per_user": 10, "scheduled_at_ms": 0,
        "layout": { "kind": "numbered", "sections": (0..SECTIONS).map(section).collect::<Vec<_>>() },
    });
    serde_json::from_value::<ShowScheduled>(show).unwrap().into()
}

fn app(folder: &Path, store: Arc<SqliteReadStore>) -> App {
    App {
        store,
        log: SqliteLog::open(&folder.join("events.db"), LogOptions::default()).unwrap(),
        vault: FileVault::open(&folder.join("vault.db"), [7; 32]).unwrap(),
        payments: SimulatedGateway::open(&folder.join("gateway.db"), GatewayOptions::default()).unwrap(),
        clock: Arc::new(SystemClock),
        closing: Closing::pair().1,
        settings: Settings::default(),
    }
}

#[tokio::main]
async fn tell(followers: usize, per_second: u32) {
    let folder = std::env::temp_dir().join(format!("eventflow-followers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteReadStore::open(&folder.join("views.db"), ReadStoreOptions::default()).unwrap();
    let (show, map) = (None, None);
    let mut models = Models {
        store: store.clone(),
        show,
        map,
        revision: 0,
    };
    models.happen(&scheduled()).await;
    println!(
        "{} of {}",
        StreamName::show(SHOW),
        models.map.as_ref().unwrap().sections.len()
    );
    let (closer, closing) = Closing::pair();
    let app = App {
        closing,
        ..app(&folder, store)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::server::serve(
        listener,
        query_side::router(app),
        Limits::default(),
        std::future::pending(),
    ));
    let before = cpu_ms();
    models.sell(per_second).await;
    let without = cpu_ms() - before;
    for format in ["compacto", "completo"] {
        let mut others = Command::new(std::env::current_exe().unwrap())
            .args(["listen", &address.to_string(), &followers.to_string(), format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(others.stdout.take().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "ready");
        let before = cpu_ms();
        let sales = models.sell(per_second).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let with = cpu_ms() - before;
        let mut told = others.stdin.take().unwrap();
        for (version, at) in sales {
            writeln!(told, "{version} {at}").unwrap();
        }
        drop(told);
        let cost = |ms: u64| ms as f64 / 10.0 / f64::from(SECONDS);
        println!(
            "{format}: {:.1} % of a processor for {per_second} sales/s with {followers} followers, {:.1} % without",
            cost(with),
            cost(without),
        );
        println!("{}", said.next().unwrap().unwrap());
        others.wait().unwrap();
    }
    closer.close();
    let _ = std::fs::remove_dir_all(folder);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u32| {
        let text = arguments.get(at);
        text.map_or(otherwise, |text| text.parse().unwrap())
    };
    match arguments.first().map(String::as_str) {
        Some("listen") => listen(
            arguments[1].parse().unwrap(),
            number(2, 0) as usize,
            &arguments[3],
        ),
        _ => tell(number(0, 1_000) as usize, number(1, 200)),
    }
}
