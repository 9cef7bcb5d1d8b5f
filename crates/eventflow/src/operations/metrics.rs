//! `GET /metrics`: the counters of this process, for Prometheus.

use crate::ProgramError;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// How often what the histograms have gathered is put into buckets; between, it takes memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);
/// Bounds of durations in seconds: from what a memory look-up takes to what nobody waits for.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// Bounds of counts, such as the size of batches.
const COUNTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// Installs the recorder of this process. Before anything is made that counts.
///
/// # Errors
/// When the process has another recorder.
pub fn install() -> Result<PrometheusHandle, ProgramError> {
    let failed = |error: &dyn std::fmt::Display| ProgramError::Refused(format!("metrics: {error}"));
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_events".into()), &COUNTS))
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_commands".into()), &COUNTS))
        .map_err(|error| failed(&error))?
        .install_recorder()
        .map_err(|error| failed(&error))?;
    super::described::describe();
    Ok(handle)
}

pub(super) fn routes(handle: PrometheusHandle) -> Router {
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Router::new().route("/metrics", get(render).with_state(handle))
}

/// Los contadores del proceso, para Prometheus
#[utoipa::path(
    get, path = "/metrics", operation_id = "metricas", tag = "Operaciones",
    responses((status = 200, content_type = "text/plain", body = String, description = "Formato de texto de Prometheus"))
)]
pub(super) async fn render(State(handle): State<PrometheusHandle>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], handle.render()).into_response()
}
