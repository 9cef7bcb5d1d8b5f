//! Settings: each is declared once, in [`declared`], and that declaration makes its flag, its environment
//! variable, its key in the configuration file, its place in `--help`, its default and its type.
//!
//! Flags go before the environment, the environment before the file, the file before the defaults. Texts become
//! types here and nowhere else: whoever holds a [`Settings`] holds values that are fit for use.

mod flags;
mod nearest;
mod read;
#[cfg(test)]
mod tests;

pub use flags::{Audience, DEV, FOLDER, Flags, FolderFlags, SERVE, ServersFlags, ServingFlags};
pub use read::{LogFormat, MasterKey, SmtpServer};

use contract::Currency;
use nearest::nearest;
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use web::access::Network;

/// What every variable's name begins with.
pub const PREFIX: &str = "EVENTFLOW_";
/// The variable that names the configuration file; the flag is `--config`.
pub const CONFIG_VARIABLE: &str = "EVENTFLOW_CONFIG";
/// The access token for `bench --target`: no setting, and no mistake either.
pub const TOKEN_VARIABLE: &str = "EVENTFLOW_TOKEN";

/// Which subcommands show a setting's flag. The environment and the file may always hold all settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every subcommand.
    All,
    /// Those that work on a data folder.
    Folder,
    /// Those that sell: `dev` and `serve`.
    Serving,
    /// Only `dev`.
    Dev,
    /// Those that work with real servers: `serve`, `dead-letters`.
    Servers,
}

impl Scope {
    /// Whether a subcommand of this audience takes it.
    pub fn is_for(self, audience: Audience) -> bool {
        match self {
            Scope::All => true,
            Scope::Folder => audience != SERVE,
            Scope::Serving => audience != FOLDER,
            Scope::Dev => audience == DEV,
            Scope::Servers => audience == SERVE,
        }
    }
}

/// A setting as it is declared.
#[derive(Debug)]
pub struct Declared {
    /// Its name, which is also its key in the configuration file.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Its value when nobody sets it; empty = unset.
    pub default: &'static str,
    /// What a value must be: completes "… is not".
    pub expects: &'static str,
    /// Who takes it.
    pub scope: Scope,
    /// Never shown, not even in an error.
    pub secret: bool,
}

impl Declared {
    /// Its flag, without the dashes before it: `hold-ttl-ms`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its environment variable: `EVENTFLOW_HOLD_TTL_MS`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

macro_rules! settings {
    ($(
        #[doc = $help:literal]
        $name:ident: $type:ty = $default:literal, $scope:ident, $secret:literal, $expects:literal, $read:path;
    )+) => {
        /// Every setting, typed and validated.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $(#[doc = $help] pub $name: $type,)+
        }

        /// The declarations, one constant each.
        #[allow(non_upper_case_globals, reason = "named as the settings are")]
        mod declared {
            use super::{Declared, Scope};
            $(pub const $name: Declared = Declared {
                name: stringify!($name),
                help: $help,
                default: $default,
                expects: $expects,
                scope: Scope::$scope,
                secret: $secret,
            };)+
        }

        /// All declarations, in the order in which `--help` shows them.
        pub static DECLARED: &[&Declared] = &[$(&declared::$name),+];

        impl Settings {
            fn read(sources: &Sources) -> Result<Self, Invalid> {
                Ok(Self { $($name: sources.read(&declared::$name, $read)?,)+ })
            }
        }
    };
}

