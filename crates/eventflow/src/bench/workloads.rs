//! The workloads over HTTP.

use super::{
    Plan,
    catalogue::Catalogue,
    disk,
    load::{Measured, Until, Verdict, drive},
    server::Target,
    table::{Cost, Table},
};
use crate::{
    ProgramError,
    client::{Connection, Response, request},
};
use std::time::{Duration, Instant};

/// What the server and the client can do at all.
pub async fn empty(plan: &Plan, target: &Target, table: &mut Table) -> Result<(), ProgramError> {
    let measured = get(plan, target, "/salud/viva").await?;
    table.measured("empty endpoint", &measured.0, target, Some(measured.1));
    table.empty = Some(measured.0.per_second());
    Ok(())
}

/// One show, again and again.
pub async fn read(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let show = format!("/api/eventos/{}", catalogue.hot);
    // The first read waits until the read model knows the show.
    fetch(target, &format!("{show}?posicion={}", catalogue.position)).await?;
    let (measured, cost) = get(plan, target, &show).await?;
    table.measured("read one show", &measured, target, Some(cost));
    if let Some(empty) = table.empty {
        let share = 100.0 * measured.per_second() / empty.max(1.0);
        table.note(&format!(
            "reads of one show reach {share:.0} % of the empty endpoint"
        ));
    }
    Ok(())
}

/// Everybody buys a ticket of the same show.
pub async fn hot(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    sell(
        plan,
        target,
        catalogue,
        std::slice::from_ref(&catalogue.hot),
        "reservations, one hot show",
        table,
    )
    .await
}

/// Everybody buys a ticket, over many shows.
pub async fn spread(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let name = format!("reservations, {} shows", catalogue.spread.len());
    sell(plan, target, catalogue, &catalogue.spread, &name, table).await
}

/// Everybody wants a ticket of a show that has none left.
pub async fn sold_out(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    if !plan.wants(super::Workload::Hot) {
        return Err(ProgramError::Bench(
            "`soldout` needs `hot` before it, which sells the show out".into(),
        ));
    }
    let cost = Cost::begin(target);
    let measured = drive(
        target.address(),
        plan.in_flight,
        Until::Elapsed(plan.lasting),
        |index, buffer| reserve(buffer, catalogue, index, &catalogue.hot),
        |_, response| match response.status {
            // Somebody who has a ticket already may be told so first; with a limit of ten, nobody is.
            409 => Verdict::Wanted,
            _ => Verdict::Unwanted,
        },
    )
    .await?;
    refuse_unwanted(&measured, "a sold-out show")?;
    table.measured(
        "sold-out refusals",
        &measured,
        target,
        Some(cost.end(target, measured.wanted)),
    );
    Ok(())
}

/// Sells every ticket of the shows, then checks that exactly what was confirmed is sold.
async fn sell(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    shows: &[String],
    name: &str,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let before = target
        .own()
        .map(|server| disk::bytes_in_use(&server.data))
        .transpose()?;
    let cost = Cost::begin(target);
    let measured = drive(
        target.address(),
        plan.in_flight,
        Until::Requests(u64::from(plan.reservations)),
        |index, buffer| reserve(buffer, catalogue, index, &shows[index as usize % shows.len()]),
        |_, response| match response.status {
            201 => Verdict::Wanted,
            202 => Verdict::Late,
            _ => Verdict::Unwanted,
        },
    )
    .await?;
    let mut cost = cost.end(target, measured.wanted);
    refuse_unwanted(&measured, name)?;
    check_exactness(target, shows, &measured).await?;
    if let (Some(server), Some(before)) = (target.own(), before) {
        let grown = disk::bytes_in_use(&server.data)?.saturating_sub(before);
        cost.bytes = Some(grown / measured.wanted.max(1));
    }
    table.measured(name, &measured, target, Some(cost));
    if measured.late > 0 {
        table.note(&format!(
            "{name}: {} were answered 202 and settled afterwards",
            measured.late
        ));
    }
    Ok(())
}

/// Sold is confirmed, and nothing is held, once everything has settled.
async fn check_exactness(target: &Target, shows: &[String], measured: &Measured) -> Result<(), ProgramError> {
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        let (mut sold, mut held) = (0, 0);
        for show in shows {
            let body = fetch(
                target,
                &format!("/api/eventos/{show}?posicion={}", measured.position),
            )
            .await?;
            sold += body["entradas_vendidas"].as_u64().unwrap_or(0);
            held += body["entradas_retenidas"].as_u64().unwrap_or(0);
        }
        if held == 0 && sold == measured.wanted + measured.late {
            return Ok(());
        }
        if Instant::now() > give_up {
            let (wanted, late) = (measured.wanted, measured.late);
            let message =
                format!("not exact: {sold} sold and {held} held after {wanted} times 201, {late} times 202");
            return Err(ProgramError::Bench(message));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same GET for as long as the plan says.
async fn get(plan: &Plan, target: &Target, path: &str) -> Result<(Measured, Cost), ProgramError> {
    let mut bytes = Vec::new();
    request(&mut bytes, "GET", path, "", b"");
    let cost = Cost::begin(target);
    let measured = drive(
        target.address(),
        plan.in_flight,
        Until::Elapsed(plan.lasting),
        |_, buffer| buffer.clone_from(&bytes),
        |_, response| {
            if response.status == 200 {
                Verdict::Wanted
            } else {
                Verdict::Unwanted
            }
        },
    )
    .await?;
    refuse_unwanted(&measured, path)?;
    let cost = cost.end(target, measured.wanted);
    Ok((measured, cost))
}

/// One GET that must succeed; waits out a read model that is behind.
pub async fn fetch(target: &Target, path: &str) -> Result<serde_json::Value, ProgramError> {
    let mut bytes = Vec::new();
    request(&mut bytes, "GET", path, "", b"");
    let mut connection = Connection::open(target.address()).await?;
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let response = connection.send(&bytes).await?;
        match response.status {
            200 => return Ok(response.json()),
            503 if Instant::now() < give_up => {}
            _ => return Err(answered(path, &response)),
        }
    }
}

fn reserve(buffer: &mut Vec<u8>, catalogue: &Catalogue, index: u64, show: &str) {
    let person = &catalogue.people[index as usize % catalogue.people.len()];
    let body = format!("{{\"usuario_id\":\"{person}\",\"evento_id\":\"{show}\",\"cantidad\":1}}");
    request(buffer, "POST", "/api/reservar", "", body.as_bytes());
}

/// What to say of an answer that was not expected.
pub fn answered(path: &str, response: &Response<'_>) -> ProgramError {
    let body = String::from_utf8_lossy(response.body);
    ProgramError::Bench(format!("{path} was answered {} {body}", response.status))
}

/// # Errors
/// When an answer was not wanted: a fast wrong server has no result.
pub fn refuse_unwanted(measured: &Measured, what: &str) -> Result<(), ProgramError> {
    match &measured.first_unwanted {
        None => Ok(()),
        Some(first) => {
            let count = measured.unwanted;
            Err(ProgramError::Bench(format!(
                "{what}: {count} answers were not wanted, the first {first}"
            )))
        }
    }
}
