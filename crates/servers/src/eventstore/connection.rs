//! One client, looked after: made, warmed up, suspected, probed, replaced.
//!
//! A call that fails in a way that may be the connection's fault says so ([`Connection::suspect`]). The supervisor
//! then asks the server something; when that fails too, the connection counts as lost until the server answers
//! again, and calls in the meantime wait a little ([`Connection::link`]) and fail without having sent anything.
//!
//! The same client is asked again as long as it can still do: its HTTP client connects anew by itself, and the task
//! of a client that is given up never ends (it holds the sender of its own queue). A new one is made when
//! - its connection task has ended, which a failed first connect does;
//! - there are several nodes: it never leaves one that it has chosen, unless that node names another as leader;
//! - it got no answer [`SILENCES`] times in a row, which a connection to a machine that is gone does for minutes.

use super::{EventStoreOptions, fault, nodelay::Nodelay, settings::Target};
use eventstore::{Client, ClientSettings, Credentials, ReadAllOptions, StreamPosition};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

/// How long the server may take to answer the supervisor.
const PROBE_WITHIN: Duration = Duration::from_secs(2);
/// How long a new client may take until it answers: it asks each node of a cluster, 3 s at the most each.
const CONNECT_WITHIN: Duration = Duration::from_secs(12);
/// Pauses between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// How many probes without an answer a client gets before it is replaced.
const SILENCES: u32 = 3;
/// How often is looked for connections that the client has opened unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Suspicions beyond this many are dropped: those before them have the same effect.
const SUSPICIONS: usize = 8;

/// A client that answered when it was last asked.
#[derive(Clone)]
pub(super) struct Link {
    pub client: Arc<Client>,
    /// Which connection this is: a suspicion against an older one is void.
    generation: u64,
}

#[derive(Clone)]
enum State {
    Up(Link),
    Down(Arc<str>),
}

pub(super) struct Connection {
    pub options: EventStoreOptions,
    /// Given to every call when the crate would send the wrong ones.
    pub credentials: Option<Credentials>,
    state: watch::Receiver<State>,
    suspicions: mpsc::Sender<u64>,
}

impl Connection {
    /// Starts the supervisor, which ends when the connection is dropped.
    pub fn start(target: Target, options: EventStoreOptions) -> Arc<Self> {
        let (sender, state) = watch::channel(State::Down("not connected yet".into()));
        let (suspicions, receiver) = mpsc::channel(SUSPICIONS);
        let supervisor = Supervisor {
            settings: target.settings,
            credentials: target.credentials.clone(),
            cluster: target.cluster,
            state: sender,
            suspicions: receiver,
            generation: 0,
            silences: 0,
            nodelay: Nodelay::new(target.ports),
        };
        tokio::spawn(supervisor.run());
        Arc::new(Self {
            options,
            credentials: target.credentials,
            state,
            suspicions,
        })
    }

    /// Why there is no connection now.
    pub fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Up(_) => None,
            State::Down(why) => Some(why.to_string()),
        }
    }

    /// The client, or why there is none until then.
    pub async fn link(&self, until: Instant) -> Result<Link, String> {
        if let State::Up(link) = &*self.state.borrow() {
            return Ok(link.clone());
        }
        let mut state = self.state.clone();
        let up = state.wait_for(|state| matches!(state, State::Up(_)));
        if let Ok(Ok(state)) = timeout_at(until, up).await
            && let State::Up(link) = &*state
        {
            return Ok(link.clone());
        }
        Err(self.trouble().unwrap_or_else(|| "not connected".into()))
    }

    /// The client, after waiting for a connection as long as a call does.
    pub async fn link_patiently(&self) -> Result<Link, String> {
        self.link(Instant::now() + self.options.patience).await
    }

    /// Has this connection looked at.
    pub fn suspect(&self, link: &Link) {
        // When it is full, the supervisor is about to look anyway.
        let _ = self.suspicions.try_send(link.generation);
    }
}

struct Supervisor {
    settings: ClientSettings,
    credentials: Option<Credentials>,
    cluster: bool,
    state: watch::Sender<State>,
    suspicions: mpsc::Receiver<u64>,
    generation: u64,
    silences: u32,
    nodelay: Nodelay,
}

