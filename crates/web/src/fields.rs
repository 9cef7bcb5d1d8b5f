//! The fields of a request's body, checked one by one, with every fault told at once.
//!
//! A reader of a field that is wrong gets a placeholder and the fault is remembered; [`Fields::finish`] turns
//! what was remembered into one 422. So nothing read through [`Fields`] may be used before `finish` said yes.
//! `null` is the same as absent. Fields that nobody reads are ignored.

use crate::{
    codes::Code,
    ids::parse_uuid,
    problem::{FieldError, Problem},
};
use contract::{Currency, Money, Timestamp};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeSet, ops::RangeInclusive, str::FromStr};
use uuid::Uuid;

/// How many faults are told at once; a list of thousands of wrong entries is not worth more.
pub const MAX_ERRORS: usize = 50;
/// The greatest price, in minor units: times 100,000 tickets it is still an exact JSON number.
pub const MAX_PRICE_MINOR: i64 = 10_000_000_000;
/// The last millisecond of the year 9999: later times have no RFC 3339 form.
const MAX_TIME_MS: i64 = 253_402_300_799_999;

const REQUIRED: &str = "es obligatorio";

/// The fields of one JSON object.
#[derive(Debug)]
#[must_use = "what was read counts only after `finish`"]
pub struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    path: String,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The fields of `value`; when it is no object, that is the first fault.
    pub fn parse(value: &'a Value) -> Self {
        let mut fields = Self {
            object: value.as_object(),
            path: String::new(),
            errors: Vec::new(),
        };
        if fields.object.is_none() {
            fields.error("", "debe ser un objeto");
        }
        fields
    }

    /// Yes, or one problem with every fault that was found.
    ///
    /// # Errors
    /// `DATOS_INVALIDOS` when at least one field was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Code::InvalidData).fields(self.errors))
    }

    /// Remembers a fault that only the caller can see, such as two fields that exclude each other.
    pub fn error(&mut self, name: &str, message: impl Into<Cow<'static, str>>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError {
                campo: self.path_of(name).into(),
                mensaje: message.into(),
            });
        }
    }

    /// Is there such a field, and is it not `null`?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A required text: its length in characters after trimming; no control characters.
    pub fn text(&mut self, name: &str, length: RangeInclusive<usize>) -> String {
        self.required(name, |value| text(value, &length))
            .unwrap_or_default()
    }

    /// A text that may be absent. One that is blank after trimming counts as absent when 1 is the shortest.
    pub fn optional_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<String> {
        if *length.start() == 1
            && self
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|t| t.trim().is_empty())
        {
            return None;
        }
        self.optional(name, |value| text(value, &length))
    }

    /// A required text as it was sent, untrimmed: for secrets. Its length in characters.
    pub fn optional_secret(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<String> {
        self.optional(name, |value| {
            let secret = value.as_str().ok_or("debe ser un texto")?;
            check_length(secret, &length)?;
            Ok(secret.to_owned())
        })
    }

    /// A required text that `read` understands: for forms of its own, such as an e-mail address.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        placeholder: T,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> T {
        let parsed = self.required(name, |value| {
            let text = text(value, &(1..=1_000))?;
            read(&text).map_err(Cow::Borrowed)
        });
        parsed.unwrap_or(placeholder)
    }

    /// One of these words, compared without case; the first is the placeholder.
    pub fn one_of<T: Copy + Default>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let chosen = self.required(name, |value| {
            let text = value.as_str().ok_or("debe ser un texto")?.trim();
            let known = words
                .iter()
                .find(|(word, _)| word.to_lowercase() == text.to_lowercase());
            known.map(|(_, meaning)| *meaning).ok_or_else(|| {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                format!("debe ser uno de: {}", words.join(", ")).into()
            })
        });
        chosen.unwrap_or_default()
    }

    /// A required id.
    pub fn uuid(&mut self, name: &str) -> Uuid {
        self.required(name, uuid).unwrap_or_default()
    }

    /// An id that may be absent.
    pub fn optional_uuid(&mut self, name: &str) -> Option<Uuid> {
        self.optional(name, uuid)
    }

    /// A required whole number.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<u32>) -> u32 {
        self.required(name, |value| check_integer(value, &range))
            .unwrap_or_default()
    }

    /// A whole number that may be absent.
    pub fn optional_integer(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        self.optional(name, |value| check_integer(value, &range))
    }

    /// A required price in major units: not negative, no more decimals than the currency has.
    pub fn money(&mut self, name: &str, currency: Currency) -> Money {
        self.required(name, |value| money(value, currency))
            .unwrap_or(Money::zero(currency))
    }

    /// A price that may be absent.
    pub fn optional_money(&mut self, name: &str, currency: Currency) -> Option<Money> {
        self.optional(name, |value| money(value, currency))
    }

    /// An ISO 4217 code; `default` when it is absent.
    pub fn currency(&mut self, name: &str, default: Currency) -> Currency {
        let read = self.optional(name, |value| {
            let code = value.as_str().ok_or("debe ser un texto")?;
            Currency::from_str(code).map_err(|_| "debe ser un código de moneda ISO 4217, como USD".into())
        });
        read.unwrap_or(default)
    }

    /// A required time in RFC 3339.
    pub fn time(&mut self, name: &str) -> Timestamp {
        self.required(name, |value| {
            let text = value
                .as_str()
                .ok_or("debe ser un texto con fecha y hora RFC 3339")?;
            parse_time(text)
                .ok_or_else(|| "debe ser una fecha y hora RFC 3339, como 2026-11-21T20:00:00Z".into())
        })
        .unwrap_or_default()
    }

    /// A list of different texts that may be absent: how many, and how long each may be.
    pub fn optional_list_of_text(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        self.optional_list(name, count, |value| {
            let text = text(value, &length)?;
            match seen.insert(text.clone()) {
                true => Ok(text),
                false => Err("está repetido".into()),
            }
        })
    }

    /// A list that may be absent; `read` reads each entry, and those that it does not understand are told.
    pub fn optional_list<T>(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        mut read: impl FnMut(&'a Value) -> Result<T, Cow<'static, str>>,
    ) -> Option<Vec<T>> {
        let values = self.optional(name, |value| list(value, &count))?;
        let mut entries = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match read(value) {
                Ok(entry) => entries.push(entry),
                Err(message) => self.error(&format!("{name}[{index}]"), message),
            }
        }
        Some(entries)
    }

    /// A required list of different texts.
    pub fn list_of_text(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Vec<String> {
        if !self.has(name) {
            self.error(name, REQUIRED);
        }
        self.optional_list_of_text(name, count, length)
            .unwrap_or_default()
    }

    /// An object that may be absent; `read` reads its fields.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let value = self.get(name)?;
        Some(self.nested(name, value, read))
    }

    /// A required list of objects; `read` reads the fields of each.
    pub fn list_of_objects<T>(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Fields<'a>) -> T,
    ) -> Vec<T> {
        let values = self
            .required(name, |value| list(value, &count))
            .unwrap_or_default();
        let read_one = |(index, value)| self.nested(&format!("{name}[{index}]"), value, &mut read);
        values.iter().enumerate().map(read_one).collect()
    }

    fn nested<T>(&mut self, name: &str, value: &'a Value, read: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        let errors = std::mem::take(&mut self.errors);
        let mut fields = Fields {
            object: value.as_object(),
            path: self.path_of(name),
            errors,
        };
        let read_from_nothing = fields.object.is_none();
        if read_from_nothing {
            fields.error("", "debe ser un objeto");
        }
        let known = fields.errors.len();
        let result = read(&mut fields);
        if read_from_nothing {
            // That its fields are missing, too, says nothing new.
            fields.errors.truncate(known);
        }
        self.errors = fields.errors;
        result
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Cow<'static, str>>,
    ) -> Option<T> {
        if !self.has(name) {
            self.error(name, REQUIRED);
        }
        self.optional(name, read)
    }

    fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Cow<'static, str>>,
    ) -> Option<T> {
        match read(self.get(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(name, message);
                None
            }
        }
    }

    fn path_of(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}.{name}"),
        }
    }
}

