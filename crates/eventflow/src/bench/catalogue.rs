//! The people and shows that the selling workloads need, made over HTTP.

use super::{
    load::{Measured, Until, Verdict, drive},
    server::Target,
};
use crate::{ProgramError, client::request};
use serde_json::json;
use uuid::Uuid;

/// Over how many shows `spread` sells.
pub const SPREAD_SHOWS: u32 = 100;

/// People, and shows with exactly as many tickets as will be bought.
pub struct Catalogue {
    /// Their ids.
    pub people: Vec<String>,
    /// One show with a ticket for each of them.
    pub hot: String,
    /// Shows that have a ticket for each of them together.
    pub spread: Vec<String>,
    /// The log position behind all of it.
    pub position: u64,
}

impl Catalogue {
    /// Makes it, and tells how the registrations went.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn make(
        target: &Target,
        people: u32,
        in_flight: usize,
    ) -> Result<(Self, Measured), ProgramError> {
        // Another run against the same server must find people that are not registered yet.
        let run = Uuid::now_v7().simple().to_string();
        let (ids, registering) = create(target, people, in_flight, "/api/usuarios", |index| {
            json!({
                "tipo_documento": "Otro",
                "nro_documento": format!("{}{index}", &run[..20]),
                "nombre": "Ana",
                "apellido": format!("Rojas {index}"),
                "email": format!("ana.{index}.{run}@example.org"),
            })
        })
        .await?;
        let show = |tickets: u32| {
            json!({
                "nombre": "La función",
                "fecha": "2099-11-21T20:00:00Z",
                "lugar": "Teatro Municipal",
                "precio": 49.9,
                "categoria": "teatro",
                "aforo_total": tickets,
            })
        };
        let (hot, _) = create(target, 1, 1, "/api/eventos", |_| show(people)).await?;
        let each = people.div_ceil(SPREAD_SHOWS);
        let (spread, last) = create(target, SPREAD_SHOWS, in_flight.min(8), "/api/eventos", |_| {
            show(each)
        })
        .await?;
        let hot = hot.into_iter().next().unwrap_or_default();
        Ok((
            Self {
                people: ids,
                hot,
                spread,
                position: last.position,
            },
            registering,
        ))
    }
}

/// Posts `count` bodies to a path and returns the ids of what was created, in order.
async fn create(
    target: &Target,
    count: u32,
    in_flight: usize,
    path: &str,
    body: impl Fn(u64) -> serde_json::Value,
) -> Result<(Vec<String>, Measured), ProgramError> {
    let mut ids = vec![String::new(); count as usize];
    let measured = drive(
        target.address(),
        in_flight.min(count as usize),
        Until::Requests(u64::from(count)),
        |index, buffer| request(buffer, "POST", path, "", body(index).to_string().as_bytes()),
        |index, response| {
            let id = response
                .header("location")
                .and_then(|location| location.rsplit('/').next());
            match (response.status, id, ids.get_mut(index as usize)) {
                (201, Some(id), Some(place)) => {
                    *place = id.to_string();
                    Verdict::Wanted
                }
                _ => Verdict::Unwanted,
            }
        },
    )
    .await?;
    match &measured.first_unwanted {
        Some(answer) => Err(ProgramError::Bench(format!("POST {path} was answered {answer}"))),
        None => Ok((ids, measured)),
    }
}
