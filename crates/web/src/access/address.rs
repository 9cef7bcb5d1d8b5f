//! From where a request comes.

use axum::http::HeaderMap;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The other end of the connection, as [`crate::server`] saw it: the caller, or a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Addresses that begin alike: `10.0.0.0/8`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(longest), str::parse).map_err(|_| NotANetwork)?;
        if bits > longest {
            return Err(NotANetwork);
        }
        Ok(Self { address, bits })
    }
}

/// The caller's address, as far as it can be known: the peer's, or what a proxy that is trusted says of it. For limits
/// and nothing else: an address proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The last entry of `X-Forwarded-For`, which the proxy itself wrote, when the peer is one of `proxies`; the ones
    /// before it are whatever the caller wanted.
    pub fn of(peer: Peer, headers: &HeaderMap, proxies: &[Network]) -> Self {
        let peer = peer.0.ip().to_canonical();
        if !proxies.iter().any(|proxy| proxy.contains(peer)) {
            return Self(peer);
        }
        let last = headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|value| {
                value
                    .to_str()
                    .ok()?
                    .rsplit(',')
                    .next()?
                    .trim()
                    .parse::<IpAddr>()
                    .ok()
            });
        Self(last.map_or(peer, |address| address.to_canonical()))
    }

    /// What a limit counts as one place: an IPv6 network of 64 bits is one subscriber's.
    pub fn place(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let peer = Peer(SocketAddr::new(peer.parse().unwrap(), 1));
        ClientAddress::of(peer, &headers, &proxies).0.to_string()
    }

    #[test]
    fn what_a_stranger_says_of_their_address_is_not_believed() {
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &["10.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn of_what_a_trusted_proxy_passes_on_only_the_last_is_its_own_word() {
        let proxies = ["10.0.0.1"];
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &proxies),
            "198.51.100.1"
        );
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1", "198.51.100.1"], &proxies),
            "198.51.100.1"
        );
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.1"], &proxies), "198.51.100.1");
        for nonsense in [&[][..], &["unknown"], &[""]] {
            assert_eq!(of("10.0.0.1", nonsense, &proxies), "10.0.0.1");
        }
    }

    #[test]
    fn a_network_is_an_address_with_how_many_bits_count() {
        let within = |network: &str, address: &str| {
            network
                .parse::<Network>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(within("10.0.0.0/8", "10.200.3.4") && !within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("127.0.0.1", "127.0.0.1") && !within("127.0.0.1", "127.0.0.2"));
        assert!(within("0.0.0.0/0", "203.0.113.1") && !within("0.0.0.0/0", "::1"));
        assert!(within("fd00::/8", "fd12::1") && !within("fd00::/8", "2001:db8::1"));
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "example.org",
            "::/129",
        ] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork), "{bad}");
        }
    }

    #[test]
    fn a_network_of_64_bits_is_one_place() {
        let place = |text: &str| ClientAddress(text.parse().unwrap()).place();
        assert_eq!(place("2001:db8:1:2:3:4:5:6"), place("2001:db8:1:2::1"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
    }
}
