//! The canonical bytes of a request, from which its fingerprint is made: equal requests, equal bytes.

use serde_json::Value;

/// The value as JSON with sorted keys and no spaces; numbers that are equal are written alike (`10.0` as `10`).
/// The order of lists counts.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            // Sorted here, whatever map type serde_json was built with.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                scalar(&Value::from(key.as_str()), out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => {
                scalar(&Value::from(float as i64), out);
            }
            _ => scalar(value, out),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => scalar(value, out),
    }
}

fn scalar(value: &Value, out: &mut Vec<u8>) {
    // Writing a scalar into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        canonical(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn neither_spaces_nor_the_order_of_keys_nor_the_spelling_of_a_number_counts() {
        assert_eq!(
            bytes(r#"{"b": [1, {"d": 2.50, "c": 3.0}], "a": "\u0041"}"#),
            br#"{"a":"A","b":[1,{"c":3,"d":2.5}]}"#
        );
    }

    #[test]
    fn everything_else_counts() {
        assert_ne!(bytes("[1,2]"), bytes("[2,1]"));
        assert_ne!(bytes(r#"{"a":null}"#), bytes("{}"));
        assert_ne!(bytes(r#""1""#), bytes("1"));
        assert_ne!(bytes(r#"["a,b"]"#), bytes(r#"["a","b"]"#));
    }
}
