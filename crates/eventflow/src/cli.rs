//! The command line: subcommands and what they take. What they do stands in [`crate::commands`].

use crate::{
    bench::BenchArgs,
    settings::{FolderFlags, ServersFlags, ServingFlags},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::{Currency, Position, ReservationId, Timestamp, UserId, events::DocumentType};
use std::{net::SocketAddr, path::PathBuf};
use web::{
    access::{role_from, role_word},
    render::DOCUMENT_TYPES,
};

const EXAMPLES: &str = "\
Examples:
  eventflow                                   start on http://127.0.0.1:8080, data in ./data
  eventflow dev --listen 127.0.0.1:0          start on a free port and say which
  EVENTFLOW_HOLD_TTL_MS=30000 eventflow dev   holds last half a minute
  eventflow verify --data ./data              prove that nothing was oversold, lost or altered
  eventflow replay --stream show-ID --print   what happened to one show, event by event
  eventflow sagas list                        purchases that are not settled, and why
  eventflow forget --user ID                  forget a person and print a certificate of it
  eventflow admin create --email E ...        register an administrator; asks for the password
  eventflow bench --quick                     how fast is it on this machine?
  eventflow serve command-side orchestrator   two roles of the platform on real servers, in one process
  eventflow dead-letters list                 messages that nobody could carry out

Settings come from flags, else the environment, else the file that --config names, else their defaults.
A file holds `name = value` lines, such as `hold_ttl_ms = 30000`.";

/// Sells tickets: people register, hold seats, pay and get their tickets; nothing is sold twice.
///
/// One program, no servers needed: it keeps an append-only log of all that happens, and everything else is made
/// from that log. Without a subcommand it does `dev`.
#[derive(Debug, Parser)]
#[command(name = "eventflow", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `dev` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What `dev` takes.
    #[command(flatten)]
    pub dev: ServingFlags,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in this process, on a data folder, for this machine only (the default)
    Dev(ServingFlags),
    /// Prove from the log alone that nothing was oversold, lost, paid twice or altered; also while `dev` runs
    ///
    /// Exit status: 0 when everything holds; 1 when something does not, and the first offending event is named.
    Verify(FolderFlags),
    /// Read the log from the start and make every view of it in memory, or print it; changes nothing
    Replay(ReplayArgs),
    /// Make the read models anew from the log; through `dev` when it runs, which goes on selling meanwhile
    Rebuild(FolderFlags),
    /// Purchases that are not settled: list them, look at one, let a stuck one try again
    Sagas(SagasArgs),
    /// Forget a person, for good, and print a certificate of it; through `dev` when it runs
    Forget(ForgetArgs),
    /// The first administrator, and roles for others: where nobody can log in yet who could give them
    Admin(AdminArgs),
    /// The keys that people's data are sealed with: exchange the master key for a new one
    Keys(KeysArgs),
    /// Measure this program on this machine, client included, and print one table
    Bench(BenchArgs),
    /// Run one role or several of the platform on real servers: EventStoreDB, RabbitMQ, MongoDB, Redis
    Serve(ServeArgs),
    /// Messages that RabbitMQ gave up delivering: list them, look at one, put them back
    DeadLetters(DeadLettersArgs),
    /// Serve a data folder's log to EventStoreDB's own clients over gRPC, and nothing else
    Eventstore(EventstoreArgs),
    /// The simulated payment gateway as a server of its own, for trying `serve`
    Gateway(GatewayArgs),
    /// Ask a server whether it is well: exit status 0 when it answers 200
    Health {
        /// Such as http://127.0.0.1:8080/salud/lista
        url: String,
    },
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Which roles this process has
    #[arg(value_name = "ROLE", required = true, value_enum)]
    pub roles: Vec<Role>,
    /// All settings.
    #[command(flatten)]
    pub settings: ServersFlags,
}

/// What a process of the platform does. Any number of processes may have a role; of projectors one is at work and
/// the others stand by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    /// Takes commands over HTTP, and carries them out: lanes and payments
    CommandSide,
    /// Answers reads over HTTP
    QuerySide,
    /// Keeps the read models up to date and tells RabbitMQ what happened
    Projector,
    /// Drives the purchases
    Orchestrator,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::CommandSide => "command-side",
            Role::QuerySide => "query-side",
            Role::Projector => "projector",
            Role::Orchestrator => "orchestrator",
        })
    }
}

/// What `dead-letters` takes.
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    /// What about them.
    #[command(subcommand)]
    pub action: DeadLettersAction,
}

/// What can be done about dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersAction {
    /// All of them, the oldest first
    List {
        /// How many at the most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Where.
        #[command(flatten)]
        settings: ServersFlags,
    },
    /// One, with what it carries; that may be personal, so look at it only if you must
    Show {
        /// Its id, as the list shows it
        id: String,
        /// Where.
        #[command(flatten)]
        settings: ServersFlags,
    },
    /// Put it back where it came from, to be carried out after all
    Requeue {
        /// Its id, as the list shows it
        id: Option<String>,
        /// Not one but all of them
        #[arg(long)]
        all: bool,
        /// Where.
        #[command(flatten)]
        settings: ServersFlags,
    },
}

/// What `eventstore` takes.
#[derive(Debug, Args)]
pub struct EventstoreArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2113")]
    pub eventstore_listen: SocketAddr,
    /// Which log.
    #[command(flatten)]
    pub folder: FolderFlags,
}

/// What `gateway` takes.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// Where to listen
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "EVENTFLOW_LISTEN",
        default_value = "127.0.0.1:9090"
    )]
    pub listen: SocketAddr,
    /// The folder that holds its memory
    #[arg(
        long,
        value_name = "DIR",
        env = "EVENTFLOW_DATA",
        default_value = "./gateway-data"
    )]
    pub data: PathBuf,
    /// The currency of ledgers that were never charged
    #[arg(long, value_name = "CODE", env = "EVENTFLOW_CURRENCY", default_value = "USD")]
    pub currency: Currency,
}

