//! `GET /metrics`: the counters of this process, for Prometheus.

use crate::ProgramError;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
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
    describe();
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

fn describe() {
    describe_counter!(
        "eventflow_http_requests_total",
        "Requests answered, by route, method and status"
    );
    describe_histogram!(
        "eventflow_http_request_duration_seconds",
        Unit::Seconds,
        "From request to answer"
    );
    describe_counter!("eventflow_append_commits_total", "Durable commits of the log");
    describe_counter!("eventflow_append_events_total", "Events made durable");
    describe_histogram!(
        "eventflow_append_commit_seconds",
        Unit::Seconds,
        "What a commit of the log took"
    );
    describe_histogram!("eventflow_append_batch_events", "Events in a commit of the log");
    describe_gauge!(
        "eventflow_projection_lag_ms",
        Unit::Milliseconds,
        "Age of the oldest event that readers do not see"
    );
    describe_gauge!("eventflow_projection_position", "How far the read models are");
    describe_histogram!(
        "eventflow_projection_delay_seconds",
        Unit::Seconds,
        "From decision to being seen by readers"
    );
    describe_counter!(
        "eventflow_projection_failures_total",
        "Times that projecting failed and was tried again"
    );
    describe_gauge!(
        "eventflow_parked_streams",
        "Streams that cannot be projected; anything but 0 needs an operator"
    );
    describe_gauge!("eventflow_forwarder_position", "How far the broker has confirmed");
    describe_gauge!(
        "eventflow_forwarder_lag_ms",
        Unit::Milliseconds,
        "Age of the last published event"
    );
    describe_counter!("eventflow_forwarder_events_total", "Events published");
    describe_counter!(
        "eventflow_forwarder_failures_total",
        "Times that forwarding failed and was tried again"
    );
    describe_gauge!(
        "eventflow_outcomes_waiting",
        "Requests that wait for a saga's outcome"
    );
    describe_counter!(
        "eventflow_outcomes_events_total",
        "Events that might end such a wait"
    );
    describe_counter!(
        "eventflow_payment_failures_total",
        "Asks whose payment's outcome was still open"
    );
}
