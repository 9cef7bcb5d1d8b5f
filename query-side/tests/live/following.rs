//! A caller's end of a show's event stream, and what a client makes of it.

use crate::world::{SHOW, World};
use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes},
    http::Request,
};
use futures_util::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;
use tower::ServiceExt;

pub struct Following(BodyDataStream);

/// An event of the stream.
#[derive(Debug)]
pub struct Told {
    pub event: String,
    pub id: u64,
    pub data: Value,
    /// As it was sent.
    pub bytes: Bytes,
}

impl Following {
    /// Follows the show of the tests from now on.
    pub async fn start(world: &World, query: &str) -> Self {
        Self::start_with(&world.router, query, None).await
    }

    pub async fn start_with(router: &Router, query: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("/api/eventos/{SHOW}/cambios?{query}"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(response.status(), 200);
        assert_eq!(
            (header("content-type").as_str(), header("cache-control").as_str()),
            ("text/event-stream", "no-store")
        );
        Self(response.into_body().into_data_stream())
    }

    /// The next bytes, signs of life, too; `None` when the stream has ended.
    pub async fn bytes(&mut self) -> Option<Bytes> {
        Some(self.0.next().await?.unwrap())
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            let bytes = self.bytes().await?;
            let text = std::str::from_utf8(&bytes).unwrap();
            assert!(text.ends_with("\n\n"), "whole events: {text:?}");
            if text.starts_with(':') {
                continue;
            }
            let lines: Vec<&str> = text.trim_end().lines().collect();
            let [event, id, data] = lines.as_slice() else {
                panic!("three lines: {text:?}");
            };
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            let id = id.strip_prefix("id: ").unwrap().parse().unwrap();
            assert_eq!(data["version"], id, "the id is the version");
            return Some(Told {
                event: event.strip_prefix("event: ").unwrap().to_owned(),
                id,
                data,
                bytes,
            });
        }
    }

    /// The next event, which is there.
    pub async fn told(&mut self) -> Told {
        self.next().await.unwrap()
    }

    /// Whether nothing is there to be read now.
    pub fn is_quiet(&mut self) -> bool {
        futures_util::FutureExt::now_or_never(self.0.next()).is_none()
    }
}

impl Told {
    /// Free, held and sold.
    pub fn tally(&self) -> [u64; 3] {
        ["entradas_disponibles", "entradas_retenidas", "entradas_vendidas"]
            .map(|name| self.data[name].as_u64().unwrap())
    }

    /// `Platea-A-1 vendido`, …
    pub fn seats(&self) -> Vec<String> {
        let text = |seat: &Value, name: &str| seat[name].as_str().unwrap().to_owned();
        let seats = self.data["asientos"].as_array().unwrap().iter();
        seats
            .map(|seat| format!("{} {}", text(seat, "asiento"), text(seat, "estado")))
            .collect()
    }
}

/// What a client has that draws the seats: one letter a place, by section, and of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub version: u64,
    pub sections: Vec<String>,
}

impl Drawn {
    /// From a compact map: of `/asientos`, or of a `mapa`.
    pub fn map(map: &Value) -> Self {
        let sections = map["secciones"].as_array().unwrap().iter();
        Self {
            version: map["version"].as_u64().unwrap(),
            sections: sections
                .map(|section| letters(section["estados"].as_str().unwrap()))
                .collect(),
        }
    }

    /// What a client does with what it is told.
    pub fn hear(&mut self, told: &Told) {
        if told.event == "mapa" {
            *self = Self::map(&told.data);
        }
        for change in told.data["cambios"].as_array().unwrap() {
            let number = |at: usize| usize::try_from(change[at].as_u64().unwrap()).unwrap();
            let (section, first) = (number(0), number(1));
            let states = letters(change[2].as_str().unwrap());
            self.sections[section].replace_range(first..first + states.len(), &states);
        }
        self.version = told.id;
    }
}

/// `2lv` is `llv`.
pub fn letters(text: &str) -> String {
    let (mut letters, mut count) = (String::new(), 0);
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            count = count * 10 + digit as usize;
        } else {
            letters.extend(std::iter::repeat_n(letter, count.max(1)));
            count = 0;
        }
    }
    letters
}

/// The seats of a complete map, by name.
pub fn by_name(map: &Value) -> BTreeMap<String, String> {
    let list = |of: &Value, name: &str| of[name].as_array().unwrap().clone();
    let rows = list(map, "secciones")
        .into_iter()
        .flat_map(move |section| list(&section, "filas"));
    let seats = rows.flat_map(|row| row["asientos"].as_array().unwrap().clone());
    let text = |seat: &Value, name: &str| seat[name].as_str().unwrap().to_owned();
    seats
        .map(|seat| (text(&seat, "asiento"), text(&seat, "estado")))
        .collect()
}
