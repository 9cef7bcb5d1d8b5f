//! What is served beside the business: health, metrics, the description of the surface, the care of projections,
//! sagas and dead letters. Spanish in fields and states, as everywhere on the HTTP surface.

mod dead_letters;
pub mod dependencies;
mod described;
mod health;
pub mod metrics;
mod projections;
mod sagas;

pub use dead_letters::DeadLetters;
pub use health::Probes;

use crate::{ProgramError, leading::Leading, settings::Settings, world::World};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use ports::ReadStore;
use projector::Projector;
use std::{sync::Arc, time::Duration};
use utoipa::OpenApi;
use web::server::Closing;

#[derive(OpenApi)]
#[openapi(paths(
    health::alive,
    health::ready,
    metrics::render,
    projections::state,
    projections::rebuild,
    sagas::list,
    dead_letters::list,
    dead_letters::requeue,
))]
struct Surface;

/// Everything that `dev` serves: both sides, and what stands in this module.
///
/// # Errors
/// When the description of the surface cannot be written.
pub fn router(
    world: &World,
    settings: &Settings,
    recorded: PrometheusHandle,
    closing: Closing,
) -> Result<Router, ProgramError> {
    let wait = Duration::from_millis(settings.read_wait_ms);
    Ok(Router::new()
        .merge(health::routes(world.probes()))
        .merge(metrics::routes(recorded))
        .merge(projections(vec![world.projector()], None))
        .merge(for_readers(world.store(), wait, DeadLetters::default())?)
        .merge(for_operators(DeadLetters::default()))
        .merge(command_side::http::router(world.app()))
        .merge(query_side::router(world.queries(settings, closing))))
}

/// What every node serves: health and metrics.
pub fn base(recorded: PrometheusHandle, dependencies: dependencies::Dependencies) -> Router {
    dependencies::routes(dependencies).merge(metrics::routes(recorded))
}

/// The care of these projections. With `leading`, only the process that is at work takes a rebuild.
pub(crate) fn projections(projectors: Vec<Arc<Projector>>, leading: Option<Leading>) -> Router {
    projections::routes(projectors, leading)
}

/// What stands beside the commands: putting dead letters back.
pub fn for_operators(letters: DeadLetters) -> Router {
    dead_letters::requeueing(letters)
}

/// What stands beside the reads: the portal, the documentation, the sagas that are open, and the dead letters.
///
/// # Errors
/// When the description of the surface cannot be written.
pub fn for_readers(
    store: Arc<dyn ReadStore>,
    wait: Duration,
    letters: DeadLetters,
) -> Result<Router, ProgramError> {
    let document = web::openapi::merge([
        command_side::http::openapi(),
        query_side::openapi(),
        Surface::openapi(),
    ]);
    let docs = web::docs::router(&document).map_err(|error| ProgramError::Refused(error.to_string()))?;
    Ok(Router::new()
        .merge(portal::router())
        .merge(sagas::routes(store, wait))
        .merge(dead_letters::looking(letters))
        .merge(docs))
}
