//! Buyers who buy without pause, write down what they were told, and hold the platform to it.

use crate::{
    client::{Answer, Client, PATIENCE, purchase, show, with_token},
    dice::Dice,
};
use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};
use stack::platform::Platform;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long somebody who was turned away stays away.
const BACK_AFTER: Duration = Duration::from_millis(300);
/// How many requests are settled at once.
const SETTLING: usize = 16;
/// How many people there are.
const PEOPLE: u32 = 40;
/// From the end of a fault until nothing is open any more.
pub const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// What was answered how often: a status with its code, `-` where the connection broke.
pub type Tally = BTreeMap<String, u64>;

/// A crowd on one platform.
pub struct Crowd {
    pub people: Vec<String>,
    /// Shows with more tickets than anybody can buy.
    pub shows: Vec<String>,
    pub dice: Dice,
    /// What the keys of its requests begin with, and how many there were.
    name: String,
    keys: Cell<u64>,
    on: Cell<bool>,
    knows: RefCell<Knowledge>,
}

#[derive(Default)]
struct Knowledge {
    /// The show and how many tickets, by reservation: confirmed by a 201, or found so later.
    confirmed: BTreeMap<String, (String, u64)>,
    /// Accepted by a 202.
    accepted: Vec<String>,
    /// Rejected after they existed.
    rejected: Vec<String>,
    /// Key and body of requests of which nothing is known.
    unknown: Vec<(String, String)>,
    position: u64,
    told: Tally,
    /// When the last purchase was confirmed.
    last_sale: Option<Instant>,
}

impl Crowd {
    /// Registers the people and schedules the shows.
    pub async fn gather(platform: &Platform, name: &str, shows: usize) -> Self {
        let mut client = Client::open(platform.address()).await;
        let mut crowd = Self {
            people: Vec::new(),
            shows: Vec::new(),
            dice: Dice::seeded(),
            name: name.into(),
            keys: Cell::new(0),
            on: Cell::new(false),
            knows: RefCell::default(),
        };
        for index in 0..PEOPLE {
            crowd
                .people
                .push(client.register(&format!("{name}{index}")).await);
        }
        for _ in 0..shows {
            let layout = json!({ "aforo_total": 100_000, "max_por_usuario": 100_000 });
            let made = client.post("/api/eventos", show(layout)).await.expect(201);
            crowd.shows.push(made.field("evento_id"));
        }
        crowd.knows.borrow_mut().position = client.position;
        // Reads are asked from now on: they must have seen this.
        for made in &crowd.shows {
            client
                .get_fresh(&format!("/api/eventos/{made}"))
                .await
                .expect(200);
        }
        crowd
    }

    /// So many buyers buy, until [`Crowd::enough`].
    pub async fn buy(&self, platform: &Platform, buyers: usize) {
        self.on.set(true);
        join_all((0..buyers).map(|_| self.buy_one_after_another(platform))).await;
    }

    /// Every buyer finishes what they are at.
    pub fn enough(&self) {
        self.on.set(false);
    }

    /// How many purchases were confirmed so far.
    pub fn confirmed(&self) -> usize {
        self.knows.borrow().confirmed.len()
    }

    /// When the last purchase was confirmed.
    pub fn last_sale(&self) -> Option<Instant> {
        self.knows.borrow().last_sale
    }

    /// What was answered since the last time.
    pub fn take_told(&self) -> Tally {
        std::mem::take(&mut self.knows.borrow_mut().told)
    }

    /// The greatest position that a buyer has seen.
    pub fn position(&self) -> u64 {
        self.knows.borrow().position
    }

    async fn buy_one_after_another(&self, platform: &Platform) {
        let mut client = Client::open(platform.address()).await;
        while self.on.get() {
            let (key, body) = self.next_request();
            let headers = format!("Idempotency-Key: {key}\r\nPrefer: wait={}\r\n", self.dice.roll(3));
            let answer = client.try_send("POST", "/api/reservar", &headers, &body).await;
            let turned_away = answer.as_ref().is_none_or(|answer| answer.status == 503);
            self.learn(answer, key, body);
            if turned_away {
                // Who is told to come back does not come back at once.
                tokio::time::sleep(BACK_AFTER).await;
            }
        }
    }

