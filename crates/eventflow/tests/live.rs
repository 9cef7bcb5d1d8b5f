//! A map of seats that is followed while others choose, pay and leave: over real HTTP, through the whole program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// A show's event stream on a connection of its own.
struct Stream {
    reader: BufReader<TcpStream>,
    text: String,
    /// It has ended as HTTP has it.
    is_whole: bool,
}

impl Stream {
    async fn open(address: SocketAddr, path: &str, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last.map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        let head = format!("GET {path} HTTP/1.1\r\nHost: eventflow\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self {
            reader: BufReader::new(stream),
            text: String::new(),
            is_whole: false,
        };
        assert!(stream.line().await.unwrap().starts_with("HTTP/1.1 200"));
        while !stream.line().await.unwrap().is_empty() {}
        stream
    }

    /// A line of HTTP; `None` when the connection broke.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.reader.read_line(&mut line))
            .await
            .expect("nothing came");
        read.ok().filter(|bytes| *bytes > 0)?;
        Some(line.trim_end().to_owned())
    }

    /// The next event: its kind and its data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.to_owned();
                self.text = rest.to_owned();
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                if let Some(kind) = field("event: ") {
                    let data: Value = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    assert_eq!(field("id: ").unwrap(), data["version"].to_string());
                    return Some((kind, data));
                }
            }
            let size = usize::from_str_radix(&self.line().await?, 16).unwrap();
            if size == 0 {
                self.is_whole = true;
                return None;
            }
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).await.ok()?;
            self.text.push_str(std::str::from_utf8(&chunk[..size]).unwrap());
        }
    }
}

/// What a page has that draws the only section.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    version: u64,
    seats: String,
}

impl Drawn {
    async fn read(client: &mut Client, show: &str) -> Self {
        let path = format!("/api/eventos/{show}/asientos?formato=compacto");
        let map = client.get_fresh(&path).await.expect(200).body;
        Self {
            version: map["version"].as_u64().unwrap(),
            seats: letters(map["secciones"][0]["estados"].as_str().unwrap()),
        }
    }

    /// Hears events until the seats are as wanted.
    async fn until(&mut self, stream: &mut Stream, wanted: &str) {
        while self.seats != wanted {
            let (kind, data) = stream.next().await.unwrap_or_else(|| panic!("ended at {self:?}"));
            assert_eq!(kind, "cambio");
            for change in data["cambios"].as_array().unwrap() {
                let first = usize::try_from(change[1].as_u64().unwrap()).unwrap();
                let states = letters(change[2].as_str().unwrap());
                self.seats.replace_range(first..first + states.len(), &states);
            }
            self.version = data["version"].as_u64().unwrap();
        }
    }
}

/// `2lv` is `llv`.
fn letters(text: &str) -> String {
    let (mut letters, mut count) = (String::new(), String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            count.push(letter);
        } else {
            letters.push_str(&letter.to_string().repeat(count.parse().unwrap_or(1)));
            count.clear();
        }
    }
    letters
}

async fn hold(client: &mut Client, person: &str, show: &str, seats: &[&str]) -> String {
    let wanted = json!({ "usuario_id": person, "asientos": seats });
    let path = format!("/api/eventos/{show}/bloqueos");
    client.post(&path, wanted).await.expect(201).field("bloqueo_id")
}

#[tokio::test]
async fn a_map_that_is_followed_shows_what_others_do_also_after_the_server_was_killed() {
    let folder = Folder::new("live");
    let server = Server::start(&folder.data(), &[]);
    server.ready().await;
    let mut client = server.client().await;
    let person = client.register("ana").await;
    let show = client.schedule_seats(2, 3).await;
    let mut drawn = Drawn::read(&mut client, &show).await;
    assert_eq!(drawn.seats, "llllll");
    let path = format!("/api/events/{show}/cambios?formato=compacto");
    let follow = format!("{path}&desde={}", drawn.version);
    let mut stream = Stream::open(server.address, &follow, None).await;

    let first = hold(&mut client, &person, &show, &["Platea-A-1", "Platea-A-2"]).await;
    drawn.until(&mut stream, "rrllll").await;
    client
        .send("DELETE", &format!("/api/eventos/{show}/bloqueos/{first}"), "", "")
        .await
        .expect(204);
    drawn.until(&mut stream, "llllll").await;
    let held = hold(&mut client, &person, &show, &["Platea-B-3"]).await;
    let wanted = json!({ "usuario_id": person, "bloqueo_id": held });
    client.post("/api/comprar", wanted).await.expect(202);
    drawn.until(&mut stream, "lllllv").await;

    server.signal_kill();
    assert!(stream.next().await.is_none(), "the server is gone");
    drop(server);
    let mut server = Server::start(&folder.data(), &[]);
    server.ready().await;
    let mut client = server.client().await;
    // Nobody listens while this happens.
    hold(&mut client, &person, &show, &["Platea-A-3"]).await;
    let now = Drawn::read(&mut client, &show).await;
    let mut stream = Stream::open(server.address, &path, Some(drawn.version)).await;
    drawn.until(&mut stream, "llrllv").await;
    assert_eq!(drawn, now);

    server.ask_to_stop();
    assert!(
        stream.next().await.is_none() && stream.is_whole,
        "the server closes"
    );
    let status = server.ended_within(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    verify_holds(&folder.data());
}

#[tokio::test]
async fn a_hold_that_runs_out_is_told_without_anybodys_help() {
    let folder = Folder::new("live-expiry");
    let server = Server::start(&folder.data(), &[("EVENTFLOW_HOLD_TTL_MS", "3000")]);
    server.ready().await;
    let mut client = server.client().await;
    let person = client.register("ana").await;
    let show = client.schedule_seats(1, 2).await;
    let mut drawn = Drawn::read(&mut client, &show).await;
    let path = format!(
        "/api/eventos/{show}/cambios?formato=compacto&desde={}",
        drawn.version
    );
    let mut stream = Stream::open(server.address, &path, None).await;
    hold(&mut client, &person, &show, &["Platea-A-2"]).await;
    timeout(PATIENCE, async {
        drawn.until(&mut stream, "lr").await;
        drawn.until(&mut stream, "ll").await;
    })
    .await
    .expect("the hold did not run out");
    server.stop();
}
