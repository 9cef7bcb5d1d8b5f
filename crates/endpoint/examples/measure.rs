//! How fast the endpoint is, with the `eventstore` client in the same process: `cargo run --release --example measure`.
//! The processor's time per operation is that of client and endpoint together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contract::{EventId, NewEvent, StreamName};
use eventstore::{
    AppendToStreamOptions, Client, EventData, ExpectedRevision, StreamPosition, SubscribeToAllOptions,
    SubscriptionEvent, SubscriptionFilter,
};
use ports::{EventLog, Expected};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

const DATA: usize = 400;
const META: usize = 133;
const STORED: usize = 200_000;

fn body(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

#[tokio::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("endpoint-measure-{}", Uuid::new_v4()));
    fs::create_dir_all(&folder).unwrap();
    let running = endpoint::testing::spawn(&folder).await.unwrap();
    let client = Client::new(running.url().parse().unwrap()).unwrap();
    append(&client).await;

    let mut times = Vec::new();
    let begun = Phase::begin();
    while begun.elapsed() < Duration::from_secs(3) {
        let one = Instant::now();
        append(&client).await;
        times.push(one.elapsed());
    }
    report("sequential appends", times.len(), &begun);
    times.sort();
    println!(
        "  p50 {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );

    for callers in [64, 256] {
        let (begun, count) = (Phase::begin(), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let (client, count) = (client.clone(), count.clone());
                tokio::spawn(async move {
                    while begun.elapsed() < Duration::from_secs(5) {
                        append(&client).await;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        report(
            &format!("appends, {callers} at once"),
            count.load(Ordering::Relaxed),
            &begun,
        );
    }

    let mut after = running.log.head().await.unwrap();
    for number in 0..STORED / 1_000 {
        let events = (0..1_000).map(|_| NewEvent {
            id: EventId(Uuid::new_v4()),
            kind: "measured.v1".into(),
            data: body(DATA).into(),
            meta: body(META).into(),
            decoded: None,
        });
        let stream = StreamName::new(&format!("stored-{number}"));
        running
            .log
            .append(&stream, Expected::NoStream, events.collect())
            .await
            .unwrap();
    }
    let from = after.take().unwrap().0;
    let from = StreamPosition::Position(eventstore::Position {
        commit: from,
        prepare: from,
    });
    let all = SubscribeToAllOptions::default().position(from);
    let some = all
        .clone()
        .filter(SubscriptionFilter::on_stream_name().add_prefix("stored-"));
    for (what, options) in [
        ("subscription", &all),
        ("the same again", &all),
        ("with a filter", &some),
    ] {
        let mut subscription = client.subscribe_to_all(options).await;
        let (begun, mut count) = (Phase::begin(), 0);
        while count < STORED {
            if let SubscriptionEvent::EventAppeared(_) = subscription.next_subscription_event().await.unwrap()
            {
                count += 1;
            }
        }
        report(what, count, &begun);
    }
    delay(&client).await;
    drop(client);
    running.stop().await;
    fs::remove_dir_all(&folder).unwrap();
}

/// From the beginning of an append to its event's arrival.
async fn delay(client: &Client) {
    let options = SubscribeToAllOptions::default().position(StreamPosition::End);
    let mut subscription = client.subscribe_to_all(&options).await;
    while !matches!(
        subscription.next_subscription_event().await.unwrap(),
        SubscriptionEvent::CaughtUp
    ) {}
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let begun = Instant::now();
        let appending = client.clone();
        let append = tokio::spawn(async move { append(&appending).await });
        subscription.next().await.unwrap();
        times.push(begun.elapsed());
        append.await.unwrap();
    }
    times.sort();
    println!(
        "appended → delivered p50 {:?}, p99 {:?}",
        times[1_000], times[1_980]
    );
}

async fn append(client: &Client) {
    let event = EventData::binary("measured.v1", body(DATA).into())
        .id(Uuid::new_v4())
        .metadata(body(META).into());
    let options = AppendToStreamOptions::default().expected_revision(ExpectedRevision::NoStream);
    client
        .append_to_stream(format!("s-{}", Uuid::new_v4()), &options, event)
        .await
        .unwrap();
}

/// A stretch of the measurement.
#[derive(Clone, Copy)]
struct Phase {
    begun: Instant,
    processor: Duration,
}

impl Phase {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            processor: processor_time(),
        }
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// How long this process has kept the processors busy. Linux counts in hundredths of a second.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn report(what: &str, count: usize, phase: &Phase) {
    let (took, processor) = (phase.elapsed(), processor_time() - phase.processor);
    println!(
        "{what}: {:.0}/s, {:.1} µs of processor each",
        count as f64 / took.as_secs_f64(),
        processor.as_secs_f64() * 1e6 / count as f64
    );
}
