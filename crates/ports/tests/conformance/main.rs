//! The conformance suite on the embedded adapters, and on adapters that are broken on purpose: a suite that cannot
//! fail proves nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod fixtures;

use broken::{Broken, Fault};
use fixtures::{Files, MASTER, Memory};
use ports::{
    Broker, EventLog, Payments, ReadStore, Snapshots, SystemClock, Vault,
    conformance::{self, Failed, Fixture, Report},
    embedded::{
        BrokerOptions, FileVault, GatewayOptions, LogOptions, MemoryBroker, ReadStoreOptions,
        SimulatedGateway, SqliteLog, SqliteReadStore,
    },
};
use std::{path::Path, sync::Arc};

fn log(path: &Path) -> Result<Arc<dyn EventLog>, Failed> {
    Ok(SqliteLog::open(&path.join("events.db"), LogOptions::default())?)
}

fn read_store(path: &Path) -> Result<Arc<dyn ReadStore>, Failed> {
    Ok(SqliteReadStore::open(
        &path.join("views.db"),
        ReadStoreOptions::default(),
    )?)
}

fn snapshots(path: &Path) -> Result<Arc<dyn Snapshots>, Failed> {
    Ok(SqliteReadStore::open(
        &path.join("views.db"),
        ReadStoreOptions::default(),
    )?)
}

fn vault(path: &Path) -> Result<Arc<dyn Vault>, Failed> {
    Ok(FileVault::open(&path.join("vault.db"), MASTER)?)
}

fn gateway(path: &Path) -> Result<Arc<dyn Payments>, Failed> {
    Ok(SimulatedGateway::open(
        &path.join("gateway.db"),
        GatewayOptions::default(),
    )?)
}

fn broker() -> Arc<dyn Broker> {
    MemoryBroker::new(
        BrokerOptions {
            mailbox: 256,
            ..BrokerOptions::default()
        },
        Arc::new(SystemClock),
    )
}

