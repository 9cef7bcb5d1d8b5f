//! `event_store.client.streams.Streams`: Read, which is also how clients subscribe.

use super::{Position, RecordedEvent, StreamIdentifier};
use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadReq {
    #[prost(message, optional, tag = "1")]
    pub options: Option<ReadOptions>,
}
/// Number 4, whether links are resolved, is not looked at: this log has no links.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadOptions {
    #[prost(oneof = "What", tags = "1, 2")]
    pub what: Option<What>,
    /// 0 forwards, 1 backwards.
    #[prost(int32, tag = "3")]
    pub direction: i32,
    #[prost(oneof = "HowMany", tags = "5, 6")]
    pub how_many: Option<HowMany>,
    #[prost(oneof = "Filtering", tags = "7, 8")]
    pub filtering: Option<Filtering>,
    #[prost(message, optional, tag = "9")]
    pub uuid: Option<UuidOption>,
    #[prost(message, optional, tag = "10")]
    pub control: Option<ControlOption>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum What {
    #[prost(message, tag = "1")]
    Stream(StreamOptions),
    #[prost(message, tag = "2")]
    All(AllOptions),
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamOptions {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
    #[prost(oneof = "FromRevision", tags = "2, 3, 4")]
    pub from: Option<FromRevision>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum FromRevision {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(()),
    #[prost(message, tag = "4")]
    End(()),
}
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct AllOptions {
    #[prost(oneof = "FromPosition", tags = "1, 2, 3")]
    pub from: Option<FromPosition>,
}
#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum FromPosition {
    #[prost(message, tag = "1")]
    Position(Position),
    #[prost(message, tag = "2")]
    Start(()),
    #[prost(message, tag = "3")]
    End(()),
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum HowMany {
    #[prost(uint64, tag = "5")]
    Count(u64),
    /// Not so many: all there are and all that come.
    #[prost(message, tag = "6")]
    Subscription(()),
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Filtering {
    #[prost(message, tag = "7")]
    Filter(FilterOptions),
    #[prost(message, tag = "8")]
    None(()),
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FilterOptions {
    #[prost(oneof = "FilterOver", tags = "1, 2")]
    pub over: Option<FilterOver>,
    #[prost(oneof = "Window", tags = "3, 4")]
    pub window: Option<Window>,
    #[prost(uint32, tag = "5")]
    pub multiplier: u32,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum FilterOver {
    #[prost(message, tag = "1")]
    StreamName(Expression),
    #[prost(message, tag = "2")]
    EventType(Expression),
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Expression {
    #[prost(string, tag = "1")]
    pub regex: String,
    #[prost(string, repeated, tag = "2")]
    pub prefixes: Vec<String>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum Window {
    #[prost(uint32, tag = "3")]
    Max(u32),
    /// As the server likes.
    #[prost(message, tag = "4")]
    Default(()),
}
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct UuidOption {
    #[prost(oneof = "UuidChoice", tags = "1, 2")]
    pub choice: Option<UuidChoice>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum UuidChoice {
    #[prost(message, tag = "1")]
    Structured(()),
    #[prost(message, tag = "2")]
    Text(()),
}
/// From 1 on, the client understands messages about where a stream ends.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct ControlOption {
    #[prost(uint32, tag = "1")]
    pub compatibility: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadResp {
    #[prost(oneof = "ReadContent", tags = "1, 2, 3, 4, 6, 8, 9")]
    pub content: Option<ReadContent>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum ReadContent {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    /// The first message of a subscription.
    #[prost(message, tag = "2")]
    Confirmation(Confirmation),
    /// All up to here was considered.
    #[prost(message, tag = "3")]
    Checkpoint(Position),
    #[prost(message, tag = "4")]
    StreamNotFound(StreamNotFound),
    #[prost(uint64, tag = "6")]
    LastStreamRevision(u64),
    #[prost(message, tag = "8")]
    CaughtUp(Reached),
    #[prost(message, tag = "9")]
    FellBehind(Reached),
}
/// Number 2, a link that was followed to the event, is never there.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub event: Option<RecordedEvent>,
    #[prost(oneof = "EventPosition", tags = "3, 4")]
    pub position: Option<EventPosition>,
}
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(crate) enum EventPosition {
    #[prost(uint64, tag = "3")]
    Commit(u64),
    #[prost(message, tag = "4")]
    Unknown(()),
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Confirmation {
    #[prost(string, tag = "1")]
    pub subscription: String,
}
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamNotFound {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
}
/// Where a subscription is when it has caught up or fallen behind, and when that was; KurrentDB says it since version 25.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Reached {
    #[prost(message, optional, tag = "1")]
    pub time: Option<Timestamp>,
    #[prost(int64, optional, tag = "2")]
    pub revision: Option<i64>,
    #[prost(message, optional, tag = "3")]
    pub position: Option<Position>,
}
/// `google.protobuf.Timestamp`: since 1970 UTC.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}
