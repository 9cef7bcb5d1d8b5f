//! `dev`: the whole of EventFlow in this process, from the first line that it prints to its last.

use crate::{
    ProgramError,
    access::{self, Required},
    operations,
    settings::Settings,
    signals::Signals,
    world::{self, Occupied, World},
};
use ports::embedded::FolderError;
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use web::server::{Closing, Limits};

/// How many requests are answered at once; more are told to come back.
const MAX_IN_FLIGHT: usize = 4_096;
/// How long requests in flight have at the end. With what the parts behind them may take it stays below the ten
/// seconds that whoever stops a server waits.
const GRACE: Duration = Duration::from_secs(5);
/// How long those who read the log over EventStoreDB's protocol have at the end.
const ENDPOINT_STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start: the settings, the address or the folder. Once it serves it ends well.
pub fn run(settings: &Settings) -> Result<(), ProgramError> {
    settings.stay_on_this_machine()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder =
        world::take_folder(&settings.data)?.map_err(|Occupied { holder, .. }| FolderError::InUse {
            path: settings.data.clone(),
            holder,
        })?;
    // The recorder first: whoever counts takes its counters when it is made.
    let metrics = operations::metrics::install()?;
    let world = runtime.block_on(async {
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            ProgramError::Refused(format!(
                "cannot listen on {} (--listen): {error}",
                settings.listen
            ))
        })?;
        let address = listener.local_addr()?;
        folder.announce(&address.to_string())?;
        // Before anybody can know that we are here: whoever has read the first line may stop us.
        let signals = Signals::listen()?;
        let (closer, closing) = Closing::pair();
        let world = World::start(settings, folder).await?;
        let endpoint = match settings.eventstore_listen {
            Some(listen) => Some(Endpoint::start(&world, listen).await?),
            None => None,
        };
        let router = operations::router(&world, settings, metrics, closing)?;
        let router = access::guard(router, world.tokens(), world.store(), settings, Required::No);
        greet(address, &settings.data)?;
        if let Some(endpoint) = &endpoint {
            println!(
                "\nthe log, for EventStoreDB's own clients: esdb://{}?tls=false",
                endpoint.address
            );
        }
        let limits = Limits {
            max_connections: settings.max_connections,
            shutdown_grace: GRACE,
            ..Limits::default()
        };
        let shutdown = async {
            signals.told_to_stop().await;
            // Event streams would go on for ever; requests in flight end by themselves.
            closer.close();
        };
        let router = web::telemetry::instrument(router, MAX_IN_FLIGHT);
        let cut_off = web::server::serve(listener, router, limits, shutdown).await;
        if cut_off > 0 {
            tracing::warn!(
                connections = cut_off,
                "some requests did not end in time; their purchases go on at the next start"
            );
        }
        if let Some(endpoint) = endpoint {
            endpoint.stop().await;
        }
        Ok::<_, ProgramError>(world.stop().await)
    })?;
    // The files are closed by whoever drops them last: tasks first, then the folder's lock.
    drop(runtime);
    drop(world);
    tracing::info!("stopped");
    Ok(())
}

/// The log over EventStoreDB's protocol, beside everything else.
struct Endpoint {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Endpoint {
    async fn start(world: &World, listen: SocketAddr) -> Result<Self, ProgramError> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            ProgramError::Refused(format!(
                "cannot listen on {listen} (--eventstore-listen): {error}"
            ))
        })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let log = world.log();
        let task = tokio::spawn(async move {
            let shutdown = async {
                // Dropped is told as well.
                let _ = stopped.await;
            };
            if let Err(error) = endpoint::serve(log, listener, shutdown).await {
                tracing::error!(%error, "the log is not served to EventStoreDB's clients any more");
            }
        });
        Ok(Self { address, stop, task })
    }

    /// Before the log is closed: whoever is connected is told to come back.
    async fn stop(self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(ENDPOINT_STOPS_WITHIN, self.task)
            .await
            .is_err()
        {
            tracing::warn!("the endpoint for EventStoreDB's clients did not stop in time");
        }
    }
}

/// Says where it is, what it keeps where, and what to try. `listening on …` is for programs, the rest for people.
fn greet(address: SocketAddr, data: &Path) -> io::Result<()> {
    let folder = std::path::absolute(data).unwrap_or_else(|_| data.to_path_buf());
    let folder = folder.display();
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    writeln!(
        out,
        r#"
  http://{address}/             the portal: buy, organise, audit
  http://{address}/docs         the API, to read and to try
  http://{address}/salud/lista  is it ready, and how is each part
  http://{address}/metrics      for Prometheus

everything is in {folder}
  events.db   the log of all that ever happened: the only truth
  views.db    what readers see, made from the log; `eventflow rebuild` makes it anew
  vault.db    a key for each person, and master.key, which wraps them: keep it apart
  gateway.db  the simulated payment gateway's own memory

three lines to try: somebody registers, a show is scheduled, a ticket is bought
  USUARIO=$(curl -s http://{address}/api/usuarios -H 'Content-Type: application/json' -d '{{"tipo_documento":"DNI","nro_documento":"12345678","nombre":"Ana","apellido":"Rojas","email":"ana@example.org"}}' | grep -o '"usuario_id":"[^"]*' | cut -d'"' -f4)
  EVENTO=$(curl -s http://{address}/api/eventos -H 'Content-Type: application/json' -d '{{"nombre":"La función","fecha":"2099-11-21T20:00:00Z","lugar":"Teatro Municipal","precio":49.9,"aforo_total":100}}' | grep -o '"evento_id":"[^"]*' | cut -d'"' -f4)
  curl -s http://{address}/api/reservar -H 'Content-Type: application/json' -d "{{\"usuario_id\":\"$USUARIO\",\"evento_id\":\"$EVENTO\",\"cantidad\":2}}"

Ctrl-C stops."#
    )?;
    // Whoever started us may wait for the first line.
    out.flush()
}
