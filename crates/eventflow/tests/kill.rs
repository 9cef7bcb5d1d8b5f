//! kill -9 at random moments of a flood: nothing that was acknowledged is lost, nothing is charged twice, no
//! ticket leaks, and all sagas settle by themselves.
//!
//! `KILL_SEED` repeats a run's choices (its moments depend on the machine as well), `KILL_ROUNDS` sets how many
//! times the server is killed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use futures_util::future::join_all;
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

const PEOPLE: u32 = 40;
const SHOWS: u32 = 3;
const BUYERS: usize = 12;
/// Every so many kills the server is left alone until everything has settled.
const QUIET_EVERY: u64 = 10;
/// From readiness until nothing is open any more.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// A small generator (splitmix64): the test's choices follow from its seed alone.
struct Dice(Cell<u64>);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn token(&self) -> &'static str {
        match self.roll(20) {
            0 | 1 => "tok_rechazada",
            2 => "tok_lenta",
            3 => "tok_falla_captura",
            4 | 5 => "tok_cobra_y_calla",
            _ => "tok_ok",
        }
    }
}

/// What the buyers know.
#[derive(Default)]
struct Knowledge {
    /// Confirmed by a 201: the show and how many tickets, by reservation.
    confirmed: BTreeMap<String, (String, u64)>,
    /// Accepted by a 202, not settled when last looked at.
    accepted: Vec<String>,
    /// The connection broke: key and body of the request.
    unknown: Vec<(String, String)>,
    position: u64,
}

impl Knowledge {
    fn learn(&mut self, answer: &Answer) {
        self.position = self.position.max(answer.position.unwrap_or(0));
        match answer.status {
            201 => {
                let show = answer.field("evento_id");
                let quantity = answer.body["cantidad"].as_u64().unwrap();
                self.confirmed
                    .insert(answer.field("reserva_id"), (show, quantity));
            }
            202 => self.accepted.push(answer.field("reserva_id")),
            402 | 409 => {}
            // The server says that it is going, or has too much to do: nothing was begun.
            503 => {}
            status => panic!("{status}: {}", answer.text),
        }
    }
}

struct World {
    people: Vec<String>,
    shows: Vec<String>,
    /// A show of which only holds are made.
    held_show: String,
    holds: Vec<String>,
    dice: Dice,
    keys: Cell<u64>,
    knows: RefCell<Knowledge>,
}

impl World {
    async fn make(server: &Server, seed: u64) -> Self {
        let mut client = server.client().await;
        let (mut people, mut shows, mut holds) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..PEOPLE {
            people.push(client.register(&format!("p{index}")).await);
        }
        for _ in 0..SHOWS {
            let layout = json!({ "aforo_total": 100_000, "max_por_usuario": 100_000 });
            shows.push(
                client
                    .post("/api/eventos", show(layout))
                    .await
                    .expect(201)
                    .field("evento_id"),
            );
        }
        let held_show = client.schedule(100).await;
        for person in &people[..5] {
            let body = json!({ "usuario_id": person, "cantidad": 2 });
            let made = client
                .post(&format!("/api/eventos/{held_show}/bloqueos"), body)
                .await
                .expect(201);
            holds.push(made.field("bloqueo_id"));
        }
        let knows = RefCell::new(Knowledge {
            position: client.position,
            ..Knowledge::default()
        });
        Self {
            people,
            shows,
            held_show,
            holds,
            dice: Dice(Cell::new(seed)),
            keys: Cell::new(0),
            knows,
        }
    }

    /// Buys until the connection breaks.
    async fn buy_until_it_dies(&self, server: &Server) {
        let mut client = server.client().await;
        loop {
            let (key, headers, body) = self.next_request();
            match client.try_send("POST", "/api/reservar", &headers, &body).await {
                Some(answer) => self.knows.borrow_mut().learn(&answer),
                None => return self.knows.borrow_mut().unknown.push((key, body)),
            }
        }
    }

    fn next_request(&self) -> (String, String, String) {
        let key = format!("key-{}", self.keys.replace(self.keys.get() + 1));
        let person = &self.people[self.dice.roll(self.people.len() as u64) as usize];
        let show = &self.shows[self.dice.roll(self.shows.len() as u64) as usize];
        let quantity = u32::try_from(1 + self.dice.roll(3)).unwrap();
        let wait = self.dice.roll(3);
        let body = with_token(purchase(person, show, quantity), self.dice.token()).to_string();
        (
            key.clone(),
            format!("Idempotency-Key: {key}\r\nPrefer: wait={wait}\r\n"),
            body,
        )
    }