settings! {
    #[doc = "Where to listen; port 0 takes a free one. `dev` stays on this machine"]
    listen: SocketAddr = "127.0.0.1:8080", Serving, false, "an address with a port, such as 127.0.0.1:8080", read::address;
    #[doc = "The folder that holds everything: log, read models, keys"]
    data: PathBuf = "./data", Folder, false, "a path", read::path;
    #[doc = "Where `dev` serves its log to EventStoreDB's own clients over gRPC; unset, nowhere"]
    eventstore_listen: Option<SocketAddr> = "", Dev, false, "an address with a port, such as 127.0.0.1:2113", read::optional_address;
    #[doc = "EventStoreDB: its connection string, with credentials and TLS if it wants them"]
    eventstore_url: String = "esdb://127.0.0.1:2113?tls=false", Servers, true, "of the form esdb://HOST:PORT?tls=false", read::eventstore_url;
    #[doc = "RabbitMQ: its connection string"]
    rabbitmq_url: String = "amqp://guest:guest@127.0.0.1:5672/%2f", Servers, true, "of the form amqp://USER:PASSWORD@HOST:PORT/VHOST", read::rabbitmq_url;
    #[doc = "MongoDB: its connection string, with the database as its path"]
    mongodb_url: String = "mongodb://127.0.0.1:27017/eventflow", Servers, true, "of the form mongodb://HOST:PORT/DATABASE", read::mongodb_url;
    #[doc = "Redis: its connection string"]
    redis_url: String = "redis://127.0.0.1:6379/0", Servers, true, "of the form redis://HOST:PORT/DATABASE", read::redis_url;
    #[doc = "The payment gateway's address; `eventflow gateway` is one to try with"]
    payments_url: String = "http://127.0.0.1:9090", Servers, true, "of the form http://HOST:PORT", read::payments_url;
    #[doc = "What this process is called in logs, leases and queues; unset, its host's name and process id"]
    node: String = "", Servers, false, "up to 64 letters, digits, dots and dashes", read::node;
    #[doc = "What all names on shared servers begin with, so that two installations can share them"]
    namespace: String = "eventflow", Servers, false, "1 to 32 lower case letters, digits and dashes", read::namespace;
    #[doc = "Say yes to let `gateway` and `eventstore`, which ask nobody who they are, listen beyond this machine: only in a network that is trusted. `serve` asks, and does not need it"]
    trust_network: bool = "no", Servers, false, "yes or no", read::yes_or_no;
    #[doc = "How long a hold lasts, in milliseconds"]
    hold_ttl_ms: u64 = "600000", Serving, false, "a whole number from 100 to 86400000", read::hold_ttl_ms;
    #[doc = "The currency of prices that name none"]
    currency: Currency = "USD", Serving, false, "an active ISO 4217 code, such as USD", read::currency;
    #[doc = "How many people must share what an anonymised export says about one"]
    export_k: u32 = "5", Serving, false, "a whole number from 2 to 1000", read::export_k;
    #[doc = "Where e-mail goes; unset, it stays in the data folder. Taken and checked now, used once tickets are issued"]
    smtp_url: Option<SmtpServer> = "", Serving, false, "of the form smtp://HOST:PORT", read::smtp_server;
    #[doc = "The key that wraps the keys of all persons; unset, `master.key` in the data folder, made on the first start. Prefer the variable: flags are visible to other users of the machine"]
    master_key: Option<MasterKey> = "", Serving, true, "32 bytes in base64", read::master_key;
    #[doc = "While the master key is exchanged for another: one more that opens what it wrapped. See `eventflow keys rotate`"]
    master_key_previous: Option<MasterKey> = "", Serving, true, "32 bytes in base64", read::master_key;
    #[doc = "After how many months without a show people are forgotten by themselves; 0 = never"]
    retention_months: u32 = "0", Serving, false, "a whole number from 0 to 1200", read::retention_months;
    #[doc = "How long an access token is valid, in seconds"]
    access_ttl_s: u64 = "900", Serving, false, "a whole number from 10 to 86400", read::access_ttl_s;
    #[doc = "How long a log-in can be renewed, in seconds"]
    session_ttl_s: u64 = "2592000", Serving, false, "a whole number from 60 to 31536000", read::session_ttl_s;
    #[doc = "Requests per second that one caller may make on average, five times as many at once; 0 = no limit. Unset: 100 for `serve`, none for `dev`"]
    rate_limit: Option<u32> = "", Serving, false, "a whole number from 0 to 1000000", read::rate_limit;
    #[doc = "The proxies whose X-Forwarded-For is believed, as addresses and networks with commas between; unset, nobody's"]
    trusted_proxies: Vec<Network> = "", Serving, false, "addresses or networks such as 127.0.0.1,10.0.0.0/8", read::trusted_proxies;
    #[doc = "How long a read with `?posicion=` waits for its read model, in milliseconds"]
    read_wait_ms: u64 = "2000", Serving, false, "a whole number from 0 to 60000", read::read_wait_ms;
    #[doc = "How many connections are served at once; further ones wait to be accepted"]
    max_connections: usize = "4096", Serving, false, "a whole number from 1 to 1000000", read::max_connections;
    #[doc = "How many lanes each kind of aggregate has"]
    lanes: usize = "4", Serving, false, "a whole number from 1 to 256", read::lanes;
    #[doc = "What to log, as a filter of levels and targets"]
    log: String = "warn,eventflow=info,eventstore=off,lapin=off", All, false, "a filter such as info or warn,eventflow=debug", read::log_filter;
    #[doc = "How to log: text or json, one line each, on standard error"]
    log_format: LogFormat = "text", All, false, "text or json", read::log_format;
}

