//! `event_store.client.streams.Streams`: Append and BatchAppend.

use super::{Position, ProposedMessage, StreamIdentifier, Uuid};
use prost::{Message, Oneof};

/// One message of an Append: the options first, then the events.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendReq {
    #[prost(oneof = "AppendContent", tags = "1, 2")]
    pub content: Option<AppendContent>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum AppendContent {
    #[prost(message, tag = "1")]
    Options(AppendOptions),
    #[prost(message, tag = "2")]
    Event(ProposedMessage),
}
/// Where to append. BatchAppend's options have the same numbers, and a deadline behind them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendOptions {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
    #[prost(oneof = "ExpectedRevision", tags = "2, 3, 4, 5")]
    pub expected: Option<ExpectedRevision>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum ExpectedRevision {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(()),
    #[prost(message, tag = "4")]
    Any(()),
    #[prost(message, tag = "5")]
    StreamExists(()),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendResp {
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub result: Option<AppendResult>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum AppendResult {
    #[prost(message, tag = "1")]
    Success(AppendSuccess),
    #[prost(message, tag = "2")]
    WrongExpectedVersion(WrongExpectedVersion),
}
/// Where the last event stands. BatchAppend says it with the same numbers.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct AppendSuccess {
    #[prost(oneof = "SuccessRevision", tags = "1, 2")]
    pub revision: Option<SuccessRevision>,
    #[prost(oneof = "SuccessPosition", tags = "3, 4")]
    pub position: Option<SuccessPosition>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum SuccessRevision {
    #[prost(uint64, tag = "1")]
    Current(u64),
    #[prost(message, tag = "2")]
    NoStream(()),
}
#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum SuccessPosition {
    #[prost(message, tag = "3")]
    Position(Position),
    #[prost(message, tag = "4")]
    NoPosition(()),
}

/// The stream is not where it was expected. The numbers 1 to 5 are for clients older than version 20.6.1.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct WrongExpectedVersion {
    #[prost(oneof = "CurrentRevision", tags = "6, 7")]
    pub current: Option<CurrentRevision>,
    #[prost(oneof = "WasExpected", tags = "8, 9, 10, 11")]
    pub expected: Option<WasExpected>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum CurrentRevision {
    #[prost(uint64, tag = "6")]
    Revision(u64),
    #[prost(message, tag = "7")]
    NoStream(()),
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum WasExpected {
    #[prost(uint64, tag = "8")]
    Revision(u64),
    #[prost(message, tag = "9")]
    Any(()),
    #[prost(message, tag = "10")]
    StreamExists(()),
    #[prost(message, tag = "11")]
    NoStream(()),
}

/// One message of a BatchAppend. A batch may come in several, with the same correlation id, the options in the first.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchAppendReq {
    #[prost(message, optional, tag = "1")]
    pub correlation: Option<Uuid>,
    #[prost(message, optional, tag = "2")]
    pub options: Option<AppendOptions>,
    #[prost(message, repeated, tag = "3")]
    pub events: Vec<ProposedMessage>,
    #[prost(bool, tag = "4")]
    pub is_final: bool,
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchAppendResp {
    #[prost(message, optional, tag = "1")]
    pub correlation: Option<Uuid>,
    #[prost(oneof = "BatchResult", tags = "2, 3")]
    pub result: Option<BatchResult>,
    #[prost(message, optional, tag = "4")]
    pub stream: Option<StreamIdentifier>,
    #[prost(oneof = "BatchExpected", tags = "5, 6, 7, 8")]
    pub expected: Option<BatchExpected>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum BatchResult {
    #[prost(message, tag = "2")]
    Error(RpcStatus),
    #[prost(message, tag = "3")]
    Success(AppendSuccess),
}
/// What was expected, repeated in the response.
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum BatchExpected {
    #[prost(uint64, tag = "5")]
    Revision(u64),
    #[prost(message, tag = "6")]
    NoStream(()),
    #[prost(message, tag = "7")]
    Any(()),
    #[prost(message, tag = "8")]
    StreamExists(()),
}
/// `google.rpc.Status`, with one detail where Google's has a list.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, optional, tag = "3")]
    pub details: Option<Packed>,
}
/// `google.protobuf.Any`: a message with the name of its type.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Packed {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}
/// What BatchAppend packs into its status; not the message that Append answers with.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct PackedWrongVersion {
    #[prost(oneof = "PackedCurrent", tags = "1, 2")]
    pub current: Option<PackedCurrent>,
    #[prost(oneof = "PackedExpected", tags = "3, 4, 5, 6")]
    pub expected: Option<PackedExpected>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum PackedCurrent {
    #[prost(uint64, tag = "1")]
    Revision(u64),
    #[prost(message, tag = "2")]
    NoStream(()),
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum PackedExpected {
    #[prost(uint64, tag = "3")]
    Revision(u64),
    #[prost(message, tag = "4")]
    Any(()),
    #[prost(message, tag = "5")]
    StreamExists(()),
    #[prost(message, tag = "6")]
    NoStream(()),
}
