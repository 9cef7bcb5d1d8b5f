//! What a connection string says.

use eventstore::{ClientSettings, Credentials};

/// The connection string is none.
#[derive(Debug, thiserror::Error)]
#[error("not a connection string of EventStoreDB: {0}")]
pub struct InvalidUrl(String);

/// Where to connect to, and as whom.
pub(super) struct Target {
    pub settings: ClientSettings,
    /// When the crate's own would be wrong.
    pub credentials: Option<Credentials>,
    /// On which the nodes listen, as far as it says.
    pub ports: Vec<u16>,
    /// Whether there is more than one node.
    pub cluster: bool,
}

/// How long the crate sleeps before it connects, in ms, unless the connection string says something else. Its own
/// 500 ms are meant as a pause between attempts; ours is in `connection`.
const DISCOVERY_INTERVAL_MS: u32 = 20;

pub(super) fn target(url: &str) -> Result<Target, InvalidUrl> {
    let url = normal(url);
    let settings: ClientSettings = url.parse().map_err(|error| InvalidUrl(reason(&error, &url)))?;
    if settings.hosts().iter().any(|host| host.host.is_empty()) {
        return Err(InvalidUrl("it has no host".into()));
    }
    readable(&settings)?;
    Ok(Target {
        credentials: credentials(&url)?,
        ports: settings
            .hosts()
            .iter()
            .filter_map(|host| u16::try_from(host.port).ok())
            .collect(),
        cluster: settings.is_dns_discovery_enabled() || settings.hosts().len() > 1,
        settings,
    })
}

/// The files that it names are there. The crate would find out in a task of its own, and end it.
fn readable(settings: &ClientSettings) -> Result<(), InvalidUrl> {
    let user = settings.user_certificate();
    let files = [
        settings.tls_ca_file(),
        user.map(|(cert, _)| cert),
        user.map(|(_, key)| key),
    ];
    for file in files.into_iter().flatten() {
        if let Err(error) = std::fs::File::open(file) {
            return Err(InvalidUrl(format!("{file} cannot be read: {error}")));
        }
    }
    Ok(())
}

/// As the crate understands it: the scheme's older name, no slash before the parameters (it would take what is
/// behind it for one more host), and the pause before connecting.
fn normal(url: &str) -> String {
    let url = url.trim();
    let url = match url.strip_prefix("kurrentdb") {
        Some(rest) => format!("esdb{rest}"),
        None => url.to_owned(),
    };
    let (place, parameters) = url.split_once('?').unwrap_or((&url, ""));
    let mut normal = place.strip_suffix('/').unwrap_or(place).to_owned();
    normal.push('?');
    normal.push_str(parameters);
    if !parameters.to_ascii_lowercase().contains("discoveryinterval=") {
        if !parameters.is_empty() {
            normal.push('&');
        }
        normal.push_str(&format!("discoveryInterval={DISCOVERY_INTERVAL_MS}"));
    }
    normal
}

/// User and password, decoded, when they have to be. The crate sends them as they stand in the string.
fn credentials(url: &str) -> Result<Option<Credentials>, InvalidUrl> {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = place.split(['?', '/']).next().unwrap_or_default();
    let Some((user, _)) = place.rsplit_once('@').filter(|(user, _)| user.contains('%')) else {
        return Ok(None);
    };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    match (decoded(user), decoded(password)) {
        (Some(user), Some(password)) => Ok(Some(Credentials::new(user, password))),
        _ => Err(InvalidUrl("user or password are not percent-encoded".into())),
    }
}

/// The bytes of a percent-encoded text, when they are one again.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                u8::try_from(digits[0]? * 16 + digits[1]?).ok()?
            }
            other => other,
        };
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok()
}

/// What is wrong, without the connection string, which has the password.
fn reason(error: &eventstore::ClientSettingsParseError, url: &str) -> String {
    match error.error() {
        Some(error) => error.to_string(),
        None => error.message().replace(url, "…"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seeds(url: &str) -> Vec<(String, u32)> {
        let target = target(url).unwrap();
        let hosts = target.settings.hosts().iter();
        hosts.map(|host| (host.host.clone(), host.port)).collect()
    }

    #[test]
    fn a_connection_string_says_host_port_and_encryption() {
        let plain = target("esdb://store:2114?tls=false").unwrap();
        assert!(!plain.settings.is_secure_mode_enabled() && !plain.cluster);
        assert_eq!(plain.ports, [2114]);
        let secure = target("esdb://admin:changeit@store?tlsVerifyCert=false").unwrap();
        assert!(secure.settings.is_secure_mode_enabled());
        assert!(!secure.settings.is_tls_certificate_verification_enabled());
        assert!(secure.settings.default_authenticated_user().is_some() && secure.credentials.is_none());
        assert_eq!(secure.ports, [2113]);
    }

    #[test]
    fn a_cluster_has_several_hosts_or_one_name_to_discover_it_by() {
        let three = [("a".into(), 2111), ("b".into(), 2112), ("c".into(), 2113)];
        assert_eq!(seeds("esdb://a:2111,b:2112,c:2113?tls=false"), three);
        assert_eq!(
            seeds("esdb://admin:changeit@a:2111,b:2112,c:2113/?tls=true"),
            three
        );
        assert!(target("esdb://a:2111,b:2112").unwrap().cluster);
        assert!(target("esdb+discover://store.internal:2113").unwrap().cluster);
        assert!(target("kurrentdb+discover://store.internal").unwrap().cluster);
    }

    #[test]
    fn reserved_characters_in_user_and_password_are_decoded() {
        let given = target("esdb://ops%40shop:p%3Aw%2Fd%25@store")
            .unwrap()
            .credentials;
        assert_eq!(given, Some(Credentials::new("ops@shop", "p:w/d%")));
        assert!(target("esdb://ops:p%zz@store").is_err());
    }

    #[test]
    fn what_is_no_connection_string_is_refused_without_telling_the_password() {
        for url in [
            "",
            "store:2113",
            "http://store:2113",
            "esdb://",
            "esdb://ops:s3cret@store:notaport",
            "esdb://ops:s3cret@a:1,b:notaport",
            "esdb://ops:s3cret@store?nodePreference=sometimes",
        ] {
            let error = target(url).err().unwrap().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_pause_before_connecting_is_short_unless_it_is_given() {
        let interval = |url: &str| target(url).unwrap().settings.discovery_interval().as_millis();
        assert_eq!(interval("esdb://store"), 20);
        assert_eq!(interval("esdb://store?tls=false&discoveryInterval=700"), 700);
    }
}