/// A setting, or the file that holds settings, is not as it must be.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A value is not what the setting takes.
    Value {
        /// The setting.
        setting: &'static str,
        /// What is wrong, with all three spellings.
        message: String,
    },
    /// The configuration file cannot be read, is not TOML, or has a key that is no setting.
    File(String),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Value { message, .. } | Invalid::File(message) => f.write_str(message),
        }
    }
}
impl std::error::Error for Invalid {}

/// Where a value came from, for whoever has to correct it.
enum Origin {
    Flag,
    Environment,
    File(PathBuf),
    Default,
}

/// The texts that were given, by place.
#[derive(Debug, Default)]
pub struct Sources {
    /// By the setting's name.
    pub flags: BTreeMap<&'static str, String>,
    /// By variable, those of EventFlow.
    pub environment: BTreeMap<String, String>,
    /// The configuration file and its values by key.
    pub file: Option<(PathBuf, BTreeMap<String, String>)>,
}

impl Sources {
    /// Flags as parsed, this process's environment, and the file that `--config` or EVENTFLOW_CONFIG names.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it must be.
    pub fn gather(flags: BTreeMap<&'static str, String>, config: Option<PathBuf>) -> Result<Self, Invalid> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let named = environment
            .get(CONFIG_VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        let file = match config.or(named) {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Invalid::File(format!(
                        "the configuration file {} (--config or {CONFIG_VARIABLE}) cannot be read: {error}",
                        path.display()
                    ))
                })?;
                let values = parse_file(&path, &text)?;
                Some((path, values))
            }
        };
        Ok(Self {
            flags,
            environment,
            file,
        })
    }

    /// Variables that look like settings and are none, each with what was probably meant.
    pub fn strangers(&self) -> Vec<String> {
        let known: Vec<String> = DECLARED.iter().map(|setting| setting.variable()).collect();
        self.environment
            .keys()
            .filter(|name| {
                ![CONFIG_VARIABLE, TOKEN_VARIABLE].contains(&name.as_str()) && !known.contains(*name)
            })
            .map(|name| {
                let meant = nearest(name, known.iter().map(String::as_str));
                format!("the environment variable {name} is no setting and is ignored; is {meant} meant?")
            })
            .collect()
    }

    fn read<T>(&self, setting: &'static Declared, read: fn(&str) -> Option<T>) -> Result<T, Invalid> {
        let (text, origin) = self.find(setting);
        read(text).ok_or_else(|| invalid(setting, text, &origin))
    }

    fn find(&self, setting: &Declared) -> (&str, Origin) {
        if let Some(text) = self.flags.get(setting.name) {
            return (text, Origin::Flag);
        }
        if let Some(text) = self.environment.get(&setting.variable()) {
            return (text, Origin::Environment);
        }
        if let Some((path, values)) = &self.file
            && let Some(text) = values.get(setting.name)
        {
            return (text, Origin::File(path.clone()));
        }
        (setting.default, Origin::Default)
    }
}

impl Settings {
    /// Validates what was given.
    ///
    /// # Errors
    /// [`Invalid`], naming the first setting that is not as it must be in all its spellings.
    pub fn resolve(sources: &Sources) -> Result<Self, Invalid> {
        Self::read(sources)
    }

    /// What asks nobody who they are listens beyond this machine only where somebody says so: the simulated payment
    /// gateway, and the log over EventStoreDB's protocol.
    ///
    /// # Errors
    /// [`Invalid`] when `listen` is not an address of this machine alone and `trust_network` is not set.
    pub fn stay_in_trusted_networks(&self) -> Result<(), Invalid> {
        self.trusts(self.listen, &declared::listen)
    }

