//! `GET /api/reservar/{reserva_id}/cambios`: a reservation as it changes, as server-sent events.
//!
//! Each event is the whole reservation under its version, so a caller who missed some has lost nothing, and one
//! who resumes (`Last-Event-ID`) is sent only what is newer. The stream ends when the reservation is settled.

use crate::{
    app::Shared,
    reads::{self, catch_up},
};
use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use contract::{Position, ReservationId, Timestamp};
use futures_util::{Stream, stream};
use std::convert::Infallible;
use tokio::sync::{OwnedSemaphorePermit, watch};
use views::reservation::Reservation;
use web::{
    Code, Id, Params, Problem,
    headers::{Access, LAST_EVENT_ID},
    render,
    server::Closing,
};

/// The version that the caller has seen: `Last-Event-ID`. What is not a version is ignored.
pub(crate) struct LastSeen(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for LastSeen {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text = parts
            .headers
            .get(LAST_EVENT_ID)
            .and_then(|value| value.to_str().ok());
        Ok(Self(text.and_then(|text| text.parse().ok())))
    }
}

/// Una reserva mientras cambia (server-sent events)
/// One event of the stream, field by field, as its description in the OpenAPI document.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only describes what is sent")]
pub(crate) struct CambioDeReserva {
    /// Siempre `reserva`.
    event: String,
    /// La versión de la reserva: lo que se envía como `Last-Event-ID` para seguir desde aquí.
    id: String,
    /// La reserva entera, en JSON.
    data: String,
}

#[utoipa::path(
    get, path = "/api/reservar/{reserva_id}/cambios", operation_id = "seguirReserva", tag = "Reservas",
    params(
        ("reserva_id" = uuid::Uuid, Path, description = "La reserva"),
        ("Last-Event-ID" = Option<String>, Header, description = "El último `id` que se recibió"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
    ),
    responses(
        (status = 200, body = CambioDeReserva, content_type = "text/event-stream",
            description = "Eventos `reserva`, cada uno con la reserva entera, hasta que se resuelve"),
        (status = 204, description = "Ya está resuelta y no hay nada más nuevo que `Last-Event-ID`"),
    )
)]
pub(crate) async fn follow(
    State(reader): State<Shared>,
    Access(caller): Access,
    Id(id): Id<ReservationId>,
    params: Params,
    LastSeen(seen): LastSeen,
) -> Result<Response, Problem> {
    catch_up(&reader.app, &params).await?;
    let reservation = reads::reservation(&reader.app, id).await?;
    let reservation = reservation.ok_or_else(|| Problem::new(Code::ReservationNotFound))?;
    caller.reaches(reservation.user_id)?;
    if is_settled(&reservation) && seen.is_some_and(|seen| seen >= version(&reservation)) {
        // Tells an `EventSource` not to come back.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let follower = Follower {
        id,
        seen,
        done: false,
        applied: reader.app.store.applied(),
        closing: reader.app.closing.clone(),
        ends_at: reader.app.clock.now().plus_ms(reader.app.settings.follow_ms),
        _place: reader.follower()?,
        reader: reader.clone(),
    };
    let keep_alive = KeepAlive::new()
        .interval(reader.app.settings.keep_alive)
        .text("sigue");
    let mut response = Sse::new(follower.events()).keep_alive(keep_alive).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn version(reservation: &Reservation) -> u64 {
    reservation.revision + 1
}

fn is_settled(reservation: &Reservation) -> bool {
    reservation.open == 0
}

/// One caller who follows a reservation.
struct Follower {
    reader: Shared,
    id: ReservationId,
    /// The version that the caller has seen.
    seen: Option<u64>,
    /// The last event was sent.
    done: bool,
    applied: watch::Receiver<Option<Position>>,
    closing: Closing,
    ends_at: Timestamp,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut follower| {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// The next event; `None` ends the stream, and the caller may resume it.
    async fn next(&mut self) -> Option<Event> {
        while !self.done {
            // Marked as seen before the document is read, so that a change in between wakes us again.
            self.applied.borrow_and_update();
            let reservation = reads::reservation(&self.reader.app, self.id)
                .await
                .ok()
                .flatten()?;
            self.done = is_settled(&reservation);
            let version = version(&reservation);
            if self.seen.is_none_or(|seen| seen < version) {
                self.seen = Some(version);
                let event = Event::default().event("reserva").id(version.to_string());
                return event.json_data(render::reservation(&reservation)).ok();
            }
            if !self.done {
                self.wait().await?;
            }
        }
        None
    }

    /// Waits for the projection to move on; `None` when it is time to end.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            moved = self.applied.changed() => moved.ok(),
            () = self.closing.closed() => None,
            () = self.reader.app.clock.sleep_until(self.ends_at) => None,
        }
    }
}
