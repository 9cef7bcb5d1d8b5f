//! How each setting's text becomes its type. `None` = the text is not what the setting takes.

use contract::Currency;
use ports::embedded::parse_master_key;
use std::{fmt, net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr};
use tracing_subscriber::EnvFilter;
use web::access::Network;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object per line.
    Json,
}

/// The master key: 32 bytes that never show.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Where e-mail is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse().ok(),
        None => text.parse().ok(),
    }
}

pub(super) fn optional_address(text: &str) -> Option<Option<SocketAddr>> {
    if text.is_empty() {
        return Some(None);
    }
    address(text).map(Some)
}

/// What the driver makes of the rest, it says when it connects.
fn url(text: &str, schemes: &[&str]) -> Option<String> {
    let text = text.trim();
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme))?;
    (!rest.is_empty() && !rest.starts_with('/')).then(|| text.to_string())
}

pub(super) fn eventstore_url(text: &str) -> Option<String> {
    url(
        text,
        &[
            "esdb://",
            "esdb+discover://",
            "kurrentdb://",
            "kurrentdb+discover://",
        ],
    )
}

pub(super) fn rabbitmq_url(text: &str) -> Option<String> {
    url(text, &["amqp://", "amqps://"])
}

pub(super) fn mongodb_url(text: &str) -> Option<String> {
    url(text, &["mongodb://", "mongodb+srv://"])
}

pub(super) fn redis_url(text: &str) -> Option<String> {
    url(text, &["redis://", "rediss://"])
}

pub(super) fn payments_url(text: &str) -> Option<String> {
    url(text, &["http://"])
}

pub(super) fn node(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (text.len() <= 64 && text.chars().all(fits)).then(|| text.to_string())
}

pub(super) fn namespace(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ((1..=32).contains(&text.len()) && text.chars().all(fits)).then(|| text.to_string())
}

pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

pub(super) fn hold_ttl_ms(text: &str) -> Option<u64> {
    within(text, 100..=86_400_000)
}

pub(super) fn currency(text: &str) -> Option<Currency> {
    text.trim().parse().ok()
}

pub(super) fn export_k(text: &str) -> Option<u32> {
    within(text, 2..=1_000)
}

pub(super) fn smtp_server(text: &str) -> Option<Option<SmtpServer>> {
    if text.is_empty() {
        return Some(None);
    }
    let (host, port) = text
        .trim()
        .trim_end_matches('/')
        .strip_prefix("smtp://")?
        .rsplit_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let port = within(port, 1..=u16::MAX)?;
    Some(Some(SmtpServer {
        host: host.to_string(),
        port,
    }))
}

pub(super) fn master_key(text: &str) -> Option<Option<MasterKey>> {
    if text.is_empty() {
        return Some(None);
    }
    parse_master_key(text).ok().map(|key| Some(MasterKey(key)))
}

pub(super) fn access_ttl_s(text: &str) -> Option<u64> {
    within(text, 10..=86_400)
}

pub(super) fn session_ttl_s(text: &str) -> Option<u64> {
    within(text, 60..=31_536_000)
}

pub(super) fn rate_limit(text: &str) -> Option<Option<u32>> {
    if text.is_empty() {
        return Some(None);
    }
    within(text, 0..=1_000_000).map(Some)
}

pub(super) fn trusted_proxies(text: &str) -> Option<Vec<Network>> {
    let given = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    given.map(|one| one.parse().ok()).collect()
}

pub(super) fn retention_months(text: &str) -> Option<u32> {
    within(text, 0..=1_200)
}

pub(super) fn read_wait_ms(text: &str) -> Option<u64> {
    within(text, 0..=60_000)
}

pub(super) fn max_connections(text: &str) -> Option<usize> {
    within(text, 1..=1_000_000)
}

pub(super) fn lanes(text: &str) -> Option<usize> {
    within(text, 1..=256)
}

pub(super) fn log_filter(text: &str) -> Option<String> {
    EnvFilter::try_new(text).ok().map(|_| text.to_string())
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text.trim() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// A whole number within bounds; `_` may group digits.
fn within<T: FromStr + PartialOrd>(text: &str, bounds: RangeInclusive<T>) -> Option<T> {
    let number: T = text.trim().replace('_', "").parse().ok()?;
    bounds.contains(&number).then_some(number)
}
