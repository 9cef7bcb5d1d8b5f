//! Documents as MongoDB stores them: `_id` is the key, `_version` the version, and then the fields of the body, as
//! fields, in their order, so that an operator can query them in `mongosh`:
//!
//! ```js
//! db.shows_g1.find({category: "rock", "tally.free": {$gt: 0}}, {name: 1, tally: 1})
//! ```
//!
//! There is no copy of the JSON text beside them: it would double what is written, and the two could differ. The
//! text that is read back is the text that was put, byte for byte, when that was written by `serde_json` without
//! spaces (all documents are); any other JSON text comes back with the same meaning:
//!
//! | JSON | BSON |
//! |---|---|
//! | whole number within 32 bits, within 64 bits | int, long: they compare alike, and ints show as plain numbers |
//! | whole number from 2^63 to 2^64 - 1 | decimal128, which keeps all its digits and compares as a number |
//! | other number | double |
//! | string, boolean, null, array, object | the same; objects keep the order of their fields |
//!
//! What BSON cannot hold is refused: a field name with a NUL in it, and `_id` and `_version`, which are ours.

use ::mongodb::bson::{
    Decimal128, RawArrayBuf, RawBson, RawDocument, RawDocumentBuf,
    raw::{CString, RawBsonRef},
};
use bytes::Bytes;
use ports::{Document, StoreError};
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, io::Write as _, sync::Arc};

/// The field of the key.
pub(super) const KEY: &str = "_id";
/// The field of the version.
pub(super) const VERSION: &str = "_version";

/// A document as it is stored.
pub(super) fn to_bson(document: &Document) -> Result<RawDocumentBuf, StoreError> {
    let damaged = |why: String| StoreError::Damaged(format!("a document that cannot be stored: {why}"));
    let version = i64::try_from(document.version).map_err(|error| damaged(error.to_string()))?;
    let mut stored = RawDocumentBuf::new();
    stored.append(::mongodb::bson::cstr!("_id"), document.key.as_str());
    stored.append(::mongodb::bson::cstr!("_version"), number(version));
    let mut text = serde_json::Deserializer::from_slice(&document.body);
    (&mut text)
        .deserialize_map(Fields {
            stored,
            outermost: true,
        })
        .and_then(|stored| text.end().map(|()| stored))
        .map_err(|error| damaged(error.to_string()))
}

/// A stored document as it was put.
pub(super) fn from_bson(stored: &RawDocument) -> Result<Arc<Document>, StoreError> {
    read(stored).map_err(|why| StoreError::Damaged(format!("a stored document: {why}")))
}

/// A JSON value as it is stored.
pub(super) fn value(value: &serde_json::Value) -> Result<RawBson, serde_json::Error> {
    value.deserialize_any(AnyValue)
}

fn read(stored: &RawDocument) -> Result<Arc<Document>, String> {
    let (mut key, mut version) = (None, None);
    let mut body = Vec::with_capacity(stored.as_bytes().len() * 5 / 4);
    body.push(b'{');
    for element in stored {
        let (name, value) = element.map_err(|error| error.to_string())?;
        match (name.as_str(), value) {
            (KEY, RawBsonRef::String(text)) => key = Some(text.to_owned()),
            (VERSION, RawBsonRef::Int32(number)) => version = u64::try_from(number).ok(),
            (VERSION, RawBsonRef::Int64(number)) => version = u64::try_from(number).ok(),
            (name, value) => write_field(&mut body, name, value)?,
        }
    }
    body.push(b'}');
    match (key, version) {
        (Some(key), Some(version)) => Ok(Arc::new(Document {
            key,
            version,
            body: Bytes::from(body),
        })),
        _ => Err("it has no key or no version".into()),
    }
}

fn write_field(text: &mut Vec<u8>, name: &str, value: RawBsonRef<'_>) -> Result<(), String> {
    if text.last() != Some(&b'{') {
        text.push(b',');
    }
    write_json(text, name)?;
    text.push(b':');
    write_value(text, value)
}

