//! Work that one process at a time does while others stand by.

use metrics::gauge;
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// How long the work has to end when the lead is lost. What it still writes is fenced by the stores.
const ENDS_WITHIN: Duration = Duration::from_millis(700);

/// Whether this process is the one at work. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leading(Arc<AtomicBool>);

impl Leading {
    pub(crate) fn is_ours(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, of: &'static str, ours: bool) {
        self.0.store(ours, Ordering::Relaxed);
        gauge!("eventflow_leader", "of" => of).set(if ours { 1.0 } else { 0.0 });
    }
}

/// Waits for the lead, works as long as it has it, and waits again, until `shutdown`.
///
/// `lead` returns when this process has the lead, with a future that ends when it has lost it.
pub(crate) async fn work_while_leading<Lost, Lead, Work>(
    of: &'static str,
    leading: Leading,
    mut shutdown: watch::Receiver<bool>,
    lead: impl Fn() -> Lead,
    work: impl Fn(watch::Receiver<bool>) -> Work,
) where
    Lost: Future<Output = ()>,
    Lead: Future<Output = Lost>,
    Work: Future<Output = ()>,
{
    leading.set(of, false);
    loop {
        let lost = tokio::select! {
            lost = lead() => lost,
            _ = shutdown.wait_for(|stop| *stop) => return,
        };
        // Kept until the work has ended: with it goes the lead.
        let mut lost = pin!(lost);
        tracing::info!(of, "leads");
        leading.set(of, true);
        let (switch, stop) = watch::channel(false);
        let mut work = pin!(work(stop));
        let over = tokio::select! {
            () = &mut work => true,
            () = &mut lost => {
                tracing::warn!(of, "lost the lead");
                false
            }
            _ = shutdown.wait_for(|stop| *stop) => false,
        };
        switch.send_replace(true);
        if !over && tokio::time::timeout(ENDS_WITHIN, work).await.is_err() {
            tracing::warn!(of, "did not end in time after losing the lead");
        }
        leading.set(of, false);
    }
}