/// Reads RFC 3339 from 1970 to 9999. A space in place of `+` is forgiven: that is what a `+` becomes in a query.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let time = match text.rsplit_once(' ') {
        Some((before, offset)) if offset.len() == 5 && offset.contains(':') => {
            Timestamp::parse_rfc3339(&format!("{before}+{offset}"))
        }
        _ => Timestamp::parse_rfc3339(text),
    };
    time.filter(|time| (0..=MAX_TIME_MS).contains(&time.0))
}

/// A text of this length in characters after trimming, without control characters.
pub fn check_text(text: &str, length: &RangeInclusive<usize>) -> Result<String, Cow<'static, str>> {
    let trimmed = text.trim();
    check_length(trimmed, length)?;
    if trimmed.chars().any(char::is_control) {
        return Err("no puede contener caracteres de control".into());
    }
    Ok(trimmed.to_owned())
}

fn check_length(text: &str, length: &RangeInclusive<usize>) -> Result<(), Cow<'static, str>> {
    if length.contains(&text.chars().count()) {
        return Ok(());
    }
    Err(format!("debe tener de {} a {} caracteres", length.start(), length.end()).into())
}

fn text(value: &Value, length: &RangeInclusive<usize>) -> Result<String, Cow<'static, str>> {
    check_text(value.as_str().ok_or("debe ser un texto")?, length)
}