/// What `replay` takes.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Where and how.
    #[command(flatten)]
    pub folder: FolderFlags,
    /// Stop behind this position, or at this time (RFC 3339, as in 2026-11-21T20:00:00Z)
    #[arg(long, value_name = "POSITION|TIME", value_parser = Until::parse)]
    pub until: Option<Until>,
    /// Only this stream, such as show-ID, reservation-ID or user-ID
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,
    /// Print every event as a line of JSON on standard output
    #[arg(long)]
    pub print: bool,
}

/// Where a replay stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The last position that is read.
    Position(Position),
    /// The last time that is read.
    Time(Timestamp),
}

impl Until {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(Position(position)));
        }
        Timestamp::parse_rfc3339(text).map(Self::Time).ok_or_else(|| {
            "neither a position (a whole number) nor a time such as 2026-11-21T20:00:00Z".to_string()
        })
    }
}

/// What `forget` takes.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Who
    #[arg(long, value_name = "USER")]
    pub user: UserId,
    /// Print the certificate as JSON
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub folder: FolderFlags,
}

/// What `admin` takes.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// What about them.
    #[command(subcommand)]
    pub action: AdminAction,
}

/// What can be done about administrators.
#[derive(Debug, Subcommand)]
pub enum AdminAction {
    /// Register a person and make them an administrator; whoever has this document already is made one
    ///
    /// The password is asked for on the terminal, or read as one line from standard input; never from a flag. Works
    /// on a data folder that nobody uses, or with --servers on a running platform. Prints the user's id.
    Create {
        /// Their e-mail address, with which they log in
        #[arg(long)]
        email: String,
        /// Their given name
        #[arg(long, value_name = "NAME")]
        given_name: String,
        /// Their family name
        #[arg(long, value_name = "NAME")]
        family_name: String,
        /// What their document is: DNI, CI, Cedula, RUT, Pasaporte or Otro
        #[arg(long, value_name = "TYPE", value_parser = document_type)]
        document_type: DocumentType,
        /// Its number
        #[arg(long, value_name = "NUMBER")]
        document: String,
        /// Where.
        #[command(flatten)]
        place: AdminPlace,
    },
    /// Give somebody roles, beside those that they have
    Grant {
        /// Who
        #[arg(long, value_name = "USER")]
        user: UserId,
        /// Which: organizador, puerta, auditor or admin; may be said several times
        #[arg(long, value_name = "ROLE", required = true, value_parser = access_role)]
        role: Vec<contract::Role>,
        /// Where.
        #[command(flatten)]
        place: AdminPlace,
    },
}

/// Where an administrator is made.
#[derive(Debug, Args)]
pub struct AdminPlace {
    /// On the platform whose servers the environment or the file names (EVENTFLOW_EVENTSTORE_URL …), not on a folder
    #[arg(long, conflicts_with = "data")]
    pub servers: bool,
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderFlags,
}

fn document_type(text: &str) -> Result<DocumentType, String> {
    let found = DOCUMENT_TYPES
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    let words = DOCUMENT_TYPES.map(|(word, _)| word).join(", ");
    found
        .map(|(_, kind)| *kind)
        .ok_or_else(|| format!("it must be one of {words}"))
}

fn access_role(text: &str) -> Result<contract::Role, String> {
    let words = contract::Role::ALL.map(role_word).join(", ");
    role_from(text).ok_or_else(|| format!("it must be one of {words}"))
}

/// What `keys` takes.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// What about them.
    #[command(subcommand)]
    pub action: KeysAction,
}

/// What can be done about keys.
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// Make a new master key and wrap all persons' keys by it; killed in the middle, it goes on when run again
    ///
    /// Nobody may use the folder meanwhile. On servers, nodes do it themselves: start each with
    /// EVENTFLOW_MASTER_KEY_PREVIOUS set to the new key, then each with the two exchanged, and once every
    /// command-side node has logged that all keys are wrapped, without EVENTFLOW_MASTER_KEY_PREVIOUS.
    Rotate {
        /// Where.
        #[command(flatten)]
        folder: FolderFlags,
    },
}

/// What `sagas` takes.
#[derive(Debug, Args)]
pub struct SagasArgs {
    /// What about them.
    #[command(subcommand)]
    pub action: SagasAction,
}

/// What can be done about sagas.
#[derive(Debug, Subcommand)]
pub enum SagasAction {
    /// Those that are not settled, stuck ones first
    List {
        /// Where and how.
        #[command(flatten)]
        folder: FolderFlags,
    },
    /// One, with its steps and every event of its stream
    Show {
        /// The reservation's id
        #[arg(value_name = "RESERVATION")]
        id: ReservationId,
        /// Where and how.
        #[command(flatten)]
        folder: FolderFlags,
    },
    /// Let a stuck one try again
    Retry {
        /// The reservation's id
        #[arg(value_name = "RESERVATION")]
        id: ReservationId,
        /// Where and how.
        #[command(flatten)]
        folder: FolderFlags,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_subcommand_it_is_dev() {
        let cli = Cli::try_parse_from(["eventflow", "--listen", "127.0.0.1:0"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.dev.settings().unwrap().0.listen.port(), 0);
    }

    #[test]
    fn until_is_a_position_or_a_time() {
        assert_eq!(Until::parse("12"), Ok(Until::Position(Position(12))));
        assert_eq!(
            Until::parse("1970-01-01T00:00:01Z"),
            Ok(Until::Time(Timestamp(1_000)))
        );
        assert!(Until::parse("yesterday").is_err());
    }
}
