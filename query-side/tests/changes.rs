//! Following a reservation as it changes.
#![allow(clippy::unwrap_used)]

mod world;

use axum::{
    body::{Body, BodyDataStream},
    http::Request,
};
use contract::events::Choice;
use futures_util::StreamExt;
use query_side::Settings;
use serde_json::Value;
use tower::ServiceExt;
use world::{RESERVATION, World};

/// A caller's end of an event stream.
struct Following(BodyDataStream);

impl Following {
    async fn start(world: &World, last: Option<&str>) -> (u16, Following) {
        let mut request = Request::get(format!("/api/reservar/{RESERVATION}/cambios"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = world
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        (
            response.status().as_u16(),
            Following(response.into_body().into_data_stream()),
        )
    }

    /// The next event's id and data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(u64, Value)> {
        let frame = self.0.next().await?.unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .trim()
                .to_owned()
        };
        assert_eq!(line("event:"), "reserva");
        Some((
            line("id:").parse().unwrap(),
            serde_json::from_str(&line("data:")).unwrap(),
        ))
    }
}

async fn pending(world: &World) {
    world
        .request(
            RESERVATION,
            Choice::Quantity {
                quantity: 2,
                section: None,
            },
        )
        .await;
    world.project().await;
}

#[tokio::test]
async fn a_follower_is_told_of_changes_until_the_reservation_is_settled() {
    let world = World::new();
    pending(&world).await;
    let (status, mut following) = Following::start(&world, None).await;
    assert_eq!(status, 200);
    let (id, shown) = following.next().await.unwrap();
    assert_eq!((id, shown["estado"].as_str()), (1, Some("pendiente")));
    world.settle(RESERVATION, RESERVATION.own_hold(), 0).await;
    world.project().await;
    let mut last = (id, shown);
    while let Some(next) = following.next().await {
        assert!(next.0 > last.0, "versions only grow");
        last = next;
    }
    assert_eq!((last.0, last.1["estado"].as_str()), (3, Some("confirmada")));
}

#[tokio::test]
async fn who_resumes_is_sent_only_what_is_newer_and_at_the_end_nothing() {
    let world = World::new();
    pending(&world).await;
    let (_, mut following) = Following::start(&world, Some("1")).await;
    assert!(
        futures_util::poll!(Box::pin(following.next())).is_pending(),
        "version 1 was seen"
    );
    world.settle(RESERVATION, RESERVATION.own_hold(), 0).await;
    world.project().await;
    let (_, mut late) = Following::start(&world, Some("not a version")).await;
    assert_eq!(late.next().await.unwrap().0, 3);
    assert!(late.next().await.is_none());
    assert_eq!(Following::start(&world, Some("3")).await.0, 204);
}

#[tokio::test]
async fn followers_are_bounded_and_who_leaves_makes_room() {
    let world = World::with(Settings {
        max_followers: 1,
        ..Settings::default()
    });
    pending(&world).await;
    let (status, first) = Following::start(&world, None).await;
    assert_eq!(status, 200);
    let path = format!("/api/reservar/{RESERVATION}/cambios");
    let refused = world.get(&path).await;
    assert_eq!(
        (refused.status, refused.codigo(), refused.header("retry-after")),
        (503, "OCUPADO", "5")
    );
    drop(first);
    assert_eq!(Following::start(&world, None).await.0, 200);
}

#[tokio::test]
async fn a_stream_ends_when_the_server_closes_and_when_its_time_is_over() {
    let world = World::new();
    pending(&world).await;
    let (_, mut bounded) = Following::start(&world, None).await;
    bounded.next().await.unwrap();
    world.clock.set(1_000_000_000_000 + 10 * 60_000);
    assert!(bounded.next().await.is_none(), "its time is over");
    let (_, mut open) = Following::start(&world, None).await;
    open.next().await.unwrap();
    world.closer.close();
    assert!(open.next().await.is_none(), "the server closes");
}