    /// The same for where a log is served to EventStoreDB's clients.
    ///
    /// # Errors
    /// As [`Self::stay_in_trusted_networks`].
    pub fn serve_log_in_trusted_networks(&self, listen: SocketAddr) -> Result<(), Invalid> {
        self.trusts(listen, &declared::eventstore_listen)
    }

    fn trusts(&self, address: SocketAddr, listen: &'static Declared) -> Result<(), Invalid> {
        if address.ip().is_loopback() || self.trust_network {
            return Ok(());
        }
        let trust = &declared::trust_network;
        let message = format!(
            "{}: {} is not a loopback address, and nobody is asked who they are\n  set {} to a loopback address, \
             or {}=yes where only your own servers can reach it",
            listen.name,
            address,
            listen.variable(),
            trust.variable(),
        );
        Err(Invalid::Value {
            setting: listen.name,
            message,
        })
    }

    /// What `serve` needs and `dev` makes for itself.
    ///
    /// # Errors
    /// [`Invalid`] when there is no master key.
    pub fn shared_master_key(&self) -> Result<[u8; 32], Invalid> {
        if let Some(key) = &self.master_key {
            return Ok(key.0);
        }
        let setting = &declared::master_key;
        let message = format!(
            "{}: unset, and all nodes must have the same\n  set {} to {}, such as `openssl rand -base64 32` prints",
            setting.name,
            setting.variable(),
            setting.expects,
        );
        Err(Invalid::Value {
            setting: setting.name,
            message,
        })
    }

    /// `dev` asks nobody who they are, so it must not be reached from elsewhere.
    ///
    /// # Errors
    /// [`Invalid`] when `listen` is not an address of this machine alone.
    pub fn stay_on_this_machine(&self) -> Result<(), Invalid> {
        let (setting, address) = match self.eventstore_listen {
            _ if !self.listen.ip().is_loopback() => (&declared::listen, self.listen),
            Some(address) if !address.ip().is_loopback() => (&declared::eventstore_listen, address),
            _ => return Ok(()),
        };
        let message = format!(
            "{}: {} is not a loopback address, and `dev` asks nobody who they are\n  set --{}, {} or `{}` in the \
             configuration file to an address such as {}",
            setting.name,
            address,
            setting.flag(),
            setting.variable(),
            setting.name,
            if setting.default.is_empty() {
                "127.0.0.1:2113"
            } else {
                setting.default
            },
        );
        Err(Invalid::Value {
            setting: setting.name,
            message,
        })
    }
}

/// The refusal of a value, naming the setting in its three spellings.
fn invalid(setting: &'static Declared, text: &str, origin: &Origin) -> Invalid {
    let value = if setting.secret {
        "the value given".to_string()
    } else {
        format!("{text:?}")
    };
    let origin = match origin {
        Origin::Flag => format!("given as --{}", setting.flag()),
        Origin::Environment => format!("given as {}", setting.variable()),
        Origin::File(path) => format!("given in {}", path.display()),
        Origin::Default => "the default".to_string(),
    };
    let message = format!(
        "{name}: {value} ({origin}) is not {expects}\n  set it with --{flag}, {variable} or `{name}` in the \
         configuration file",
        name = setting.name,
        expects = setting.expects,
        flag = setting.flag(),
        variable = setting.variable(),
    );
    Invalid::Value {
        setting: setting.name,
        message,
    }
}

/// The values of a configuration file by key, as texts; every key must be a setting.
fn parse_file(path: &Path, text: &str) -> Result<BTreeMap<String, String>, Invalid> {
    let table: toml::Table = text.parse().map_err(|error| {
        Invalid::File(format!(
            "the configuration file {} is not TOML: {error}",
            path.display()
        ))
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let Some(setting) = DECLARED.iter().find(|setting| setting.name == key) else {
            let meant = nearest(&key, DECLARED.iter().map(|setting| setting.name));
            return Err(Invalid::File(format!(
                "{}: `{key}` is no setting; is `{meant}` meant?",
                path.display()
            )));
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(invalid(
                    setting,
                    "a list, table or date",
                    &Origin::File(path.to_path_buf()),
                ));
            }
        };
        values.insert(key, text);
    }
    Ok(values)
}
