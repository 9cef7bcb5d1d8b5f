//! Somebody who follows a show's seats over HTTP as a browser does: reads the map once, then only what changes.

use super::client::Client;
use eventflow::client::request;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

/// Each seat's state, by the seat's name.
pub type Seats = BTreeMap<String, String>;

/// One who follows; dropping it hangs up.
pub struct Follower {
    show: String,
    seats: Seats,
    version: u64,
    sent: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Follower {
    /// Reads the map, as fresh as the client, and follows it from there.
    pub async fn open(address: SocketAddr, client: &mut Client, show: &str) -> Self {
        let (seats, version) = map(client, show).await;
        let path = format!("/api/eventos/{show}/cambios?desde={version}");
        let mut bytes = Vec::new();
        request(&mut bytes, "GET", &path, "Accept: text/event-stream\r\n", b"");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = sent.clone();
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                kept.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            show: show.into(),
            seats,
            version,
            sent,
            reading,
        }
    }

    /// Whether what was sent so far, applied one after another, is the show's map now.
    pub async fn agrees(&self, client: &mut Client) -> bool {
        let (seats, version) = map(client, &self.show).await;
        let (followed, at) = self.fold();
        at >= version && followed == seats
    }

    /// The map as it was read, after all events that were sent; and the version of the last.
    pub fn fold(&self) -> (Seats, u64) {
        let (mut seats, mut at) = (self.seats.clone(), self.version);
        for (kind, id, data) in events(&self.sent.lock().unwrap()) {
            assert_eq!(data["version"].as_u64(), Some(id), "{data}");
            assert!(id >= at, "{id} after {at}");
            at = id;
            match kind.as_str() {
                "cambio" => {
                    for seat in data["asientos"].as_array().unwrap() {
                        let known = seats.insert(text(&seat["asiento"]), text(&seat["estado"]));
                        assert!(known.is_some(), "{seat} is not in the map");
                    }
                }
                "mapa" => seats = seats_of(&data),
                other => panic!("{other} is no event of a show"),
            }
        }
        (seats, at)
    }
}

/// The map of a show, and its version.
pub async fn map(client: &mut Client, show: &str) -> (Seats, u64) {
    let path = format!("/api/eventos/{show}/asientos");
    let map = client.get_fresh(&path).await.expect(200).body;
    (seats_of(&map), map["version"].as_u64().unwrap())
}

fn seats_of(map: &Value) -> Seats {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let rows = list(&map["secciones"])
        .into_iter()
        .flat_map(|section| list(&section["filas"]));
    rows.flat_map(|row| list(&row["asientos"]))
        .map(|seat| (text(&seat["asiento"]), text(&seat["estado"])))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The events in an answer, as far as it has come: kind, id and data.
fn events(answer: &[u8]) -> Vec<(String, u64, Value)> {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, mut rest)) = answer.split_once("\r\n\r\n") else {
        return Vec::new();
    };
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut content = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        // What is cut off in the middle has not come yet.
        let Some(chunk) = after.get(..size).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        content.push_str(chunk);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    let whole = content.rfind("\n\n").map_or("", |end| &content[..end]);
    let field = |event: &str, name: &str| {
        let mut lines = event.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
    };
    whole
        .split("\n\n")
        .filter_map(|event| {
            let data = serde_json::from_str(&field(event, "data")?).unwrap();
            Some((
                field(event, "event").unwrap(),
                field(event, "id").unwrap().parse().unwrap(),
                data,
            ))
        })
        .collect()
}