/// What is left of a client that did not answer.
struct Lost {
    why: String,
    /// Whether it may still do.
    client: Option<Arc<Client>>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut client = None;
        let mut pause = FIRST_PAUSE;
        while !self.suspicions.is_closed() {
            match self.connect(client.take()).await {
                Ok(new) => {
                    pause = FIRST_PAUSE;
                    self.up(new.clone()).await;
                    match self.watch(new).await {
                        Some(lost) => client = self.down(lost),
                        None => return,
                    }
                }
                Err(lost) => {
                    client = self.down(lost);
                    sleep(pause).await;
                    pause = LAST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Asks the server with this client, or with a new one.
    async fn connect(&mut self, client: Option<Arc<Client>>) -> Result<Arc<Client>, Lost> {
        match client {
            Some(client) => self.probe(client, PROBE_WITHIN).await,
            None => match Client::new(self.settings.clone()) {
                Ok(client) => self.probe(Arc::new(client), CONNECT_WITHIN).await,
                Err(error) => Err(Lost {
                    why: fault::text(&error),
                    client: None,
                }),
            },
        }
    }

    /// Asks for the last event, which is cheap and needs a server that really serves.
    async fn probe(&mut self, client: Arc<Client>, within: Duration) -> Result<Arc<Client>, Lost> {
        let mut options = ReadAllOptions::default()
            .position(StreamPosition::End)
            .max_count(1);
        if let Some(credentials) = &self.credentials {
            options = options.authenticated(credentials.clone());
        }
        let asked = async {
            let mut answer = client.read_all(&options).await?;
            answer.next().await
        };
        let (why, usable) = match timeout(within, asked).await {
            Ok(Ok(_)) => {
                self.silences = 0;
                return Ok(client);
            }
            Ok(Err(error)) => {
                self.silences = 0;
                (fault::text(&error), !fault::is_end_of_client(&error))
            }
            Err(_) => {
                self.silences += 1;
                ("the server does not answer".into(), self.silences < SILENCES)
            }
        };
        Err(Lost {
            why,
            client: (usable && !self.cluster).then_some(client),
        })
    }

    async fn up(&mut self, client: Arc<Client>) {
        self.set_nodelay().await;
        self.generation += 1;
        tracing::info!(generation = self.generation, "connected to EventStoreDB");
        metrics::counter!("eventflow_eventstore_connects_total").increment(1);
        metrics::gauge!("eventflow_eventstore_connected").set(1.0);
        self.state.send_replace(State::Up(Link {
            client,
            generation: self.generation,
        }));
    }

    fn down(&self, lost: Lost) -> Option<Arc<Client>> {
        let told = matches!(&*self.state.borrow(), State::Down(why) if **why == *lost.why);
        if !told {
            tracing::warn!(why = %lost.why, "no connection to EventStoreDB");
        }
        metrics::gauge!("eventflow_eventstore_connected").set(0.0);
        self.state.send_replace(State::Down(lost.why.into()));
        lost.client
    }

    /// Waits until the connection is lost; `None` when nobody needs it any more.
    async fn watch(&mut self, client: Arc<Client>) -> Option<Lost> {
        loop {
            match timeout(LOOK_EVERY, self.suspicions.recv()).await {
                Err(_) => self.set_nodelay().await,
                Ok(None) => return None,
                Ok(Some(generation)) if generation < self.generation => {}
                Ok(Some(_)) => {
                    if let Err(lost) = self.probe(client.clone(), PROBE_WITHIN).await {
                        return Some(lost);
                    }
                    // One answer is enough for all who asked meanwhile.
                    while self.suspicions.try_recv().is_ok() {}
                    self.set_nodelay().await;
                }
            }
        }
    }

    async fn set_nodelay(&mut self) {
        let nodelay = std::mem::take(&mut self.nodelay);
        if let Ok(nodelay) = tokio::task::spawn_blocking(|| nodelay.set()).await {
            self.nodelay = nodelay;
        }
    }
}
