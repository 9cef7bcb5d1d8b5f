//! What every metric means, in one table. `tests/architecture.rs` holds it against the sources.

use Kind::{Counter, Gauge, Histogram};
use metrics::{describe_counter, describe_gauge, describe_histogram};

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Kind, name and meaning, by name. Units are the last word of a name.
const METRICS: &[(Kind, &str, &str)] = &[
    (
        Histogram,
        "eventflow_append_batch_events",
        "Events in a commit of the log",
    ),
    (
        Histogram,
        "eventflow_append_commit_seconds",
        "What a commit of the log took",
    ),
    (
        Counter,
        "eventflow_append_commits_total",
        "Durable commits of the log",
    ),
    (Counter, "eventflow_append_events_total", "Events made durable"),
    (
        Gauge,
        "eventflow_broker_connected",
        "1 while connected to RabbitMQ",
    ),
    (
        Counter,
        "eventflow_broker_given_back_total",
        "Asks that a lane dropped unanswered",
    ),
    (
        Counter,
        "eventflow_broker_nacked_total",
        "Messages that a full queue refused",
    ),
    (
        Counter,
        "eventflow_broker_published_total",
        "Asks and events that RabbitMQ confirmed, and replies sent",
    ),
    (
        Counter,
        "eventflow_broker_reconnects_total",
        "Connections to RabbitMQ after the first",
    ),
    (
        Counter,
        "eventflow_broker_redelivered_total",
        "Messages that came again",
    ),
    (
        Counter,
        "eventflow_broker_returned_total",
        "Asks whose lane had no queue",
    ),
    (
        Counter,
        "eventflow_broker_stepped_back_total",
        "Queues given up to other nodes",
    ),
    (
        Gauge,
        "eventflow_broker_unanswered_asks",
        "Asks of this process that wait for replies",
    ),
    (
        Counter,
        "eventflow_broker_unreadable_total",
        "Messages that could not be read",
    ),
    (
        Counter,
        "eventflow_chain_links_total",
        "Orders that a link of the chain passed on, refused or failed",
    ),
    (
        Gauge,
        "eventflow_dependency_up",
        "1 while a server answers, 0 while it does not",
    ),
    (
        Counter,
        "eventflow_eventstore_appends_settled_total",
        "What became of them: written, conflict, or still unknown",
    ),
    (
        Counter,
        "eventflow_eventstore_appends_unsure_total",
        "Appends whose outcome was unknown at first",
    ),
    (
        Gauge,
        "eventflow_eventstore_connected",
        "1 while EventStoreDB answers, 0 while it does not",
    ),
    (
        Counter,
        "eventflow_eventstore_connects_total",
        "How often a connection to EventStoreDB came about, the first included",
    ),
    (
        Counter,
        "eventflow_eventstore_subscriptions_total",
        "Live subscriptions of tails that were begun",
    ),
    (
        Counter,
        "eventflow_eventstore_tail_faults_total",
        "How often a tail was interrupted and went on from its place",
    ),
    (Counter, "eventflow_forwarder_events_total", "Events published"),
    (
        Counter,
        "eventflow_forwarder_failures_total",
        "Times that forwarding failed and was tried again",
    ),
    (
        Gauge,
        "eventflow_forwarder_lag_ms",
        "Age of the last published event",
    ),
    (
        Gauge,
        "eventflow_forwarder_position",
        "How far the broker has confirmed",
    ),
    (
        Histogram,
        "eventflow_http_request_duration_seconds",
        "From request to answer",
    ),
    (
        Counter,
        "eventflow_http_requests_total",
        "Requests answered, by route, method and status",
    ),
    (
        Histogram,
        "eventflow_lane_batch_commands",
        "Commands in one decision of a lane",
    ),
    (
        Counter,
        "eventflow_lane_commands_total",
        "Commands that lanes decided",
    ),
    (
        Counter,
        "eventflow_lane_conflicts_total",
        "Decisions that had to be made anew, because somebody else wrote the stream",
    ),
    (Gauge, "eventflow_lane_depth", "Commands that wait in a mailbox"),
    (
        Counter,
        "eventflow_lane_queries_total",
        "Questions that lanes answered from memory",
    ),
    (
        Gauge,
        "eventflow_lane_waiting_in_line",
        "Buyers who wait in line for tickets that others hold",
    ),
    (
        Gauge,
        "eventflow_leader",
        "1 in the process that is at work, 0 in those that stand by",
    ),
    (
        Gauge,
        "eventflow_lease_held",
        "1 while this process holds the lease",
    ),
    (
        Counter,
        "eventflow_lease_lost_total",
        "Terms of a lease that ended because it could not be renewed",
    ),
    (
        Counter,
        "eventflow_lease_terms_total",
        "Terms of a lease that began here",
    ),
    (
        Counter,
        "eventflow_live_failures_total",
        "Times that a followed show could not be read and was looked at again",
    ),
    (Gauge, "eventflow_live_followers", "People who follow shows here"),
    (Gauge, "eventflow_live_hubs", "Shows that are followed here"),
    (
        Counter,
        "eventflow_live_in_step_total",
        "Times that a follower knew more than a hub had told, and was brought in step from the log",
    ),
    (
        Counter,
        "eventflow_live_lagged_total",
        "Times that a follower was too slow and was given a fresh map",
    ),
    (
        Counter,
        "eventflow_live_messages_total",
        "News of shows that were written, once for all followers",
    ),
    (
        Counter,
        "eventflow_mongodb_documents_total",
        "Documents written or removed",
    ),
    (
        Counter,
        "eventflow_mongodb_ended_sessions_total",
        "Sessions of dead writers that were ended",
    ),
    (
        Counter,
        "eventflow_mongodb_failures_total",
        "Calls to MongoDB that failed",
    ),
    (
        Counter,
        "eventflow_mongodb_fenced_total",
        "Change sets that were refused because another had written",
    ),
    (
        Counter,
        "eventflow_mongodb_retries_total",
        "Transactions that were tried again",
    ),
    (
        Histogram,
        "eventflow_mongodb_seconds",
        "What a call to MongoDB took",
    ),
    (
        Counter,
        "eventflow_mongodb_transactions_total",
        "Transactions that were committed",
    ),
    (
        Gauge,
        "eventflow_mongodb_up",
        "1 while MongoDB answers, 0 while it does not",
    ),
    (
        Counter,
        "eventflow_outcomes_events_total",
        "Events that might end such a wait",
    ),
    (
        Gauge,
        "eventflow_outcomes_waiting",
        "Requests that wait for a saga's outcome",
    ),
    (
        Gauge,
        "eventflow_parked_streams",
        "Streams that cannot be projected; anything but 0 needs an operator",
    ),
    (
        Counter,
        "eventflow_payment_failures_total",
        "Asks whose payment's outcome was still open",
    ),
    (Counter, "eventflow_payments_total", "What became of charges"),
    (
        Counter,
        "eventflow_projection_batches_total",
        "Change sets that were applied",
    ),
    (
        Histogram,
        "eventflow_projection_delay_seconds",
        "From decision to being seen by readers",
    ),
    (
        Counter,
        "eventflow_projection_events_total",
        "Events that were projected",
    ),
    (
        Counter,
        "eventflow_projection_failures_total",
        "Times that projecting failed and was tried again",
    ),
    (
        Gauge,
        "eventflow_projection_lag_ms",
        "Age of the oldest event that readers do not see",
    ),
    (
        Gauge,
        "eventflow_projection_position",
        "How far the read models are",
    ),
    (
        Gauge,
        "eventflow_redis_complete",
        "1 when Redis holds all that it should",
    ),
    (
        Counter,
        "eventflow_redis_connections_total",
        "Connections to Redis that came about",
    ),
    (
        Counter,
        "eventflow_redis_fallbacks_total",
        "Reads that went to the store behind Redis",
    ),
    (
        Counter,
        "eventflow_redis_hits_total",
        "Documents that were found, in memory or in Redis",
    ),
    (
        Counter,
        "eventflow_redis_misses_total",
        "Documents that Redis did not have",
    ),
    (
        Counter,
        "eventflow_redis_refills_total",
        "Times that Redis was found empty and is filled again",
    ),
    (
        Gauge,
        "eventflow_redis_up",
        "1 while Redis answers, 0 while it does not",
    ),
    (
        Counter,
        "eventflow_saga_compensations_total",
        "Steps that were undone",
    ),
    (
        Counter,
        "eventflow_saga_reloads_total",
        "Sagas that were read from the log",
    ),
    (Histogram, "eventflow_saga_seconds", "From request to outcome"),
    (Counter, "eventflow_saga_steps_total", "How steps ended"),
    (
        Counter,
        "eventflow_sagas_halted_total",
        "Sagas that cannot go on in this process",
    ),
    (Gauge, "eventflow_sagas_open", "Sagas at work in this process"),
    (Gauge, "eventflow_sagas_stuck", "Sagas that wait for an operator"),
];

/// Tells the recorder.
pub(super) fn describe() {
    for (kind, name, meaning) in METRICS {
        match kind {
            Counter => describe_counter!(*name, *meaning),
            Gauge => describe_gauge!(*name, *meaning),
            Histogram => describe_histogram!(*name, *meaning),
        }
    }
}
