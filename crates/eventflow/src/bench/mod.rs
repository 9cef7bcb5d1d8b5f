//! `bench`: measures the program on this machine, client included, and prints one table.
//!
//! Everything runs against a child process, `dev` on a folder of its own, over HTTP: what is measured is what a
//! user gets. The client shares the machine, and its share is part of the result. Each workload ends by itself.

mod catalogue;
mod disk;
mod followers;
mod history;
mod holds;
mod load;
mod maps;
mod maps_check;
mod server;
mod stadium;
mod story;
mod table;
mod workloads;

use crate::{ProgramError, client, settings::DECLARED};
use catalogue::Catalogue;
use clap::{Args, ValueEnum};
use server::{Server, Target};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use table::Table;

const EXAMPLES: &str = "\
Workloads:
  empty    GET /salud/viva: what the server and this client can do at all
  read     GET one show: as a share of `empty`
  hot      reservations of one ticket each, all on one show
  spread   the same over 100 shows
  soldout  reservations on a show that has nothing left: refusals
  holds    seats of one numbered show are held and given back, each pair measured as one
  maps     people have the map of one numbered show open while it sells 200 seats a second: the
           time from a buyer's answer until each of them was sent that seat as sold
  cold     from starting the process on a long log until it is ready
  replay   reading a long log and making all views in memory
  rebuild  making the read models anew from a long log

Examples:
  eventflow bench --quick
  eventflow bench --only hot,spread --reservations 50000
  eventflow bench --only maps --followers 1000 --seconds 30
  eventflow bench --target http://127.0.0.1:8080 --only read";

/// What `bench` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    /// How many reservations each selling workload makes, each by another person
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    reservations: u32,
    /// How many requests are in flight at once
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    in_flight: u16,
    /// How long the workloads without a fixed number of requests last
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many people have the map open
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    followers: u32,
    /// How many events the long log has
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=20_000_000))]
    events: u32,
    /// A tenth of everything: a look in half a minute, not a measurement
    #[arg(long)]
    quick: bool,
    /// Only these workloads, separated by commas
    #[arg(long, value_name = "NAME", value_enum, value_delimiter = ',')]
    only: Vec<Workload>,
    /// Drive a server that runs already instead of an own one; only the workloads over HTTP
    #[arg(long, value_name = "URL", value_parser = parse_target)]
    target: Option<SocketAddr>,
    /// The access token of somebody who may do everything there, for a server that asks for one
    #[arg(
        long,
        value_name = "TOKEN",
        env = "EVENTFLOW_TOKEN",
        hide_env_values = true,
        requires = "target"
    )]
    token: Option<String>,
    /// Where the data folders are made, and removed afterwards; its disk is what is measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The workloads, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Workload {
    Empty,
    Read,
    Hot,
    Spread,
    Soldout,
    Holds,
    Maps,
    Cold,
    Replay,
    Rebuild,
}

impl Workload {
    /// Runs over HTTP against the server that sells.
    fn sells(self) -> bool {
        self <= Workload::Maps
    }
}

/// The arguments, with `--quick` worked in.
struct Plan {
    reservations: u32,
    in_flight: usize,
    lasting: Duration,
    followers: usize,
    events: u32,
    chosen: Vec<Workload>,
}

impl Plan {
    fn new(args: &BenchArgs) -> Self {
        let share = if args.quick { 10 } else { 1 };
        let mut chosen = match args.only.as_slice() {
            [] => Workload::value_variants().to_vec(),
            only => only.to_vec(),
        };
        chosen.sort_unstable();
        chosen.dedup();
        if args.target.is_some() {
            chosen.retain(|workload| workload.sells());
        }
        Self {
            reservations: (args.reservations / share).max(100),
            in_flight: usize::from(args.in_flight),
            lasting: Duration::from_millis(args.seconds * 1_000 / u64::from(share)),
            followers: (args.followers / share).max(10) as usize,
            events: (args.events / share).max(10_000),
            chosen,
        }
    }

    fn wants(&self, workload: Workload) -> bool {
        self.chosen.contains(&workload)
    }
}

/// Runs the chosen workloads and prints the table.
///
/// # Errors
/// When a server does not start, a workload's answers are not what they must be, or what was sold afterwards is
/// not exactly what was confirmed: a fast wrong server has no result.
pub fn run(args: &BenchArgs) -> Result<(), ProgramError> {
    let plan = Plan::new(args);
    if let Some(token) = &args.token {
        client::authorize(token);
    }
    // One thread: the client must not take more than it needs from the server beside it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let scratch = disk::Scratch::make(args.dir.as_deref())?;
    let mut table = Table::default();
    table.disk(disk::syncs_per_second(
        scratch.path(),
        plan.lasting.min(Duration::from_secs(2)),
    )?);
    if plan.chosen.iter().any(|workload| workload.sells()) {
        runtime.block_on(selling(&plan, args.target, &scratch, &mut table))?;
    }
    if plan.chosen.iter().any(|workload| !workload.sells()) {
        runtime.block_on(history::measure(&plan, &scratch, &mut table))?;
    }
    println!("{table}");
    Ok(())
}

/// The workloads over HTTP: one server, one catalogue of people and shows, then each in turn.
async fn selling(
    plan: &Plan,
    target: Option<SocketAddr>,
    scratch: &disk::Scratch,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let data = scratch.path().join("selling");
    let target = match target {
        Some(address) => Target::Running(address),
        None => Target::Own(Server::start(&data)?),
    };
    target.ready(Duration::from_secs(10)).await?;
    eprintln!(
        "registering {} people and {} shows …",
        plan.reservations,
        catalogue::SPREAD_SHOWS + 1
    );
    let (catalogue, registering) = Catalogue::make(&target, plan.reservations, plan.in_flight).await?;
    table.measured("register people", &registering, &target, None);
    for workload in plan.chosen.iter().filter(|workload| workload.sells()) {
        eprintln!("{workload:?} …");
        match workload {
            Workload::Empty => workloads::empty(plan, &target, table).await?,
            Workload::Read => workloads::read(plan, &target, &catalogue, table).await?,
            Workload::Hot => workloads::hot(plan, &target, &catalogue, table).await?,
            Workload::Spread => workloads::spread(plan, &target, &catalogue, table).await?,
            Workload::Soldout => workloads::sold_out(plan, &target, &catalogue, table).await?,
            Workload::Holds => holds::hold_and_release(plan, &target, &catalogue, table).await?,
            _ => maps::open_maps(plan, &target, &catalogue, table).await?,
        }
    }
    if let Target::Own(server) = target {
        server.stop()?;
        server::run_to_end("verify", &data)?;
        table.note("`verify` afterwards: everything holds");
    }
    Ok(())
}

/// The address of a target such as `http://127.0.0.1:8080`.
fn parse_target(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    address.replace("localhost", "127.0.0.1").parse().map_err(|_| {
        let listen = DECLARED
            .iter()
            .find(|setting| setting.name == "listen")
            .map_or("", |it| it.default);
        format!("not of the form http://ADDRESS:PORT, such as http://{listen}")
    })
}
