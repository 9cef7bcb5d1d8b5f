//! Finding events in long streams by their position in the log, through nothing but the port.

use crate::{app::App, reads::log_problem};
use contract::{Position, Recorded, Revision, StreamName};
use std::{ops::ControlFlow, sync::Arc};
use web::Problem;

/// How many events are read at once.
pub(crate) const PAGE: usize = 1_024;

/// Looks at the events of a stream from a revision on, in order, until `look` breaks or they end.
pub(crate) async fn each(
    app: &App,
    stream: &StreamName,
    from: Revision,
    mut look: impl FnMut(&Arc<Recorded>) -> Result<ControlFlow<()>, Problem>,
) -> Result<(), Problem> {
    let mut next = from;
    loop {
        let page = read(app, stream, next, PAGE).await?;
        for recorded in &page {
            if look(recorded)?.is_break() {
                return Ok(());
            }
            next = recorded.revision + 1;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

/// The revision of the stream's first event at or behind a position; the stream's length when there is none.
/// Asks for single events, about two times the logarithm of the stream's length.
pub(crate) async fn first_at(
    app: &App,
    stream: &StreamName,
    position: Position,
) -> Result<Revision, Problem> {
    // Every event below `low` lies before the position; the one at `high`, if there is one, does not.
    let (mut low, mut high) = (0, 1);
    while before(app, stream, high, position).await? {
        low = high + 1;
        high *= 2;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if before(app, stream, middle, position).await? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Does the event of this revision exist, and lie before the position?
async fn before(app: &App, stream: &StreamName, at: Revision, position: Position) -> Result<bool, Problem> {
    let found = read(app, stream, at, 1).await?;
    Ok(found.first().is_some_and(|recorded| recorded.position < position))
}

async fn read(
    app: &App,
    stream: &StreamName,
    from: Revision,
    limit: usize,
) -> Result<Vec<Arc<Recorded>>, Problem> {
    app.log
        .read(stream, from, limit)
        .await
        .map_err(|error| log_problem(&error))
}
