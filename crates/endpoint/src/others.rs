//! What clients ask before they do anything: what this server can do, and who it is.

use crate::{
    options::Endpoint,
    wire::{ClusterInfo, HostPort, LEADER, MemberInfo, SupportedMethod, SupportedMethods, Uuid},
};
use std::time::{SystemTime, UNIX_EPOCH};
use tonic::codegen::http::uri::Authority;

/// The version of EventStoreDB whose protocol this is. Clients read it to know what they may ask for.
const SERVER_VERSION: &str = "23.10.0";
const STREAMS: &str = "event_store.client.streams.streams";

/// What this server can do. Clients look for `batchappend` before they use it.
pub(crate) fn supported_methods() -> SupportedMethods {
    let method = |method: &str, service: &str, features: &[&str]| SupportedMethod {
        method: method.into(),
        service: service.into(),
        features: features.iter().map(|&feature| feature.into()).collect(),
    };
    SupportedMethods {
        methods: vec![
            method("append", STREAMS, &[]),
            method("batchappend", STREAMS, &["deadline_duration"]),
            method("read", STREAMS, &["position", "events"]),
            method("read", "event_store.client.gossip.gossip", &[]),
            method(
                "getsupportedmethods",
                "event_store.client.server_features.serverfeatures",
                &[],
            ),
        ],
        server_version: SERVER_VERSION.into(),
    }
}

/// A cluster of one, reachable where the client has reached it: behind a translated address we do not know a better
/// one ourselves.
pub(crate) fn members(endpoint: &Endpoint, called: Option<&Authority>) -> ClusterInfo {
    let (host, port) = match called {
        Some(called) => (
            called.host().trim_matches(['[', ']']).to_owned(),
            called.port_u16().unwrap_or(endpoint.address.port()),
        ),
        None => (endpoint.address.ip().to_string(), endpoint.address.port()),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ClusterInfo {
        members: vec![MemberInfo {
            instance: Some(Uuid::text(uuid::Uuid::from_u128(u128::from(
                endpoint.address.port(),
            )))),
            time_stamp: i64::try_from(now.as_nanos() / 100).unwrap_or(i64::MAX),
            state: LEADER,
            is_alive: true,
            address: Some(HostPort {
                host,
                port: port.into(),
            }),
        }],
    }
}
