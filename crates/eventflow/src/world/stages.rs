//! Tasks that are started and stopped together.

use std::{future::Future, time::Duration};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle},
};

/// Some tasks under one switch.
pub(crate) struct Stage {
    name: &'static str,
    switch: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Tells whether the tasks of a stage are all at work. Cheap to clone.
#[derive(Clone)]
pub struct Watch(Vec<AbortHandle>);

impl Stage {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            switch: watch::Sender::new(false),
            tasks: Vec::new(),
        }
    }

    /// The switch as its tasks see it: true = stop.
    pub(crate) fn shutdown(&self) -> watch::Receiver<bool> {
        self.switch.subscribe()
    }

    /// Starts a task, which ends when it is told to.
    pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        task: impl FnOnce(watch::Receiver<bool>) -> F,
    ) {
        self.tasks.push(tokio::spawn(task(self.shutdown())));
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch(self.tasks.iter().map(JoinHandle::abort_handle).collect())
    }

    /// Tells the tasks to stop and waits until they have, so long at the most.
    pub(crate) async fn stop(self, within: Duration) {
        self.switch.send_replace(true);
        let ended = async {
            for task in self.tasks {
                if let Err(error) = task.await {
                    tracing::error!(stage = self.name, %error, "a task had ended by itself");
                }
            }
        };
        if tokio::time::timeout(within, ended).await.is_err() {
            tracing::warn!(stage = self.name, "did not stop in time");
        }
    }
}

impl Watch {
    /// False when a task has ended that nobody told to: it panicked.
    pub fn is_at_work(&self) -> bool {
        !self.0.iter().any(AbortHandle::is_finished)
    }
}