    fn next_request(&self) -> (String, String) {
        let key = format!("{}{}", self.name, self.keys.replace(self.keys.get() + 1));
        let person = &self.people[self.dice.roll(self.people.len() as u64) as usize];
        let show = &self.shows[self.dice.roll(self.shows.len() as u64) as usize];
        let quantity = u32::try_from(1 + self.dice.roll(3)).unwrap();
        let token = match self.dice.roll(20) {
            0 | 1 => "tok_rechazada",
            2 => "tok_falla_captura",
            3 | 4 => "tok_cobra_y_calla",
            _ => "tok_ok",
        };
        (
            key,
            with_token(purchase(person, show, quantity), token).to_string(),
        )
    }

    fn learn(&self, answer: Option<Answer>, key: String, body: String) {
        let mut knows = self.knows.borrow_mut();
        let Some(answer) = answer else {
            *knows.told.entry("-".into()).or_default() += 1;
            return knows.unknown.push((key, body));
        };
        knows.position = knows.position.max(answer.position.unwrap_or(0));
        let code = answer.body["codigo"].as_str().unwrap_or_default();
        let told = format!("{} {code}", answer.status);
        *knows.told.entry(told.trim_end().to_string()).or_default() += 1;
        match (answer.status, code) {
            (201, _) => {
                knows.last_sale = Some(Instant::now());
                knows.confirm(&answer.body);
            }
            (202, _) => knows.accepted.push(answer.field("reserva_id")),
            // It existed, and came to nothing: declined, or a fault took longer than its deadline.
            (402, "PAGO_RECHAZADO") | (409, "BLOQUEO_VENCIDO" | "RESERVA_VENCIDA") => {
                knows
                    .rejected
                    .push(answer.body["reserva"]["reserva_id"].as_str().unwrap().into());
            }
            // Documented: the platform cannot say, or had too much to do. Whether it happened is found out later.
            (503, code) => {
                assert!(
                    !code.is_empty(),
                    "a 503 that is no problem document: {}",
                    answer.text
                );
                knows.unknown.push((key, body));
            }
            (status, code) => panic!("{status} {code} is no documented answer here: {}", answer.text),
        }
    }

