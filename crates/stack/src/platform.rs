//! The whole platform: every role as a process of its own behind nginx, on real servers.

use crate::{
    Failed, Scratch, Server, free_port,
    mongodb::{self, MongoDb},
    nginx::{self, Nginx},
    rabbitmq::{self, RabbitMq},
    redis::{self, Redis},
};
use std::{
    env,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How many processes each role has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Command-side nodes.
    pub command_side: usize,
    /// Query-side nodes.
    pub query_side: usize,
    /// Projectors: one at work, the others standing by.
    pub projectors: usize,
    /// Orchestrators.
    pub orchestrators: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            command_side: 3,
            query_side: 2,
            projectors: 2,
            orchestrators: 2,
        }
    }
}

/// A master key for tests.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The running platform. Dropping it ends everything.
pub struct Platform {
    /// In front of the others.
    pub nginx: Nginx,
    /// The nodes, by role.
    pub command_side: Vec<Server>,
    /// The nodes, by role.
    pub query_side: Vec<Server>,
    /// The nodes, by role.
    pub projectors: Vec<Server>,
    /// The nodes, by role.
    pub orchestrators: Vec<Server>,
    /// The payment provider.
    pub gateway: Server,
    /// The log: an embedded one behind its EventStoreDB endpoint.
    pub eventstore: Server,
    /// The broker.
    pub rabbitmq: RabbitMq,
    /// The read models.
    pub mongodb: MongoDb,
    /// The hot views.
    pub redis: Redis,
    program: PathBuf,
    variables: Vec<(String, String)>,
    folder: Scratch,
}

/// The password of the administrator whom [`Platform::make_admin`] makes.
pub const ADMIN_PASSWORD: &str = "contraseña de prueba";
/// Their address.
pub const ADMIN_EMAIL: &str = "admin@example.org";

/// The program under test: `EVENTFLOW_PROGRAM`, or what the same build has made.
///
/// # Errors
/// When there is none.
pub fn program() -> Result<PathBuf, Failed> {
    if let Some(path) = env::var_os("EVENTFLOW_PROGRAM") {
        return Ok(path.into());
    }
    let own = env::current_exe()?;
    let built = own
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("eventflow"));
    built
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| Failed("build the program first: cargo build --release".into()))
}

impl Platform {
    /// Starts everything, with these variables for every node. Returns when all nodes listen.
    ///
    /// # Errors
    /// When something is not installed or does not start.
    pub fn start(shape: Shape, variables: &[(&str, &str)]) -> Result<Self, Failed> {
        let folder = Scratch::new("platform")?;
        let program = program()?;
        let rabbitmq = rabbitmq::start()?;
        let (mongodb, redis) = (mongodb::start_durable()?, redis::start()?);
        let eventstore = eventstore(&program, folder.path())?;
        let gateway = gateway(&program, folder.path())?;
        let mut nodes = Nodes {
            program,
            folder: folder.path().to_owned(),
            variables: vec![
                ("EVENTFLOW_MASTER_KEY".into(), MASTER_KEY.into()),
                (
                    "EVENTFLOW_EVENTSTORE_URL".into(),
                    format!("esdb://{}?tls=false", eventstore.address()),
                ),
                ("EVENTFLOW_RABBITMQ_URL".into(), rabbitmq.url()),
                ("EVENTFLOW_MONGODB_URL".into(), mongodb.database("eventflow")),
                ("EVENTFLOW_REDIS_URL".into(), redis.url()),
                (
                    "EVENTFLOW_PAYMENTS_URL".into(),
                    format!("http://{}", gateway.address()),
                ),
                // Tests log in once, and are all one caller.
                ("EVENTFLOW_ACCESS_TTL_S".into(), "86400".into()),
                ("EVENTFLOW_RATE_LIMIT".into(), "0".into()),
            ],
        };
        nodes.variables.extend(
            variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        );
        let command_side = nodes.start("command-side", shape.command_side)?;
        let query_side = nodes.start("query-side", shape.query_side)?;
        let projectors = nodes.start("projector", shape.projectors)?;
        let orchestrators = nodes.start("orchestrator", shape.orchestrators)?;
        let addresses = |servers: &[Server]| servers.iter().map(Server::address).collect::<Vec<_>>();
        let nginx = nginx::start(
            &addresses(&command_side),
            &addresses(&query_side),
            &addresses(&projectors),
        )?;
        Ok(Self {
            nginx,
            command_side,
            query_side,
            projectors,
            orchestrators,
            gateway,
            eventstore,
            rabbitmq,
            mongodb,
            redis,
            program: nodes.program,
            variables: nodes.variables,
            folder,
        })
    }

