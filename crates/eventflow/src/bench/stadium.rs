//! One numbered show of 60,000 seats, for the workloads about seats.

use super::{server::Target, workloads::fetch};
use crate::{
    ProgramError,
    client::{Connection, request},
};
use contract::events::seat_name;
use serde_json::json;

const SECTIONS: u32 = 20;
const ROWS: u32 = 30;
/// How many seats a row has: an even number.
pub const SEATS_PER_ROW: u32 = 100;
/// How many seats it has.
pub const CAPACITY: u32 = SECTIONS * ROWS * SEATS_PER_ROW;

/// The show.
pub struct Stadium {
    /// Its id.
    pub show: String,
}

impl Stadium {
    /// Schedules it, and waits until the read models have it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn build(target: &Target) -> Result<Self, ProgramError> {
        let section = |number: u32| json!({ "nombre": section_name(number), "filas": ROWS, "asientos_por_fila": SEATS_PER_ROW });
        let body = json!({
            "nombre": "La final",
            "fecha": "2099-11-21T20:00:00Z",
            "lugar": "Estadio Nacional",
            "precio": 49.9,
            "categoria": "deporte",
            "mapa_asientos": { "secciones": (0..SECTIONS).map(section).collect::<Vec<_>>() },
        });
        let mut bytes = Vec::new();
        request(
            &mut bytes,
            "POST",
            "/api/eventos",
            "",
            body.to_string().as_bytes(),
        );
        let mut connection = Connection::open(target.address()).await?;
        let response = connection.send(&bytes).await?;
        let made = response.json();
        let (201, Some(show)) = (response.status, made["evento_id"].as_str()) else {
            return Err(ProgramError::Bench(format!(
                "POST /api/eventos was answered {} {made}",
                response.status
            )));
        };
        let position = response.position().unwrap_or(0);
        fetch(target, &format!("/api/eventos/{show}?posicion={position}")).await?;
        Ok(Self { show: show.into() })
    }

    /// The show's tickets: free, held and sold, in a read that has seen this position.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn tally(&self, target: &Target, position: u64) -> Result<[u64; 3], ProgramError> {
        let show = fetch(target, &format!("/api/eventos/{}?posicion={position}", self.show)).await?;
        Ok(
            ["entradas_disponibles", "entradas_retenidas", "entradas_vendidas"]
                .map(|field| show[field].as_u64().unwrap_or(0)),
        )
    }
}

fn section_name(number: u32) -> String {
    format!("Tribuna {}", number + 1)
}

/// The name of a seat; they count from 0 over the whole show, and go round.
pub fn seat(number: u32) -> String {
    let (section, place) = (number / (ROWS * SEATS_PER_ROW), number % (ROWS * SEATS_PER_ROW));
    let name = section_name(section % SECTIONS);
    seat_name(&name, place / SEATS_PER_ROW, place % SEATS_PER_ROW + 1)
}

/// The number of a place: which section, and the how manieth place in it.
pub fn number(section: u64, place: u64) -> Option<u32> {
    let inside = u64::from(ROWS * SEATS_PER_ROW);
    let number = section.checked_mul(inside)?.checked_add(place)?;
    let there = place < inside && number < u64::from(CAPACITY);
    there.then_some(u32::try_from(number).ok()?)
}

/// A number that looks like chance and is the same in every run (splitmix64).
pub fn chance(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seat_has_a_name_and_a_place() {
        assert_eq!(CAPACITY, 60_000);
        assert_eq!(seat(0), "Tribuna 1-A-1");
        assert_eq!(seat(199), "Tribuna 1-B-100");
        assert_eq!(seat(CAPACITY - 1), "Tribuna 20-AD-100");
        assert_eq!(number(1, 5), Some(3_005));
        assert_eq!(number(19, 2_999), Some(CAPACITY - 1));
        assert_eq!(number(20, 0), None);
        assert_eq!(number(0, 3_000), None);
    }
}
