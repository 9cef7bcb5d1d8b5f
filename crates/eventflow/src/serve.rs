//! `serve`: one role or several of the platform on real servers, from the first line that it prints to its last.

use crate::{ProgramError, cli::Role, node::Node, operations, settings::Settings, signals::Signals};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};
use tokio::net::TcpListener;
use web::server::{Closing, Limits};

/// How many requests are answered at once; more are told to come back.
const MAX_IN_FLIGHT: usize = 4_096;
/// How long requests in flight have at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Runs until SIGTERM or SIGINT. Servers that are away are waited for, at the start and later.
///
/// # Errors
/// When it cannot start: the settings or the address. Once it serves it ends well.
pub fn run(settings: &Settings, roles: &[Role]) -> Result<(), ProgramError> {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The recorder first: whoever counts takes its counters when it is made.
    let metrics = operations::metrics::install()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            ProgramError::Refused(format!(
                "cannot listen on {} (--listen): {error}",
                settings.listen
            ))
        })?;
        let address = listener.local_addr()?;
        let signals = Signals::listen()?;
        let (closer, closing) = Closing::pair();
        let mut told = Box::pin(signals.told_to_stop());
        let started = tokio::select! {
            started = Node::start(settings, &roles, metrics, closing) => started?,
            // Whoever waits for servers can be stopped as well.
            () = &mut told => return Ok(()),
        };
        let (node, router) = started;
        greet(address, &roles)?;
        let limits = Limits {
            max_connections: settings.max_connections,
            shutdown_grace: GRACE,
            ..Limits::default()
        };
        let shutdown = async {
            told.await;
            closer.close();
        };
        let router = web::telemetry::instrument(router, MAX_IN_FLIGHT);
        let cut_off = web::server::serve(listener, router, limits, shutdown).await;
        if cut_off > 0 {
            tracing::warn!(connections = cut_off, "some requests did not end in time");
        }
        node.stop().await;
        Ok::<_, ProgramError>(())
    })?;
    drop(runtime);
    tracing::info!("stopped");
    Ok(())
}

fn greet(address: SocketAddr, roles: &BTreeSet<Role>) -> io::Result<()> {
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address} as {}", roles.join(", "))?;
    // Whoever started us may wait for the line.
    out.flush()
}
