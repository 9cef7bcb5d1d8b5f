//! A thousand people have the map of one show open while it sells: how long after a buyer was told does each map show
//! that seat as sold?
//!
//! Buyers come at their own pace, whatever the server does (an open loop). Each buys one seat by name. What a sale's
//! version is, the log says afterwards: every follower's first event of that version or a later one is the one that
//! told of it. A few followers keep what they were sent, and it is checked that this is so, and that their maps are the
//! show's at the end.

use super::{
    Plan,
    catalogue::Catalogue,
    followers::{Follower, Seen, shared_buffer},
    load::Measured,
    maps_check::{MapFold, sold_seats},
    server::Target,
    stadium::{Stadium, seat},
    table::{Cost, Table},
    workloads::{answered, fetch},
};
use crate::{
    ProgramError,
    client::{Connection, request},
};
use futures_util::{StreamExt, stream};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::task::LocalSet;

/// How many seats are sold in a second.
pub const SALES_PER_SECOND: u32 = 200;
/// How many followers keep what they are sent.
const CHECKED: usize = 5;
/// How many connect at once.
const CONNECTING: usize = 50;
/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A seat that was sold.
struct Sale {
    seat: u32,
    /// When its buyer was told.
    told: Instant,
    /// How long they had waited for it since they were due.
    took: Duration,
    position: u64,
}

/// What the buyers came to.
#[derive(Default)]
struct Sold {
    sales: Vec<Sale>,
    /// Answers that came before the outcome.
    late: u64,
    first_unwanted: Option<String>,
}

/// Opens the maps, sells, and tells how long each sale took to be on each map.
pub async fn open_maps(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    LocalSet::new()
        .run_until(watch(plan, target, catalogue, table))
        .await
}

async fn watch(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let stadium = Stadium::build(target).await?;
    let map = format!("/api/eventos/{}/asientos?formato=compacto", stadium.show);
    let before = fetch(target, &map).await?;
    let from = before["version"].as_u64().unwrap_or(0);
    let path = format!(
        "/api/eventos/{}/cambios?formato=compacto&desde={from}",
        stadium.show
    );
    let followers = open(target, &path, plan.followers).await?;
    // Every one has been told where the show is, and waits.
    until(&followers, |seen| seen.version().is_some()).await?;
    let bytes = |followers: &[Rc<Seen>]| followers.iter().map(|seen| seen.bytes.get()).sum::<u64>();
    let bytes_before = bytes(&followers);

    let cost = Cost::begin(target);
    let begun = Instant::now();
    let sold = sell(plan, target, catalogue, &stadium).await;
    if let Some(first) = &sold.first_unwanted {
        return Err(ProgramError::Bench(format!("a sale was answered {first}")));
    }
    let position = sold.sales.iter().map(|sale| sale.position).max().unwrap_or(0);
    settled(target, &stadium, &sold, position).await?;
    let after = fetch(target, &format!("{map}&posicion={position}")).await?;
    let last = after["version"].as_u64().unwrap_or(u64::MAX);
    until(&followers, |seen| seen.version() >= Some(last)).await?;
    let elapsed = begun.elapsed();

    let versions = sold_seats(target, &stadium.show).await?;
    check(&followers, &before, &after, &sold.sales, &versions)?;
    let (measured, missed, before_told) = delays(&followers, &sold.sales, &versions, elapsed)?;
    let name = format!(
        "open maps: {} see {} sales, {SALES_PER_SECOND}/s",
        followers.len(),
        sold.sales.len()
    );
    let cost = cost.end(target, measured.wanted);
    table.measured(&name, &measured, target, Some(cost));
    let events: usize = followers.iter().map(|seen| seen.events.borrow().len()).sum();
    let each = followers.len() as f64 * elapsed.as_secs_f64();
    let mut waits: Vec<Duration> = sold.sales.iter().map(|sale| sale.took).collect();
    waits.sort_unstable();
    let wait = |of_a_thousand: usize| {
        let at = (waits.len() * of_a_thousand / 1_000).min(waits.len().saturating_sub(1));
        waits.get(at).map_or(0.0, |wait| wait.as_secs_f64() * 1_000.0)
    };
    table.note(&format!(
        "open maps: from the buyer's answer to the event that names the seat; {missed} of {} were not seen, {:.0} % were \
         seen before that answer and count as 0. Each map got {:.1} events and {:.1} KB a second. Buyers waited {:.1} ms \
         (p50), {:.1} ms (p99)",
        measured.wanted + missed,
        100.0 * before_told as f64 / measured.wanted.max(1) as f64,
        events as f64 / each,
        (bytes(&followers) - bytes_before) as f64 / each / 1_000.0,
        wait(500),
        wait(990),
    ));
    if sold.late > 0 {
        let late = sold.late;
        table.note(&format!(
            "open maps: {late} sales were answered 202 and are left out"
        ));
    }
    Ok(())
}

