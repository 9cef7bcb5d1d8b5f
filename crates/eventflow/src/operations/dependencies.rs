//! `GET /salud/viva` and `GET /salud/lista` of a node that works with servers: each dependency, as it was a moment
//! ago.
//!
//! Every dependency is looked at once a second in the background, so that asking costs nothing and a server that
//! hangs makes nobody wait. A node is ready while it can do something useful: what is down and not essential to
//! its roles is told, and alarmed by its metric, but takes no traffic away.

use super::health::{self, Dependencia, Salud};
use axum::{Router, extract::State, response::Response, routing::get};
use metrics::gauge;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often a dependency is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1_500);

/// Looks whether a dependency is well; the error is for people.
pub type Look = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Something that a node needs.
pub struct Dependency {
    /// What it is called in `/salud/lista`.
    pub name: &'static str,
    /// What it is called in the metric `eventflow_dependency_up`.
    pub metric: &'static str,
    /// Without it the node can do nothing useful.
    pub essential: bool,
    /// Looks at it.
    pub look: Look,
}

/// How the dependencies are. Cheap to clone.
#[derive(Clone, Default)]
pub struct Dependencies(Arc<Mutex<BTreeMap<&'static str, Seen>>>);

#[derive(Clone)]
struct Seen {
    essential: bool,
    trouble: Option<String>,
}

impl Dependencies {
    /// Looks at them from now on, until `shutdown`.
    pub fn watch(all: Vec<Dependency>, shutdown: &watch::Receiver<bool>) -> Self {
        let dependencies = Self::default();
        for dependency in all {
            dependencies.set(&dependency, Some("aún no se ha mirado".into()));
            let (seen, mut stop) = (dependencies.clone(), shutdown.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = seen.look_again_and_again(&dependency) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            });
        }
        dependencies
    }

    async fn look_again_and_again(&self, dependency: &Dependency) {
        let up = gauge!("eventflow_dependency_up", "dependency" => dependency.metric);
        let mut well = None;
        loop {
            let looked = tokio::time::timeout(ANSWERS_WITHIN, (dependency.look)()).await;
            let found = looked.unwrap_or_else(|_| Err("it does not answer".into()));
            if well != Some(found.is_ok()) {
                well = Some(found.is_ok());
                match &found {
                    Ok(()) => tracing::info!(dependency = dependency.metric, "is there"),
                    Err(why) => tracing::warn!(dependency = dependency.metric, why, "is away"),
                }
            }
            up.set(if found.is_ok() { 1.0 } else { 0.0 });
            // What is wrong is for the log; whoever asks need not know the servers' own words.
            self.set(dependency, found.err().map(|_| "no responde".to_string()));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn set(&self, dependency: &Dependency, trouble: Option<String>) {
        let seen = Seen {
            essential: dependency.essential,
            trouble,
        };
        self.seen().insert(dependency.name, seen);
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<&'static str, Seen>> {
        // Whole values are put in and read out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self) -> Salud {
        let seen = self.seen().clone();
        let ready = seen
            .values()
            .all(|seen| !seen.essential || seen.trouble.is_none());
        let told = seen
            .into_iter()
            .map(|(name, seen)| (name, Dependencia::new(seen.trouble)))
            .collect();
        Salud::new(ready, told)
    }
}

/// Both endpoints.
pub fn routes(dependencies: Dependencies) -> Router {
    Router::new()
        .route("/salud/viva", get(health::alive))
        .route("/salud/lista", get(ready).with_state(dependencies))
}

async fn ready(State(dependencies): State<Dependencies>) -> Response {
    dependencies.describe().into_response_with_status()
}
