//! Server-sent events as text: written once, sent to many.

use axum::body::Bytes;
use serde::Serialize;

/// A sign of life.
pub(super) const ALIVE: &[u8] = b": sigue\n\n";

/// An event. JSON has no line breaks of its own, so its data is one line.
///
/// # Errors
/// When the data cannot be written as JSON, which none of our types does.
pub(super) fn encode(event: &str, id: u64, data: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    let mut text = format!("event: {event}\nid: {id}\ndata: ").into_bytes();
    serde_json::to_writer(&mut text, data)?;
    text.extend_from_slice(b"\n\n");
    Ok(text.into())
}
