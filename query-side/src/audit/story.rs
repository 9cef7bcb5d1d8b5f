//! `GET /api/auditoria/reservas/{reserva_id}`: a purchase's whole story, over all streams.
//!
//! The reservation's and the payment's streams belong to it entirely. In the show's and the buyer's streams, its
//! events lie between the first and the last event of each of the saga's active phases; there they are found by
//! correlation, reservation or hold.

use super::{Registro, history};
use crate::app::{App, Shared};
use axum::{extract::State, response::Response};
use contract::{
    Event, HoldId, Position, Recorded, ReservationId, StreamName,
    events::{Choice, ReservationRequested},
};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use web::{
    Code, Id, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
};

/// How many events of others a story may have to be picked from; past it, it is not told in part.
const MAX_LOOKED_AT: usize = 500_000;
/// How far back, in events of the show, the hold is looked for that the buyer made before the reservation.
const MAX_BACK: u64 = 65_536;

/// La historia completa de una compra, en orden
#[utoipa::path(
    get, path = "/api/auditoria/reservas/{reserva_id}", operation_id = "contarReserva", tag = "Auditoría",
    params(
        ("reserva_id" = uuid::Uuid, Path, description = "La reserva"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Vec<Registro>, description = "Cada registro de todos los streams, con su causa"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn tell(
    State(reader): State<Shared>,
    Id(id): Id<ReservationId>,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    let _place = reader.audit()?;
    let story = Story::of(&reader.app, id).await?;
    let shown: Vec<Registro> = story
        .events
        .values()
        .map(|recorded| Registro::of(recorded))
        .collect();
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Personal))
}

/// A stretch of the log in which the saga was at work; without an end while it is.
struct Phase {
    from: Position,
    to: Option<Position>,
}

/// A story while it is put together.
struct Story {
    id: ReservationId,
    hold_id: HoldId,
    events: BTreeMap<Position, Arc<Recorded>>,
    looked_at: usize,
}

impl Story {
    async fn of(app: &App, id: ReservationId) -> Result<Self, Problem> {
        let mut story = Story {
            id,
            hold_id: id.own_hold(),
            events: BTreeMap::new(),
            looked_at: 0,
        };
        story.take_whole(app, &StreamName::reservation(id)).await?;
        let (phases, request) = phases(story.events.values())?;
        let Some(request) = request else {
            return Err(Problem::new(Code::ReservationNotFound));
        };
        story.take_whole(app, &StreamName::payment(id)).await?;

        let show = StreamName::show(request.show_id);
        if let Choice::Hold { hold_id } = request.choice {
            story.hold_id = hold_id;
            if let Some(phase) = phases.first() {
                story.take_hold(app, &show, phase.from).await?;
            }
        }
        for stream in [StreamName::user(request.user_id), show] {
            for phase in &phases {
                story.take_phase(app, &stream, phase).await?;
            }
        }
        Ok(story)
    }

    /// Every event of a stream.
    async fn take_whole(&mut self, app: &App, stream: &StreamName) -> Result<(), Problem> {
        history::each(app, stream, 0, |recorded| {
            self.look()?;
            self.events.insert(recorded.position, recorded.clone());
            Ok(ControlFlow::Continue(()))
        })
        .await
    }

    /// What belongs to the story of a stream that it shares with others.
    async fn take_phase(&mut self, app: &App, stream: &StreamName, phase: &Phase) -> Result<(), Problem> {
        let first = history::first_at(app, stream, phase.from).await?;
        history::each(app, stream, first, |recorded| {
            if phase.to.is_some_and(|to| recorded.position > to) {
                return Ok(ControlFlow::Break(()));
            }
            self.look()?;
            if self.is_of(recorded) {
                self.events.insert(recorded.position, recorded.clone());
            }
            Ok(ControlFlow::Continue(()))
        })
        .await
    }

    /// The hold that was made before the reservation: the nearest one back in the show's stream.
    async fn take_hold(&mut self, app: &App, show: &StreamName, before: Position) -> Result<(), Problem> {
        let mut end = history::first_at(app, show, before).await?;
        let stop = end.saturating_sub(MAX_BACK);
        let mut found = false;
        while end > stop && !found {
            let start = end.saturating_sub(history::PAGE as u64).max(stop);
            history::each(app, show, start, |recorded| {
                if recorded.revision >= end {
                    return Ok(ControlFlow::Break(()));
                }
                self.look()?;
                if self.is_of(recorded) {
                    found = true;
                    self.events.insert(recorded.position, recorded.clone());
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            end = start;
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), Problem> {
        self.looked_at += 1;
        if self.looked_at <= MAX_LOOKED_AT {
            return Ok(());
        }
        Err(Problem::new(Code::Unavailable)
            .detail("La historia abarca demasiados registros de otros; lea los streams uno por uno."))
    }

    /// An event that cannot be read belongs to nobody's story; verification names it.
    fn is_of(&self, recorded: &Recorded) -> bool {
        let Ok(decoded) = recorded.decode() else {
            return false;
        };
        let (event, meta) = &*decoded;
        meta.correlation == self.id.0
            || match event {
                Event::TicketsHeld(held) => held.hold_id == self.hold_id,
                Event::HoldAdopted(adopted) => adopted.hold_id == self.hold_id,
                Event::HoldReleased(released) => released.hold_id == self.hold_id,
                Event::TicketsSold(sold) => sold.reservation_id == self.id,
                Event::TicketsReturned(returned) => returned.reservation_id == self.id,
                Event::PurchaseRecorded(purchase) => purchase.reservation_id == self.id,
                Event::PurchaseUnrecorded(purchase) => purchase.reservation_id == self.id,
                _ => false,
            }
    }
}

/// When the saga was at work, and what was requested, from the reservation's own events.
fn phases<'a>(
    events: impl Iterator<Item = &'a Arc<Recorded>>,
) -> Result<(Vec<Phase>, Option<ReservationRequested>), Problem> {
    let (mut phases, mut request) = (Vec::<Phase>::new(), None);
    for recorded in events {
        let event = recorded.event().map_err(|error| Problem::internal(&error))?;
        let settles = matches!(
            event,
            Event::ReservationConfirmed(_) | Event::ReservationRejected(_) | Event::ReservationCancelled(_)
        );
        if phases.last().is_none_or(|phase| phase.to.is_some()) {
            phases.push(Phase {
                from: recorded.position,
                to: None,
            });
        }
        if let (true, Some(phase)) = (settles, phases.last_mut()) {
            phase.to = Some(recorded.position);
        }
        if let Event::ReservationRequested(requested) = event {
            request = Some(requested);
        }
    }
    Ok((phases, request))
}
