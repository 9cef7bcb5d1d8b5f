//! Which path is which method.

use crate::{options::Endpoint, others, read, wire};
use std::{
    convert::Infallible,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{
    Request, Response, Status, Streaming,
    body::BoxBody,
    codec::ProstCodec,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService},
};
use tower::service_fn;

/// How many bytes a request may have that brings no events.
const MAX_QUESTION: usize = 64 << 10;

/// `event_store.client.streams.Streams`.
pub(crate) enum Streams {}
/// `event_store.client.server_features.ServerFeatures`.
pub(crate) enum Features {}
/// `event_store.client.gossip.Gossip`.
pub(crate) enum Gossip {}

/// The calls of one service.
pub(crate) struct Calls<S> {
    endpoint: Arc<Endpoint>,
    service: PhantomData<fn() -> S>,
}

impl<S> Calls<S> {
    pub(crate) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            service: PhantomData,
        }
    }
}

impl<S> Clone for Calls<S> {
    fn clone(&self) -> Self {
        Self::new(self.endpoint.clone())
    }
}

impl NamedService for Calls<Streams> {
    const NAME: &'static str = "event_store.client.streams.Streams";
}
impl NamedService for Calls<Features> {
    const NAME: &'static str = "event_store.client.server_features.ServerFeatures";
}
impl NamedService for Calls<Gossip> {
    const NAME: &'static str = "event_store.client.gossip.Gossip";
}

impl<S> Service<http::Request<BoxBody>> for Calls<S> {
    type Response = http::Response<BoxBody>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<BoxBody>) -> Self::Future {
        let endpoint = self.endpoint.clone();
        Box::pin(async move { Ok(answer(endpoint, request).await) })
    }
}

async fn answer(endpoint: Arc<Endpoint>, request: http::Request<BoxBody>) -> http::Response<BoxBody> {
    match request.uri().path() {
        "/event_store.client.streams.Streams/Append" => {
            let call = service_fn(|request: Request<Streaming<wire::AppendReq>>| {
                let endpoint = endpoint.clone();
                async move { endpoint.append(request.into_inner()).await.map(Response::new) }
            });
            grpc(&endpoint).client_streaming(call, request).await
        }
        "/event_store.client.streams.Streams/BatchAppend" => {
            let call = service_fn(|request: Request<Streaming<wire::BatchAppendReq>>| {
                let endpoint = endpoint.clone();
                async move { Ok(Response::new(endpoint.batch_append(request.into_inner()))) }
            });
            grpc(&endpoint).streaming(call, request).await
        }
        "/event_store.client.streams.Streams/Read" => {
            let call = service_fn(|request: Request<wire::ReadReq>| {
                let endpoint = endpoint.clone();
                async move { read::begin(&endpoint, request.into_inner()).map(Response::new) }
            });
            grpc(&endpoint)
                .max_decoding_message_size(MAX_QUESTION)
                .server_streaming(call, request)
                .await
        }
        "/event_store.client.streams.Streams/Delete" | "/event_store.client.streams.Streams/Tombstone" => {
            Status::unimplemented("this log never forgets: streams cannot be deleted").into_http()
        }
        "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => {
            let call = service_fn(|_: Request<()>| async { Ok(Response::new(others::supported_methods())) });
            grpc(&endpoint).unary(call, request).await
        }
        "/event_store.client.gossip.Gossip/Read" => {
            let members = others::members(&endpoint, request.uri().authority());
            let call = service_fn(|_: Request<()>| {
                let members = members.clone();
                async { Ok(Response::new(members)) }
            });
            grpc(&endpoint).unary(call, request).await
        }
        _ => Status::unimplemented("this server has no such method").into_http(),
    }
}

/// Reads and writes the messages of one call.
fn grpc<Out: prost::Message + 'static, In: prost::Message + Default + 'static>(
    endpoint: &Endpoint,
) -> Grpc<ProstCodec<Out, In>> {
    Grpc::new(ProstCodec::default()).max_decoding_message_size(endpoint.options.max_message_bytes)
}