    /// Everybody buys, until the server is killed at a random moment.
    async fn flood_and_kill(&self, server: &Server) {
        let moment = Duration::from_millis(5 + self.dice.roll(900));
        let buyers = join_all((0..BUYERS).map(|_| self.buy_until_it_dies(server)));
        tokio::pin!(buyers);
        tokio::select! {
            _ = &mut buyers => panic!("the server ended before it was killed"),
            () = tokio::time::sleep(moment) => {}
        }
        server.signal_kill();
        buyers.await;
    }

    /// Nothing is open within ten seconds of readiness.
    async fn settles(&self, server: &Server) {
        server.ready().await;
        let started = Instant::now();
        let mut client = server.client().await;
        client.position = self.knows.borrow().position;
        loop {
            let open = client.get_fresh("/api/operaciones/sagas").await.expect(200).body;
            let open = open["sagas"].as_array().unwrap().clone();
            let mut held = 0;
            for show in &self.shows {
                held += client.tally(show).await[1];
            }
            if open.is_empty() && held == 0 {
                break;
            }
            assert!(
                started.elapsed() < SETTLED_WITHIN,
                "{held} held and open: {open:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        eprintln!("  all settled {:?} after readiness", started.elapsed());
    }

    /// Asks again, under the same key, whatever broke: it happened once or it happens now.
    async fn resolve_unknown(&self, server: &Server) {
        let mut client = server.client().await;
        let unknown = std::mem::take(&mut self.knows.borrow_mut().unknown);
        for (key, body) in unknown {
            let headers = format!("Idempotency-Key: {key}\r\nPrefer: wait=20\r\n");
            let answer = client.send("POST", "/api/reservar", &headers, &body).await;
            self.knows.borrow_mut().learn(&answer);
        }
        let accepted = std::mem::take(&mut self.knows.borrow_mut().accepted);
        for id in accepted {
            client.position = self.knows.borrow().position;
            let answer = client.get_fresh(&format!("/api/reservar/{id}")).await.expect(200);
            match answer.body["estado"].as_str().unwrap() {
                "confirmada" => self.knows.borrow_mut().learn(&Answer {
                    status: 201,
                    ..answer
                }),
                "rechazada" | "vencida" => {}
                other => panic!("{id} is {other}"),
            }
        }
    }

    /// Everything confirmed is confirmed, charged once, and counted; the early holds still stand.
    async fn check(&self, server: &Server) {
        let mut client = server.client().await;
        client.position = self.knows.borrow().position;
        let confirmed = self.knows.borrow().confirmed.clone();
        let mut sold: BTreeMap<&str, u64> = BTreeMap::new();
        for (id, (show, quantity)) in &confirmed {
            let reservation = client
                .get_fresh(&format!("/api/reservar/{id}"))
                .await
                .expect(200)
                .body;
            assert_eq!(reservation["estado"], "confirmada", "{reservation}");
            let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200).body;
            assert_eq!(paid["capturado"], reservation["monto_total"], "{paid}");
            assert_eq!(paid["reembolsado"], json!(0), "{paid}");
            *sold.entry(show).or_default() += quantity;
        }
        for show in &self.shows {
            let [_, held, sold_there] = client.tally(show).await;
            let expected = sold.get(show.as_str()).copied().unwrap_or(0);
            assert_eq!((held, sold_there), (0, expected), "{show}");
        }
        assert_eq!(client.tally(&self.held_show).await, [90, 10, 0]);
        for hold in &self.holds {
            let path = format!("/api/eventos/{}/bloqueos/{hold}", self.held_show);
            client.get(&path).await.expect(200);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[tokio::test]
async fn kill_nine_at_any_moment_loses_nothing_and_settles_by_itself() {
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let seed = number("KILL_SEED").unwrap_or(u64::from(clock.subsec_nanos()));
    let rounds = number("KILL_ROUNDS").unwrap_or(50);
    eprintln!("KILL_SEED={seed} KILL_ROUNDS={rounds}");
    let folder = Folder::new("kill");
    let mut server = Server::start(&folder.data(), &[]);
    let world = World::make(&server, seed).await;
    for round in 1..=rounds {
        world.flood_and_kill(&server).await;
        // Reaped first: the lock of a process that is not quite gone would keep the next one out.
        drop(server);
        server = Server::start(&folder.data(), &[]);
        if round % QUIET_EVERY == 0 || round == rounds {
            eprintln!(
                "killed {round} times, {} confirmed",
                world.knows.borrow().confirmed.len()
            );
            world.settles(&server).await;
            world.resolve_unknown(&server).await;
            world.settles(&server).await;
            world.check(&server).await;
        }
    }
    assert!(world.knows.borrow().confirmed.len() > 100, "there was no flood");
    server.stop();
    verify_holds(&folder.data());
}