fn uuid(value: &Value) -> Result<Uuid, Cow<'static, str>> {
    value
        .as_str()
        .and_then(parse_uuid)
        .ok_or_else(|| "debe ser un UUID".into())
}

/// A whole number in this range.
pub fn check_integer(value: &Value, range: &RangeInclusive<u32>) -> Result<u32, Cow<'static, str>> {
    let number = value.as_number().ok_or("debe ser un número entero")?;
    // 3.0 is the whole number 3, as JSON has only one kind of number.
    let whole = number.as_i64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15)?;
        Some(float as i64)
    });
    if whole.is_none() && number.as_f64().is_some_and(|float| float.fract() != 0.0) {
        return Err("debe ser un número entero".into());
    }
    let in_range = whole
        .and_then(|whole| u32::try_from(whole).ok())
        .filter(|whole| range.contains(whole));
    in_range.ok_or_else(|| format!("debe estar entre {} y {}", range.start(), range.end()).into())
}

fn money(value: &Value, currency: Currency) -> Result<Money, Cow<'static, str>> {
    let number = value.as_number().ok_or("debe ser un número")?;
    if number.as_f64().is_some_and(|major| major < 0.0) {
        return Err("no puede ser negativo".into());
    }
    let decimals = currency.decimals();
    let limit = Money::new(MAX_PRICE_MINOR, currency);
    if number
        .as_f64()
        .is_some_and(|major| major * 10_f64.powi(decimals.cast_signed()) > MAX_PRICE_MINOR as f64)
    {
        return Err(format!("puede ser {} como máximo", limit.major_text()).into());
    }
    Money::from_major(number, currency)
        .ok_or_else(|| format!("puede tener {decimals} decimales como máximo en {currency}").into())
}

fn list<'v>(value: &'v Value, count: &RangeInclusive<usize>) -> Result<&'v [Value], Cow<'static, str>> {
    let values = value.as_array().ok_or("debe ser una lista")?;
    if count.contains(&values.len()) {
        return Ok(values);
    }
    Err(format!("debe tener de {} a {} elementos", count.start(), count.end()).into())
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