/// Waits until exactly what was bought is sold, and nothing is held.
async fn settled(target: &Target, stadium: &Stadium, sold: &Sold, position: u64) -> Result<(), ProgramError> {
    let bought = sold.sales.len() as u64 + sold.late;
    let give_up = Instant::now() + PATIENCE;
    loop {
        let tally = stadium.tally(target, position).await?;
        if tally[1..] == [0, bought] {
            return Ok(());
        }
        if Instant::now() > give_up {
            let message = format!("not exact: {bought} bought, and free, held and sold are {tally:?}");
            return Err(ProgramError::Bench(message));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Opens so many maps; they are followed in the background.
async fn open(target: &Target, path: &str, count: usize) -> Result<Vec<Rc<Seen>>, ProgramError> {
    let buffer = shared_buffer();
    let address = target.address();
    let opened = stream::iter(0..count)
        .map(|number| Follower::open(address, path, number < CHECKED, buffer.clone()))
        .buffered(CONNECTING)
        .map(|opened| {
            let follower = opened?;
            let seen = follower.seen();
            tokio::task::spawn_local(follower.follow());
            Ok::<_, ProgramError>(seen)
        });
    let opened: Vec<_> = opened.collect().await;
    opened.into_iter().collect()
}

/// Waits until it holds for every follower.
async fn until(followers: &[Rc<Seen>], holds: impl Fn(&Seen) -> bool) -> Result<(), ProgramError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(why) = followers.iter().find_map(|seen| seen.ended.borrow().clone()) {
            return Err(ProgramError::Bench(format!("a follower was cut off: {why}")));
        }
        let behind = followers.iter().filter(|seen| !holds(seen)).count();
        if behind == 0 {
            return Ok(());
        }
        if Instant::now() > give_up {
            let all = followers.len();
            return Err(ProgramError::Bench(format!(
                "{behind} of {all} followers were not told within {PATIENCE:?}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sells one seat after another at the set pace, each when it is due, whatever became of those before.
async fn sell(plan: &Plan, target: &Target, catalogue: &Catalogue, stadium: &Stadium) -> Sold {
    let sold = Rc::new(RefCell::new(Sold::default()));
    let idle: Rc<RefCell<Vec<Connection>>> = Rc::default();
    let pace = Duration::from_secs(1) / SALES_PER_SECOND;
    let count = (plan.lasting.as_millis() / pace.as_millis().max(1)) as u32;
    let begun = Instant::now();
    let mut under_way = Vec::with_capacity(count as usize);
    for number in 0..count {
        let due = begun + pace * number;
        tokio::time::sleep_until(due.into()).await;
        let person = &catalogue.people[number as usize % catalogue.people.len()];
        let (show, name) = (&stadium.show, seat(place(number)));
        let body =
            format!("{{\"usuario_id\":\"{person}\",\"evento_id\":\"{show}\",\"asientos\":[\"{name}\"]}}");
        let mut bytes = Vec::with_capacity(512);
        request(&mut bytes, "POST", "/api/reservar", "", body.as_bytes());
        let (address, idle, sold) = (target.address(), idle.clone(), sold.clone());
        under_way.push(tokio::task::spawn_local(async move {
            let free = idle.borrow_mut().pop();
            let connection = match free {
                Some(connection) => Ok(connection),
                None => Connection::open(address).await,
            };
            let outcome = match connection {
                Ok(mut connection) => buy(&mut connection, &bytes, number, due).await.inspect(|_| {
                    idle.borrow_mut().push(connection);
                }),
                Err(error) => Err(error.to_string()),
            };
            let sold = &mut *sold.borrow_mut();
            match outcome {
                Ok(Some(sale)) => sold.sales.push(sale),
                Ok(None) => sold.late += 1,
                Err(what) => drop(sold.first_unwanted.get_or_insert(what)),
            }
        }));
    }
    for buying in under_way {
        // One that was broken off has left its sale out, and the show would not be what was sold.
        if let Err(error) = buying.await {
            sold.borrow_mut().first_unwanted.get_or_insert(error.to_string());
        }
    }
    sold.take()
}

/// Which seat the n-th buyer takes: far from the one before, never one twice.
fn place(number: u32) -> u32 {
    // 7,919 is prime and does not divide the capacity, so all are met before one comes again.
    (u64::from(number) * 7_919 % u64::from(super::stadium::CAPACITY)) as u32
}

/// One purchase; `None` when it was accepted and not settled within the wait.
async fn buy(
    connection: &mut Connection,
    bytes: &[u8],
    number: u32,
    due: Instant,
) -> Result<Option<Sale>, String> {
    let response = connection.send(bytes).await.map_err(|error| error.to_string())?;
    let told = Instant::now();
    match response.status {
        201 => Ok(Some(Sale {
            seat: place(number),
            told,
            took: told - due,
            position: response.position().unwrap_or(0),
        })),
        202 => Ok(None),
        _ => Err(answered("POST /api/reservar", &response).to_string()),
    }
}

/// Of every sale and follower, the time from the buyer's answer to the event; how many were not seen, and how many
/// before that answer.
fn delays(
    followers: &[Rc<Seen>],
    sales: &[Sale],
    versions: &BTreeMap<u32, u64>,
    elapsed: Duration,
) -> Result<(Measured, u64, u64), ProgramError> {
    let mut measured = Measured::new()?;
    measured.elapsed = elapsed;
    let (mut missed, mut before_told) = (0, 0);
    for sale in sales {
        let version = version_of(sale, versions)?;
        for seen in followers {
            let events = seen.events.borrow();
            let first = events.partition_point(|(seen, _)| *seen < version);
            let Some((_, at)) = events.get(first) else {
                missed += 1;
                continue;
            };
            before_told += u64::from(*at < sale.told);
            let waited = at.saturating_duration_since(sale.told).as_micros();
            measured
                .latencies
                .saturating_record(u64::try_from(waited).unwrap_or(u64::MAX));
            measured.wanted += 1;
        }
    }
    Ok((measured, missed, before_told))
}

fn version_of(sale: &Sale, versions: &BTreeMap<u32, u64>) -> Result<u64, ProgramError> {
    let unknown = || ProgramError::Bench(format!("the log knows of no sale of {}", seat(sale.seat)));
    versions.get(&sale.seat).copied().ok_or_else(unknown)
}

/// That the few who kept everything were told what was so.
fn check(
    followers: &[Rc<Seen>],
    before: &serde_json::Value,
    after: &serde_json::Value,
    sales: &[Sale],
    versions: &BTreeMap<u32, u64>,
) -> Result<(), ProgramError> {
    let truth = MapFold::of(after)?;
    for seen in followers.iter().take(CHECKED) {
        let mut map = MapFold::of(before)?;
        let sold_at = map.follow(&seen.kept.borrow())?;
        if map != truth {
            let why = "a map that was followed is not the show's at the end";
            return Err(ProgramError::Bench(why.into()));
        }
        let events = seen.events.borrow();
        for sale in sales {
            let version = version_of(sale, versions)?;
            let first = events.partition_point(|(seen, _)| *seen < version);
            let telling = events.get(first).map(|(version, _)| *version);
            if sold_at.get(&sale.seat).copied() != telling {
                let seat = seat(sale.seat);
                return Err(ProgramError::Bench(format!(
                    "{seat} was sold at version {version}, and no event of its own told so"
                )));
            }
        }
    }
    Ok(())
}