    /// Runs the program with the platform's settings, and with this on its standard input; what it printed.
    ///
    /// # Errors
    /// When it does not end well; with what it said.
    pub fn run(&self, args: &[&str], input: &str) -> Result<String, Failed> {
        let mut child = clean(&self.program)
            .args(args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(Failed(format!("{args:?}: {}", text(&output.stderr))))
        }
    }

    /// Makes an administrator, as the first thing that an operator does. The nodes must be ready.
    ///
    /// # Errors
    /// When the program does not.
    pub fn make_admin(&self) -> Result<(), Failed> {
        let person = [
            ["--email", ADMIN_EMAIL],
            ["--given-name", "Ada"],
            ["--family-name", "Mina"],
            ["--document-type", "Otro"],
            ["--document", "ADMIN-1"],
        ];
        let mut args = vec!["admin", "create", "--servers"];
        args.extend(person.as_flattened());
        self.run(&args, &format!("{ADMIN_PASSWORD}\n")).map(|_| ())
    }

    /// Where buyers come in.
    pub fn address(&self) -> SocketAddr {
        self.nginx.address()
    }

    /// The data folder of the log, which `eventflow verify` reads beside the running endpoint.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Where all of it keeps files and prints to: the log, the servers, the nodes, nginx.
    pub fn folders(&self) -> [&Path; 5] {
        [
            self.folder.path(),
            self.mongodb.folder(),
            self.redis.folder(),
            self.rabbitmq.folder(),
            self.nginx.folder(),
        ]
    }

    /// Every node, with its role's name and number.
    pub fn nodes(&self) -> impl Iterator<Item = &Server> {
        self.command_side
            .iter()
            .chain(&self.query_side)
            .chain(&self.projectors)
            .chain(&self.orchestrators)
    }

    /// Brings everything back, whatever a failed test has done to it.
    pub fn heal(&self) {
        let servers = [self.redis.server(), self.mongodb.server(), self.rabbitmq.server()];
        let own = [&self.eventstore, &self.gateway, self.nginx.server()];
        servers
            .into_iter()
            .chain(own)
            .chain(self.nodes())
            .for_each(Server::heal);
    }

    /// What each process has printed, for whoever looks for a fault.
    pub fn said(&self) -> String {
        self.nodes()
            .chain([&self.eventstore, &self.gateway])
            .map(|server| format!("──── {}\n{}\n", server.name(), server.said()))
            .collect()
    }
}

struct Nodes {
    program: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Nodes {
    /// So many nodes of a role, all at once, so that they share the lanes.
    fn start(&self, role: &'static str, count: usize) -> Result<Vec<Server>, Failed> {
        let servers = (0..count)
            .map(|number| {
                let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
                let (program, variables) = (self.program.clone(), self.variables.clone());
                let name = format!("{role}-{number}");
                let node = name.clone();
                let make = move || {
                    let mut command = clean(&program);
                    command
                        .args(["serve", role])
                        .envs(variables.iter().map(|(name, value)| (name, value)))
                        .env("EVENTFLOW_LISTEN", address.to_string())
                        .env("EVENTFLOW_NODE", &node);
                    command
                };
                Ok(Server::prepare(&name, &self.folder, address, make))
            })
            .collect::<Result<Vec<_>, Failed>>()?;
        for server in &servers {
            server.spawn()?;
        }
        for server in &servers {
            server.ready()?;
        }
        Ok(servers)
    }
}

/// The program, without whatever `EVENTFLOW_` variables the tests themselves run under.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("EVENTFLOW_") {
            command.env_remove(name);
        }
    }
    command
}

fn eventstore(program: &Path, folder: &Path) -> Result<Server, Failed> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let (program, data) = (program.to_owned(), folder.join("log"));
    Server::start("eventstore", folder, address, move || {
        let mut command = clean(&program);
        command
            .args([
                "eventstore",
                "--eventstore-listen",
                &address.to_string(),
                "--data",
            ])
            .arg(&data);
        command
    })
}

fn gateway(program: &Path, folder: &Path) -> Result<Server, Failed> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let (program, data) = (program.to_owned(), folder.join("gateway"));
    Server::start("gateway", folder, address, move || {
        let mut command = clean(&program);
        command
            .args(["gateway", "--listen", &address.to_string(), "--data"])
            .arg(&data);
        command
    })
}
