//! Several people want the same seats at the same moment, by name. Told to the addresses that take commands (one `dev`,
//! or each command-side node of a platform) and to the one that answers reads.

use super::{client::*, exactness::register_many, follower::Follower};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Whoever comes too late is told so at once: well before any hold or wait ends.
const AT_ONCE: Duration = Duration::from_secs(5);

/// One who wants seats, and what they were told.
struct Buyer {
    person: String,
    node: SocketAddr,
    wanted: Vec<String>,
    told: Answer,
    took: Duration,
}

/// A hundred seats, three buyers for each: one who wants that seat alone, and two who want it with its neighbour or
/// not at all. Whoever loses is told which of their seats are gone; whoever wins buys. A follower sees all of it.
pub async fn a_hundred_seats_that_three_buyers_each_hold_are_sold_once_and_losers_are_told_which(
    front: SocketAddr,
    nodes: &[SocketAddr],
) {
    let people = register_many(front, "contest", 200).await;
    let mut client = Client::open(front).await;
    let show = client.schedule_seats(10, 10).await;
    let follower = Follower::open(front, &mut client, &show).await;
    let seats: Vec<String> = (0..10)
        .flat_map(|row| (1..=10).map(move |number| format!("Platea-{}-{number}", char::from(b'A' + row))))
        .collect();
    // The three of a seat come one after another, each by another node.
    let wishes = seats.chunks(2).enumerate().flat_map(|(number, pair)| {
        let node = |turn: usize| nodes[(number + turn) % nodes.len()];
        let [one, other] = [&pair[..1], &pair[1..]].map(<[String]>::to_vec);
        let both = pair.to_vec();
        [
            (one, node(0)),
            (both.clone(), node(1)),
            (other, node(0)),
            (both, node(2)),
        ]
    });
    let buyers = wishes
        .zip(people)
        .map(|((wanted, node), person)| hold(node, &show, person, wanted));
    let buyers = join_all(buyers).await;

    let mut holder: BTreeMap<&str, &str> = BTreeMap::new();
    let (winners, losers): (Vec<&Buyer>, Vec<&Buyer>) =
        buyers.iter().partition(|buyer| buyer.told.status == 201);
    for winner in &winners {
        assert_eq!(winner.told.body["asientos"], json!(winner.wanted));
        client.position = client.position.max(winner.told.position.unwrap());
        for seat in &winner.wanted {
            let other = holder.insert(seat, &winner.person);
            assert_eq!(other, None, "{seat} is held twice");
        }
    }
    assert_eq!(
        holder.len(),
        100,
        "whoever wanted one seat alone has it, or another has"
    );
    for loser in &losers {
        let gone = taken(&loser.told);
        assert!(
            !gone.is_empty() && gone.iter().all(|seat| loser.wanted.contains(seat)),
            "{}",
            loser.told.text
        );
        assert!(
            gone.iter().all(|seat| holder.contains_key(seat.as_str())),
            "told of a seat that nobody has: {}",
            loser.told.text
        );
    }
    let slowest = losers.iter().map(|loser| loser.took).max().unwrap();
    assert!(slowest < AT_ONCE, "the last loser was told after {slowest:?}");
    println!(
        "  {} holds won, {} lost; the last loser was told after {slowest:?}",
        winners.len(),
        losers.len()
    );

    // Now that all are gone, every loser is told of exactly what they wanted.
    for loser in &losers {
        let again = hold(loser.node, &show, loser.person.clone(), loser.wanted.clone()).await;
        assert_eq!(taken(&again.told), loser.wanted);
    }
    let bought = join_all(winners.iter().map(|winner| buy(winner, &show))).await;
    for (sale, winner) in bought.iter().zip(&winners) {
        assert_eq!(sale.body["estado"], "confirmada", "{}", sale.text);
        assert_eq!(sale.body["asientos"], json!(winner.wanted));
        client.position = client.position.max(sale.position.unwrap());
    }
    assert_eq!(client.settled_tally(&show).await, [0, 100]);
    let (map, _) = super::follower::map(&mut client, &show).await;
    assert!(
        map.len() == 100 && map.values().all(|state| state == "vendido"),
        "{map:?}"
    );
    let begun = Instant::now();
    while !follower.agrees(&mut client).await {
        assert!(
            begun.elapsed() < PATIENCE,
            "the follower sees {:?}",
            follower.fold()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Of two seats, one gone and one free, the one that is gone is named, and the free one stays free.
pub async fn who_wants_a_taken_seat_and_a_free_one_gets_neither_and_is_told_of_the_taken_one(
    front: SocketAddr,
    nodes: &[SocketAddr],
) {
    let mut client = Client::open(front).await;
    let show = client.schedule_seats(1, 3).await;
    let [ana, beto] = <[String; 2]>::try_from(register_many(front, "both", 2).await).unwrap();
    let seat = |number: u32| format!("Platea-A-{number}");
    let won = hold(nodes[0], &show, ana, vec![seat(2)]).await;
    client.position = won.told.clone().expect(201).position.unwrap();
    let lost = hold(
        nodes[1 % nodes.len()],
        &show,
        beto.clone(),
        vec![seat(1), seat(2)],
    )
    .await;
    assert_eq!(taken(&lost.told), [seat(2)]);
    assert_eq!(client.tally(&show).await, [2, 1, 0], "nothing of it is held");
    let rest = hold(nodes[2 % nodes.len()], &show, beto, vec![seat(1), seat(3)]).await;
    rest.told.expect(201);
}

async fn hold(node: SocketAddr, show: &str, person: String, wanted: Vec<String>) -> Buyer {
    let mut client = Client::open(node).await;
    let body = json!({ "usuario_id": person, "asientos": wanted });
    let asked = Instant::now();
    let told = client.post(&format!("/api/eventos/{show}/bloqueos"), body).await;
    Buyer {
        person,
        node,
        wanted,
        told,
        took: asked.elapsed(),
    }
}

async fn buy(winner: &Buyer, show: &str) -> Answer {
    let mut client = Client::open(winner.node).await;
    let body = json!({
        "usuario_id": winner.person,
        "evento_id": show,
        "bloqueo_id": winner.told.field("bloqueo_id"),
    });
    let patient = "Prefer: wait=30\r\n";
    client
        .send("POST", "/api/reservar", patient, &body.to_string())
        .await
        .expect(201)
}

/// The seats that a refusal names.
fn taken(told: &Answer) -> Vec<String> {
    let told = told.clone().refused(409, "ASIENTOS_OCUPADOS");
    let seats = told.body["asientos"].as_array().unwrap().iter();
    seats
        .map(|seat: &Value| seat.as_str().unwrap().to_owned())
        .collect()
}