fn write_value(text: &mut Vec<u8>, value: RawBsonRef<'_>) -> Result<(), String> {
    match value {
        RawBsonRef::String(value) => write_json(text, value),
        RawBsonRef::Double(value) => write_json(text, &value),
        RawBsonRef::Boolean(value) => write_json(text, &value),
        RawBsonRef::Null => write_json(text, &()),
        RawBsonRef::Int32(value) => write_json(text, &value),
        RawBsonRef::Int64(value) => write_json(text, &value),
        RawBsonRef::Decimal128(value) => match value.to_string().parse::<u64>() {
            Ok(value) => write_json(text, &value),
            Err(error) => Err(format!("a decimal that is no whole number: {error}")),
        },
        RawBsonRef::Document(fields) => {
            text.push(b'{');
            for element in fields {
                let (name, value) = element.map_err(|error| error.to_string())?;
                write_field(text, name.as_str(), value)?;
            }
            text.push(b'}');
            Ok(())
        }
        RawBsonRef::Array(values) => {
            text.push(b'[');
            for (index, value) in values.into_iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_value(text, value.map_err(|error| error.to_string())?)?;
            }
            text.push(b']');
            Ok(())
        }
        other => Err(format!(
            "a {:?} in it is nothing that JSON has",
            other.element_type()
        )),
    }
}

fn write_json<T: serde::Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) -> Result<(), String> {
    serde_json::to_writer(text.by_ref(), value).map_err(|error| error.to_string())
}

/// The smallest type that holds it.
fn number(value: i64) -> RawBson {
    i32::try_from(value).map_or(RawBson::Int64(value), RawBson::Int32)
}

/// Appends the fields of a JSON object to a document.
struct Fields {
    stored: RawDocumentBuf,
    /// Here `_id` and `_version` are taken.
    outermost: bool,
}

impl<'de> Visitor<'de> for Fields {
    type Value = RawDocumentBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<RawDocumentBuf, A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if self.outermost && (name == KEY || name == VERSION) {
                return Err(A::Error::custom(format_args!(
                    "the field {name} is the store's own"
                )));
            }
            let name = CString::try_from(name).map_err(A::Error::custom)?;
            self.stored.append(name, fields.next_value_seed(AnyValue)?);
        }
        Ok(self.stored)
    }
}

/// Any JSON value as BSON.
struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = RawBson;

    fn deserialize<D: serde::Deserializer<'de>>(self, value: D) -> Result<RawBson, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawBson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<RawBson, E> {
        Ok(RawBson::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawBson, E> {
        Ok(RawBson::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawBson, E> {
        Ok(number(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<RawBson, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(number(value)),
            Err(_) => value
                .to_string()
                .parse::<Decimal128>()
                .map(RawBson::Decimal128)
                .map_err(E::custom),
        }
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawBson, E> {
        Ok(RawBson::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawBson, E> {
        Ok(RawBson::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawBson, E> {
        Ok(RawBson::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<RawBson, A::Error> {
        let mut stored = RawArrayBuf::new();
        while let Some(value) = values.next_element_seed(AnyValue)? {
            stored.push(value);
        }
        Ok(RawBson::Array(stored))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<RawBson, A::Error> {
        let nested = Fields {
            stored: RawDocumentBuf::new(),
            outermost: false,
        };
        nested.visit_map(fields).map(RawBson::Document)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn document(body: &str) -> Document {
        Document {
            key: "k".into(),
            version: 7,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn what_is_put_is_read_back_byte_for_byte() {
        for body in [
            "{}",
            r#"{"z":1,"a":[],"m":{"z":{},"a":[[1,2],{"x":null}]}}"#,
            r#"{"least":-9223372036854775808,"most":18446744073709551615,"edge":9223372036854775808}"#,
            r#"{"n":[0,-1,2147483647,2147483648,-2147483649,2.5,1.0,1e+300,0.1,-0.0]}"#,
            r#"{"s":["","á 席 🎫","\"\\\n\u0000"],"t":true,"f":false}"#,
            r#"{"":1,"a.b":2,"$c":{"_id":3,"_version":4},"_idle":5}"#,
        ] {
            let written = document(body);
            assert_eq!(*from_bson(&to_bson(&written).unwrap()).unwrap(), written);
        }
    }

    #[test]
    fn what_bson_cannot_hold_is_refused() {
        for body in [
            "",
            "1",
            "[]",
            "{",
            "{} {}",
            r#"{"_id":1}"#,
            r#"{"_version":1}"#,
            r#"{"a\u0000b":1}"#,
        ] {
            assert!(to_bson(&document(body)).is_err(), "{body}");
        }
        let too_new = Document {
            version: u64::MAX,
            ..document("{}")
        };
        assert!(to_bson(&too_new).is_err());
    }

    #[test]
    fn what_somebody_stored_by_hand_and_json_does_not_have_is_refused() {
        let mut stored = to_bson(&document("{}")).unwrap();
        stored.append(
            ::mongodb::bson::cstr!("at"),
            ::mongodb::bson::DateTime::from_millis(1),
        );
        assert!(matches!(from_bson(&stored), Err(StoreError::Damaged(_))));
        assert!(from_bson(&RawDocumentBuf::new()).is_err());
    }
}
