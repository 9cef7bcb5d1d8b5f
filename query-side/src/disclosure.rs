//! Disclosures: that somebody was shown personal data which are not their own stands in the log, in
//! `access-{whose}`, before they are shown. When it cannot be written, nothing is shown.

use crate::{app::App, reads::log_problem};
use contract::{
    Cause, CommandId, Event, Revision, StreamEnd, StreamKind, StreamName, UserId,
    events::{DataDisclosed, Disclosure},
};
use ports::{AppendError, Expected};
use uuid::{Uuid, uuid};
use web::{Code, Problem, access::Caller};

/// Under which the ids of disclosures are made. Never changes: ids in the log follow from it.
const DISCLOSURES: Uuid = uuid!("5f0c2b8e-91d4-5a37-b6e8-3d72c4a1f960");
/// How often a disclosure is written anew after others wrote the stream.
const ATTEMPTS: usize = 8;

/// Writes down that the caller is about to be shown this of somebody else, or takes an export (`of` = `None`, kept
/// under the caller's own id). Durable on return. Nothing is written for an operator of `dev`, who is nobody, and
/// for people who look at their own data.
///
/// # Errors
/// 503 when the log is away: nobody is shown others' data unrecorded.
pub(crate) async fn record(
    app: &App,
    caller: &Caller,
    of: Option<UserId>,
    what: Disclosure,
) -> Result<(), Problem> {
    let Some(who) = caller.user() else {
        return Ok(());
    };
    if of == Some(who) {
        return Ok(());
    }
    let whose = of.unwrap_or(who);
    let stream = StreamName::of(StreamKind::Access, whose.0);
    let cause = Cause {
        correlation: whose.0,
        actor: caller.actor(),
        trace: None,
    };
    let mut end = StreamEnd::NEW;
    for _ in 0..ATTEMPTS {
        let (expected, at_ms) = (Expected::before(end.next), app.clock.now());
        // The same caller, twice within one millisecond: one record tells it all.
        let name = format!("{stream} {}", end.next);
        let command = CommandId(Uuid::new_v5(&DISCLOSURES, name.as_bytes()));
        let event = Event::from(DataDisclosed { what, at_ms });
        let linked = end
            .link(&stream, command, &cause, at_ms, [event])
            .map_err(|error| Problem::internal(&error))?;
        match app.log.append(&stream, expected, linked).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Conflict { current }) => end = end_at(app, &stream, current).await?,
            // Whether it is there or not, a second record does no harm; none would.
            Err(error) => {
                tracing::warn!(%stream, %error, "a disclosure cannot be written down: nothing is shown");
                return Err(Problem::new(Code::Unavailable));
            }
        }
    }
    Err(Problem::new(Code::Busy).retry_after(1))
}

/// The end of the stream whose last revision is known: its last event tells, however long it is.
async fn end_at(app: &App, stream: &StreamName, last: Option<Revision>) -> Result<StreamEnd, Problem> {
    let Some(last) = last else {
        return Ok(StreamEnd::NEW);
    };
    let found = app
        .log
        .read(stream, last, 1)
        .await
        .map_err(|error| log_problem(&error))?;
    match found.first() {
        Some(recorded) => recorded.end().map_err(|error| Problem::internal(&error)),
        None => Ok(StreamEnd::NEW),
    }
}
