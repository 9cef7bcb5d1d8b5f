//! Use cases of an organiser: a show is scheduled, or cancelled.

use crate::{
    app::{App, Produced, Rejection},
    idempotency::{self, Request},
};
use contract::{
    Cause, Command, Event, Failure, Money, Refusal, ShowId, StreamName, Timestamp, UserId,
    commands::{ShowAction, ShowCommand},
    events::{Layout, ShowScheduled},
};
use views::show::{self, Show};

/// A show to be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it begins.
    pub starts_at_ms: Timestamp,
    /// Where.
    pub venue: String,
    /// The price of a ticket, where its section has no other.
    pub price: Money,
    /// What kind of show.
    pub category: Option<String>,
    /// How many tickets one person may have.
    pub limit_per_user: u32,
    /// Its tickets.
    pub layout: Layout,
    /// Whose show it is to be: the organiser's who schedules it.
    pub organiser: Option<UserId>,
}

/// Schedules a show under an id that follows from the request. Answered as it was scheduled, also when the same
/// request comes again.
///
/// # Errors
/// [`contract::Refusal::ShowInThePast`]; [`contract::Refusal::KeyReused`].
pub async fn schedule(
    app: &App,
    cause: &Cause,
    request: Request,
    show_id: ShowId,
    draft: Draft,
) -> Result<Produced<Show>, Rejection> {
    let scheduled = ShowScheduled {
        show_id,
        name: draft.name,
        description: draft.description,
        starts_at_ms: draft.starts_at_ms,
        venue: draft.venue,
        price: draft.price,
        category: draft.category,
        limit_per_user: draft.limit_per_user,
        layout: draft.layout,
        scheduled_at_ms: app.clock.now(),
        organiser: draft.organiser,
        fingerprint: request.fingerprint,
    };
    let action = ShowAction::Schedule {
        show: Box::new(scheduled.clone()),
    };
    let command = Command::Show(ShowCommand { show_id, action });
    let reply = app
        .ask(cause, request.command().derived("schedule"), command)
        .await?;
    let value = show::evolve(None, &scheduled.into(), 0).ok_or_else(|| Failure::Unreadable {
        what: "a show does not begin with its scheduling".into(),
    })?;
    Ok(Produced {
        value,
        position: reply.position,
    })
}

/// Whose show it is; `None` = nobody's in particular.
///
/// # Errors
/// [`contract::Refusal::ShowNotFound`]; the log is away or damaged.
pub async fn organiser(app: &App, show_id: ShowId) -> Result<Option<UserId>, Rejection> {
    let first = app.read_first(&StreamName::show(show_id)).await?;
    match first.map(|recorded| recorded.decode()).transpose()?.as_deref() {
        Some((Event::ShowScheduled(scheduled), _)) => Ok(scheduled.organiser),
        _ => Err(Refusal::ShowNotFound.into()),
    }
}

/// Cancels a show: its holds are released and nothing more is sold. Durable on return; every sale is given back
/// afterwards, through its saga. Again needs nothing.
///
/// # Errors
/// [`contract::Refusal::ShowNotFound`]; [`contract::Refusal::ShowUnavailable`] once it has begun;
/// [`contract::Refusal::KeyReused`].
pub async fn cancel(
    app: &App,
    cause: &Cause,
    request: Request,
    show_id: ShowId,
) -> Result<Produced<()>, Rejection> {
    idempotency::claim(app, cause, &request).await?;
    let command = Command::Show(ShowCommand {
        show_id,
        action: ShowAction::Cancel,
    });
    let reply = app
        .ask(cause, request.command().derived("cancel"), command)
        .await?;
    Ok(Produced {
        value: (),
        position: reply.position,
    })
}
