//! What is served beside the business: health, metrics, the description of the surface, the care of projections
//! and sagas. Spanish in fields and states, as everywhere on the HTTP surface.

mod health;
pub mod metrics;
mod projections;
mod sagas;

pub use health::Probes;

use crate::{ProgramError, settings::Settings, world::World};
use axum::{
    Router,
    http::{HeaderValue, header},
    response::{Html, IntoResponse},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::Duration;
use utoipa::OpenApi;
use web::server::Closing;

const LANDING: &str = include_str!("landing.html");

#[derive(OpenApi)]
#[openapi(paths(
    health::alive,
    health::ready,
    metrics::render,
    projections::state,
    projections::rebuild,
    sagas::list,
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
    let document = web::openapi::merge([
        command_side::http::openapi(),
        query_side::openapi(),
        Surface::openapi(),
    ]);
    let docs = web::docs::router(&document).map_err(|error| ProgramError::Refused(error.to_string()))?;
    Ok(Router::new()
        .route("/", get(landing))
        .merge(health::routes(world.probes()))
        .merge(metrics::routes(recorded))
        .merge(projections::routes(world.projector()))
        .merge(sagas::routes(
            world.store(),
            Duration::from_millis(settings.read_wait_ms),
        ))
        .merge(docs)
        .merge(command_side::http::router(world.app()))
        .merge(query_side::router(world.queries(settings, closing))))
}

/// The first page: where to go on.
async fn landing() -> impl IntoResponse {
    let policy =
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(LANDING))
}
