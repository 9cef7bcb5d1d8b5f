//! What the driver (lapin) needs from us, in one place.
//!
//! - Its calls wait for answers that may never come: [`timely`] bounds every one of them.
//! - Its own recovery is not used: a lost connection is given up whole, and everything is declared again.
//! - A call that is dropped before its answer comes, with the channel that it was made on, makes the driver take the
//!   answer for an error of the connection, and end it. [`whole`] keeps calls from being dropped with their callers.
//! - An attempt to connect that is abandoned leaves its thread behind until the server's socket closes. A server
//!   that is stopped accepts connections and never closes them: [`greets`] asks first, once an attempt timed out.
//! - Publishing waits until the message is on the wire. [`publish`] gives a future that is polled once, which puts
//!   the message behind those before it, and awaited later.
//! - A returned message is given to whichever confirm comes next, not to its own; whoever reads confirms goes by
//!   the returned message's correlation id.

use super::names::short;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind,
    options::BasicPublishOptions,
    protocol::{AMQPErrorKind, AMQPSoftError},
    uri::{AMQPScheme, AMQPUri},
};
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long one call to the broker may take.
const STEP: Duration = Duration::from_secs(5);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// What both sides expect to hear from each other, unless the URL says otherwise.
const HEARTBEAT_SECONDS: u16 = 10;

/// Why a call to the broker failed. Carries no address and no secret.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// What the driver or the broker says.
    Amqp(lapin::Error),
    /// No answer within the time.
    TimedOut(&'static str),
    /// The URL cannot be read.
    Url(String),
    /// What was waited for has ended.
    Ended,
}

impl Trouble {
    fn is(&self, error: &AMQPSoftError) -> bool {
        match self {
            Self::Amqp(found) => match found.kind() {
                ErrorKind::ProtocolError(found) => {
                    matches!(found.kind(), AMQPErrorKind::Soft(soft) if soft == error)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// It does not exist.
    pub fn is_absent(&self) -> bool {
        self.is(&AMQPSoftError::NOTFOUND)
    }

    /// It exists with other arguments.
    pub fn is_different(&self) -> bool {
        self.is(&AMQPSoftError::PRECONDITIONFAILED)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amqp(error) => error.fmt(f),
            Self::TimedOut(what) => write!(f, "no answer to {what} in time"),
            Self::Url(why) => write!(f, "the URL of the broker cannot be read: {why}"),
            Self::Ended => f.write_str("the connection has ended"),
        }
    }
}

impl From<lapin::Error> for Trouble {
    fn from(error: lapin::Error) -> Self {
        Self::Amqp(error)
    }
}

/// Waits for one answer, not for ever.
pub(super) async fn timely<T>(
    what: &'static str,
    call: impl IntoFuture<Output = lapin::Result<T>>,
) -> Result<T, Trouble> {
    match timeout(STEP, call).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Trouble::TimedOut(what)),
    }
}

/// Has something done to its end, even if nobody waits for it any more.
pub(super) async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, Trouble>> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        // It panicked, or the program ends.
        Err(_) => Err(Trouble::Ended),
    }
}

/// Reads the URL.
pub(super) fn parse(url: &str) -> Result<AMQPUri, Trouble> {
    let mut uri: AMQPUri = url.parse().map_err(Trouble::Url)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    uri.query.connection_timeout.get_or_insert(2_000);
    Ok(uri)
}

/// Makes a connection.
pub(super) async fn connect(uri: &AMQPUri, name: String) -> Result<Connection, Trouble> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match timeout(CONNECT, Connection::connect_uri(uri.clone(), properties)).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Trouble::TimedOut("connect")),
    }
}

/// Whether the server answers the first bytes of the protocol.
pub(super) async fn greets(uri: &AMQPUri) -> Result<(), Trouble> {
    if uri.scheme == AMQPScheme::AMQPS {
        return Ok(());
    }
    let greeting = async {
        let mut stream = TcpStream::connect((&*uri.authority.host, uri.authority.port)).await?;
        stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
        stream.read_u8().await
    };
    match timeout(CONNECT, greeting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Trouble::Amqp(error.into())),
        Err(_) => Err(Trouble::TimedOut("hello")),
    }
}

/// A message on its way; told apart by a number.
pub(super) type Confirming = Pin<Box<dyn Future<Output = (u64, lapin::Result<Confirmation>)> + Send>>;

/// A message to be published.
pub(super) struct Message<B> {
    pub exchange: String,
    pub key: String,
    pub mandatory: bool,
    pub properties: BasicProperties,
    pub body: B,
}

/// Publishes a message: on the first poll it is queued behind those before it; ready when it is confirmed, or on the
/// wire where no confirms were asked for. Only one task may do so on a channel, or confirms come to the wrong one.
pub(super) fn publish<B: AsRef<[u8]> + Send + Sync + 'static>(
    channel: Channel,
    number: u64,
    message: Message<B>,
) -> Confirming {
    Box::pin(async move {
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            immediate: false,
        };
        let sent = channel
            .basic_publish(
                short(message.exchange),
                short(message.key),
                options,
                message.body.as_ref(),
                message.properties,
            )
            .await;
        let outcome = match sent {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        (number, outcome)
    })
}
