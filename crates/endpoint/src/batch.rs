//! BatchAppend: many appends over one call, each answered when it is durable, in any order.

use crate::{
    append::{Outcome, Received, success},
    convert::invalid,
    options::{Endpoint, leaving},
    wire::{
        AppendOptions, BatchAppendReq, BatchAppendResp, BatchExpected, BatchResult, ExpectedRevision, Packed,
        PackedCurrent, PackedExpected, PackedWrongVersion, RpcStatus, Uuid,
    },
};
use contract::Revision;
use futures_util::{Stream, StreamExt, stream};
use prost::Message;
use std::{collections::HashMap, sync::Arc};
use tonic::{Code, Status, Streaming};

/// How many batches may be half received at once.
const MAX_PARTS: usize = 64;

/// A batch while it is being received. What is wrong with it is said when it is complete.
struct Batch {
    options: AppendOptions,
    received: Result<Received, Status>,
}

/// What is being received on one call.
struct Receiving {
    endpoint: Arc<Endpoint>,
    messages: Streaming<BatchAppendReq>,
    parts: HashMap<Option<uuid::Uuid>, Batch>,
}

type Complete = (Option<Uuid>, Batch);

impl Endpoint {
    pub(crate) fn batch_append(
        self: Arc<Self>,
        messages: Streaming<BatchAppendReq>,
    ) -> impl Stream<Item = Result<BatchAppendResp, Status>> + Send + 'static + use<> {
        let endpoint = self.clone();
        let max = self.options.max_batches.max(1);
        let closing = self.clone();
        let receiving = Receiving {
            endpoint: self.clone(),
            messages,
            parts: HashMap::new(),
        };
        // Closing ends the receiving; what was received whole is still carried out and answered.
        let closed = async move { closing.closed().await };
        stream::unfold(receiving, |mut receiving| async {
            Some((receiving.next().await.transpose()?, receiving))
        })
        .take_until(Box::pin(closed))
        .map(move |batch| {
            let endpoint = endpoint.clone();
            async move {
                let (correlation, batch) = batch?;
                Ok(endpoint.carry_out_batch(correlation, batch).await)
            }
        })
        .buffer_unordered(max)
        .chain(stream::once(async move { self.end_of_batches() }).filter_map(std::future::ready))
    }

    /// A call that we end, ends with UNAVAILABLE; one that its client has ended, with OK.
    fn end_of_batches(&self) -> Option<Result<BatchAppendResp, Status>> {
        self.closing.borrow().then(|| Err(leaving()))
    }

    async fn carry_out_batch(&self, correlation: Option<Uuid>, batch: Batch) -> BatchAppendResp {
        let Batch { options, received } = batch;
        let (stream, expected) = (options.stream.clone(), options.expected);
        let outcome = match received {
            Ok(received) => self.carry_out(options, received).await,
            Err(status) => Err(status),
        };
        let result = match outcome {
            Ok(Outcome::Done(appended)) => BatchResult::Success(success(appended)),
            Ok(Outcome::Wrong(current)) => BatchResult::Error(wrong_version(expected, current)),
            Err(status) => BatchResult::Error(RpcStatus {
                code: status.code().into(),
                message: status.message().into(),
                details: Some(detail(&status)),
            }),
        };
        BatchAppendResp {
            correlation,
            result: Some(result),
            stream,
            expected: expected.map(|expected| match expected {
                ExpectedRevision::Revision(revision) => BatchExpected::Revision(revision),
                ExpectedRevision::NoStream(()) => BatchExpected::NoStream(()),
                ExpectedRevision::Any(()) => BatchExpected::Any(()),
                ExpectedRevision::StreamExists(()) => BatchExpected::StreamExists(()),
            }),
        }
    }
}

impl Receiving {
    /// The next complete batch; `None` when the client has no more.
    async fn next(&mut self) -> Result<Option<Complete>, Status> {
        while let Some(message) = self.messages.message().await? {
            let id = message.correlation.as_ref().and_then(Uuid::read);
            let mut batch = match (self.parts.remove(&id), message.options) {
                (Some(batch), _) => batch,
                (None, Some(options)) => Batch {
                    options,
                    received: Ok(Received::default()),
                },
                (None, None) => return Err(invalid("a batch begins with its options")),
            };
            for event in message.events {
                if let Ok(received) = &mut batch.received
                    && let Err(status) = received.take(&self.endpoint, event)
                {
                    batch.received = Err(status);
                }
            }
            if message.is_final {
                return Ok(Some((message.correlation, batch)));
            }
            if self.parts.len() >= MAX_PARTS {
                return Err(Status::resource_exhausted("too many unfinished batches"));
            }
            self.parts.insert(id, batch);
        }
        Ok(None)
    }
}

/// The status that clients of BatchAppend recognise a wrong version by.
fn wrong_version(expected: Option<ExpectedRevision>, current: Option<Revision>) -> RpcStatus {
    let details = PackedWrongVersion {
        current: Some(current.map_or(PackedCurrent::NoStream(()), PackedCurrent::Revision)),
        expected: expected.map(|expected| match expected {
            ExpectedRevision::Revision(revision) => PackedExpected::Revision(revision),
            ExpectedRevision::NoStream(()) => PackedExpected::NoStream(()),
            ExpectedRevision::Any(()) => PackedExpected::Any(()),
            ExpectedRevision::StreamExists(()) => PackedExpected::StreamExists(()),
        }),
    };
    RpcStatus {
        code: Code::AlreadyExists.into(),
        message: "WrongExpectedVersion".into(),
        details: Some(packed("WrongExpectedVersion", details.encode_to_vec())),
    }
}

/// Other troubles have details of their own.
fn detail(status: &Status) -> Packed {
    match status.code() {
        // BadRequest { string message = 1 }
        Code::InvalidArgument => packed("BadRequest", status.message().to_owned().encode_to_vec()),
        Code::DeadlineExceeded => packed("Timeout", Vec::new()),
        _ => packed("Unknown", Vec::new()),
    }
}

fn packed(kind: &str, value: Vec<u8>) -> Packed {
    Packed {
        type_url: format!("type.googleapis.com/event_store.client.{kind}"),
        value,
    }
}