fn all_hold(report: &Report) {
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

/// The check that is about the fault fails, and not everything does.
fn fails(report: &Report, check: &str) {
    assert!(report.failed(check), "{check} did not notice\n{report}");
    assert!(!report.passed.is_empty(), "everything failed\n{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_log_keeps_what_an_event_log_promises() {
    all_hold(&conformance::event_log(&Files::new(log)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_log_keeps_it_with_hardly_any_memory() {
    let fixture = Files::new(|path: &Path| {
        let options = LogOptions {
            recent_events: 2,
            recent_bytes: 300,
            known_streams: 1,
            readers: 1,
            ..LogOptions::default()
        };
        Ok(SqliteLog::open(&path.join("events.db"), options)? as Arc<dyn EventLog>)
    });
    all_hold(&conformance::event_log(&fixture).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_read_store_keeps_what_a_read_store_promises() {
    all_hold(&conformance::read_store(&Files::new(read_store)).await);
    all_hold(&conformance::snapshots(&Files::new(snapshots)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_read_store_keeps_it_with_hardly_any_memory() {
    let fixture = Files::new(|path: &Path| {
        let options = ReadStoreOptions {
            shows_bytes: 1,
            others_bytes: 1,
            readers: 1,
        };
        Ok(SqliteReadStore::open(&path.join("views.db"), options)? as Arc<dyn ReadStore>)
    });
    all_hold(&conformance::read_store(&fixture).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_vault_keeps_what_a_vault_promises() {
    all_hold(&conformance::vault(&Files::new(vault)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_gateway_keeps_what_a_gateway_promises() {
    all_hold(&conformance::payments(&Files::new(gateway)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_broker_keeps_what_a_broker_promises() {
    all_hold(&conformance::broker(&Memory(broker)).await);
}

/// The adapter with a fault in front of it.
fn with<P: ?Sized + 'static>(
    open: fn(&Path) -> Result<Arc<P>, Failed>,
    fault: Fault,
) -> Files<impl Fn(&Path) -> Result<Arc<Broken<P>>, Failed> + Send + Sync> {
    Files::new(move |path: &Path| Ok(Arc::new(Broken::new(open(path)?, fault))))
}

/// Gives a fixture of broken adapters as one of the port.
macro_rules! as_port {
    ($fixture:expr, $port:ident) => {{
        let fixture = $fixture;
        Files::new(move |path: &Path| Ok(fixture.open(path)? as Arc<dyn $port>))
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_event_logs_fail() {
    for (fault, check) in [
        (
            Fault::IgnoresTheExpectedRevision,
            "an_append_succeeds_only_at_the_end_of_its_stream",
        ),
        (
            Fault::IgnoresTheExpectedRevision,
            "of_many_appends_at_one_place_exactly_one_succeeds",
        ),
        (
            Fault::ForgetsWhatItWrote,
            "the_same_append_again_succeeds_without_writing",
        ),
        (
            Fault::WritesOneByOne,
            "an_append_that_only_begins_like_another_is_a_conflict",
        ),
        (Fault::LosesEvents, "a_tail_catches_up_and_then_follows"),
        (
            Fault::LosesEvents,
            "a_tail_sees_what_the_log_has_while_many_write",
        ),
    ] {
        let fixture = as_port!(with(log, fault), EventLog);
        fails(&conformance::event_log(&fixture).await, check);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_loses_its_tail_in_a_restart_fails() {
    let fixture = Files::new(|path: &Path| {
        fixtures::lose_the_last_event(&path.join("events.db"));
        log(path)
    });
    let report = conformance::event_log(&fixture).await;
    fails(&report, "acknowledged_events_survive_a_restart");
    fails(&report, "a_tail_goes_on_after_a_restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_read_stores_fail() {
    for (fault, check) in [
        (
            Fault::AppliesWithoutTheCheckpoint,
            "documents_and_checkpoint_survive_a_restart_together",
        ),
        (
            Fault::AppliesWithoutTheCheckpoint,
            "a_change_set_without_changes_moves_the_checkpoint",
        ),
        (
            Fault::ServesWhatItReadFirst,
            "a_reader_never_sees_less_than_was_applied",
        ),
        (
            Fault::ServesWhatItReadFirst,
            "whoever_hears_of_a_position_finds_its_documents",
        ),
        (Fault::BeginsEveryPageAnew, "pages_cover_everything_once"),
        (
            Fault::ShowsTheRebuild,
            "a_rebuild_is_not_seen_until_it_is_activated",
        ),
    ] {
        let fixture = as_port!(with(read_store, fault), ReadStore);
        fails(&conformance::read_store(&fixture).await, check);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_store_that_keeps_the_first_fails() {
    let fixture = as_port!(with(snapshots, Fault::KeepsTheFirst), Snapshots);
    let report = conformance::snapshots(&fixture).await;
    fails(&report, "a_later_snapshot_takes_the_place_of_the_one_before");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_vaults_fail() {
    for (fault, check) in [
        (
            Fault::IgnoresTheField,
            "a_sealed_value_opens_only_for_its_person_and_field",
        ),
        (
            Fault::DestroysNothing,
            "a_destroyed_key_opens_nothing_and_never_comes_back",
        ),
        (
            Fault::HashesWithoutAKey,
            "a_pseudonym_is_not_guessed_without_the_vault",
        ),
        (
            Fault::HashesWithoutAKey,
            "a_pseudonym_belongs_to_its_purpose_and_value",
        ),
    ] {
        let fixture = as_port!(with(vault, fault), Vault);
        fails(&conformance::vault(&fixture).await, check);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_gateways_fail() {
    for (fault, check) in [
        (Fault::ChargesTwice, "the_same_charge_again_is_the_same_charge"),
        (
            Fault::ChargesTwice,
            "the_same_charge_many_times_at_once_is_one_charge",
        ),
        (Fault::ForgetsVoids, "a_voided_payment_can_no_longer_be_charged"),
    ] {
        let fixture = as_port!(with(gateway, fault), Payments);
        fails(&conformance::payments(&fixture).await, check);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_brokers_fail() {
    for (fault, check) in [
        (
            Fault::ReordersEvents,
            "every_subscriber_gets_every_event_in_order",
        ),
        (Fault::ReordersAsks, "asks_of_one_key_reach_one_lane_in_order"),
        (Fault::LosesEvents, "a_slow_subscriber_misses_nothing"),
    ] {
        let fixture = Memory(move || Arc::new(Broken::new(broker(), fault)) as Arc<dyn Broker>);
        fails(&conformance::broker(&fixture).await, check);
    }
}

#[tokio::test]
async fn a_suite_that_could_not_run_says_so_and_has_not_passed() {
    let report = Report::skipped("event_log", "no server");
    assert!(!report.passed_all());
    assert_eq!(report.to_string(), "event_log: SKIPPED, no server");
}

#[tokio::test]
async fn an_adapter_that_cannot_be_made_fails_every_check() {
    let fixture = Files::new(|_: &Path| Err::<Arc<dyn Snapshots>, _>(Failed::because("no disk")));
    assert!(fixture.fresh().await.is_err());
    let report = conformance::snapshots(&fixture).await;
    assert!(report.passed.is_empty() && report.failed.len() == 3, "{report}");
}