    /// Asks again, under the same key, whatever is not known, until it is: it happened once, or happens now. Then
    /// waits until nothing is open.
    pub async fn settle(&self, platform: &Platform) {
        let begun = Instant::now();
        let mut client = Client::open(platform.address()).await;
        loop {
            let unknown = std::mem::take(&mut self.knows.borrow_mut().unknown);
            if unknown.is_empty() {
                break;
            }
            assert!(
                begun.elapsed() < SETTLED_WITHIN,
                "{} requests cannot be settled",
                unknown.len()
            );
            stream::iter(unknown)
                .for_each_concurrent(SETTLING, async |(key, body)| {
                    let mut client = Client::open(platform.address()).await;
                    let headers = format!("Idempotency-Key: {key}\r\nPrefer: wait=20\r\n");
                    let answer = client.try_send("POST", "/api/reservar", &headers, &body).await;
                    self.learn(answer, key, body);
                })
                .await;
        }
        let accepted = std::mem::take(&mut self.knows.borrow_mut().accepted);
        for id in accepted {
            let reservation = loop {
                client.position = self.position();
                let answer = client.get_fresh(&format!("/api/reservar/{id}")).await.expect(200);
                if answer.body["estado"] != "pendiente" {
                    break answer.body;
                }
                assert!(
                    begun.elapsed() < SETTLED_WITHIN,
                    "{id} stays open: {}",
                    answer.text
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            match reservation["estado"].as_str().unwrap() {
                "confirmada" => self.knows.borrow_mut().confirm(&reservation),
                "rechazada" | "vencida" => self.knows.borrow_mut().rejected.push(id),
                other => panic!("{id} is {other}"),
            }
        }
        self.nothing_is_held(platform, begun).await;
    }

    async fn nothing_is_held(&self, platform: &Platform, begun: Instant) {
        let mut client = Client::open(platform.address()).await;
        loop {
            client.position = self.position();
            let mut held = 0;
            for show in &self.shows {
                held += client.tally(show).await[1];
            }
            if held == 0 {
                return;
            }
            assert!(begun.elapsed() < SETTLED_WITHIN, "{held} tickets are still held");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everything that was confirmed is confirmed, charged once and counted; nothing else is charged or counted.
    pub async fn check(&self, platform: &Platform) {
        let mut client = Client::open(platform.address()).await;
        client.position = self.position();
        let (confirmed, rejected) = {
            let mut knows = self.knows.borrow_mut();
            (knows.confirmed.clone(), std::mem::take(&mut knows.rejected))
        };
        for id in confirmed.keys() {
            let reservation = client
                .get_fresh(&format!("/api/reservar/{id}"))
                .await
                .expect(200)
                .body;
            assert_eq!(reservation["estado"], "confirmada", "{reservation}");
            let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200).body;
            assert_eq!(paid["capturado"], reservation["monto_total"], "{id} {paid}");
            assert_eq!(paid["reembolsado"], json!(0), "{id} {paid}");
        }
        for id in rejected {
            let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200).body;
            assert_eq!(
                paid["capturado"], paid["reembolsado"],
                "{id} was rejected: {paid}"
            );
        }
        let mut sold: BTreeMap<&str, u64> = BTreeMap::new();
        for (show, quantity) in confirmed.values() {
            *sold.entry(show).or_default() += quantity;
        }
        for show in &self.shows {
            let expected = sold.get(show.as_str()).copied().unwrap_or(0);
            let [free, held, sold] = client.tally(show).await;
            assert_eq!((held, sold, free + sold), (0, expected, 100_000), "{show}");
        }
    }

    /// Reads shows without pause until [`Crowd::enough`], and holds each to what was read before: what is sold only
    /// grows, and the sum is right. What was answered how often.
    pub async fn read(&self, platform: &Platform) -> Tally {
        let mut client = Client::open(platform.address()).await;
        let (mut told, mut seen) = (Tally::new(), BTreeMap::<String, (u64, u64)>::new());
        let mut turn = 0_usize;
        while self.on.get() {
            turn += 1;
            let show = &self.shows[turn % self.shows.len()];
            // Every other read must have seen what the buyers were told.
            let position = self.position();
            let path = match turn % 2 {
                0 => format!("/api/eventos/{show}"),
                _ => format!("/api/eventos/{show}?posicion={position}"),
            };
            let Some(answer) = client.try_send("GET", &path, "", "").await else {
                *told.entry("-".into()).or_default() += 1;
                continue;
            };
            *told.entry(answer.status.to_string()).or_default() += 1;
            match answer.status {
                200 => {
                    let seen = seen.entry(show.clone()).or_default();
                    consistent(&answer.body);
                    if turn % 2 == 1 {
                        let sold = answer.body["entradas_vendidas"].as_u64().unwrap();
                        assert!(
                            position < seen.0 || sold >= seen.1,
                            "{sold} sold at {position}, {} at {} before",
                            seen.1,
                            seen.0
                        );
                        *seen = (position, sold);
                    }
                }
                503 => assert!(answer.body["codigo"].is_string(), "{}", answer.text),
                status => panic!("{status}: {}", answer.text),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        told
    }
}

impl Knowledge {
    fn confirm(&mut self, reservation: &Value) {
        let id = reservation["reserva_id"].as_str().unwrap().to_string();
        let show = reservation["evento_id"].as_str().unwrap().to_string();
        self.confirmed
            .insert(id, (show, reservation["cantidad"].as_u64().unwrap()));
    }
}

/// Available, held and sold make the capacity.
pub fn consistent(show: &Value) {
    let number = |field: &str| show[field].as_u64().unwrap();
    assert_eq!(
        number("entradas_disponibles") + number("entradas_retenidas") + number("entradas_vendidas"),
        number("aforo_total"),
        "{show}"
    );
}

/// Waits for something to come about.
pub async fn until(what: &str, there: impl AsyncFnMut() -> bool) -> Duration {
    until_within(SETTLED_WITHIN.max(PATIENCE), what, there).await
}

/// The same, for what takes its time.
pub async fn until_within(patience: Duration, what: &str, mut there: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < patience, "{what} does not come about");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// Those that were told, in one line.
pub fn line(told: &Tally) -> String {
    let parts: Vec<String> = told
        .iter()
        .map(|(what, times)| format!("{what}: {times}"))
        .collect();
    parts.join(", ")
}
