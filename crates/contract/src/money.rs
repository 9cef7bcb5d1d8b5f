//! Money: integer minor units with an ISO 4217 currency, never a float.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// Every active ISO 4217 currency that has not two decimals.
const OTHER_DECIMALS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// The active ISO 4217 currencies with two decimals.
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT \
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED \
    VES WST XCD YER ZAR ZMW ZWG";

/// An ISO 4217 currency. Only active codes can be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, the default when nothing is configured.
    pub const USD: Currency = Currency(*b"USD");

    /// The three-letter code.
    pub fn code(&self) -> &str {
        // Only ASCII letters get in; see `from_str`.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals the major unit has: 2 for USD, 0 for CLP.
    pub fn decimals(&self) -> u32 {
        OTHER_DECIMALS
            .iter()
            .find(|(code, _)| *code == self.code())
            .map_or(2, |(_, decimals)| *decimals)
    }
}

/// The text is not an active ISO 4217 code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an active ISO 4217 currency code")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let known = OTHER_DECIMALS.iter().any(|(code, _)| *code == text)
            || TWO_DECIMALS.split_ascii_whitespace().any(|code| code == text);
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        if known {
            Ok(Self(code))
        } else {
            Err(UnknownCurrency)
        }
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if *text == *"USD" {
            return Ok(Self::USD);
        }
        text.parse().map_err(D::Error::custom)
    }
}

/// An amount in a currency's minor unit (cents).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units: 4990 is 49.90 USD.
    pub minor: i64,
    /// The currency, which says how many decimals there are.
    pub currency: Currency,
}

impl Money {
    /// An amount in minor units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in this currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// `quantity` times this amount; `None` past what an `i64` holds.
    pub fn times(self, quantity: u32) -> Option<Self> {
        self.minor
            .checked_mul(i64::from(quantity))
            .map(|minor| Self { minor, ..self })
    }

    /// The sum; `None` when the currencies differ or past what an `i64` holds.
    pub fn plus(self, other: Money) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        self.minor
            .checked_add(other.minor)
            .map(|minor| Self { minor, ..self })
    }

    /// The amount as a decimal text in major units without trailing zeros: `49.9`, `50`.
    pub fn major_text(self) -> String {
        let scale = 10_i64.pow(self.currency.decimals());
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        let (whole, rest) = (minor / scale.unsigned_abs(), minor % scale.unsigned_abs());
        if rest == 0 {
            return format!("{sign}{whole}");
        }
        let decimals = format!("{rest:0width$}", width = self.currency.decimals() as usize);
        format!("{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }

    /// The amount as a JSON number in major units. Exact for every amount below 2^53 minor units: the shortest
    /// decimal that reads back as the same double is the amount itself.
    pub fn major_json(self) -> serde_json::Value {
        let scale = 10_i64.pow(self.currency.decimals());
        if self.minor % scale == 0 {
            return serde_json::Value::from(self.minor / scale);
        }
        serde_json::Value::from(self.minor as f64 / scale as f64)
    }

    /// Reads a JSON number in major units. `None` when it has more decimals than the currency, or is not finite.
    pub fn from_major(number: &serde_json::Number, currency: Currency) -> Option<Self> {
        let scale = 10_i64.pow(currency.decimals());
        if let Some(whole) = number.as_i64() {
            return whole.checked_mul(scale).map(|minor| Self { minor, currency });
        }
        let major = number.as_f64()?;
        let minor = (major * scale as f64).round();
        // The number is exactly this amount, or it had more decimals than the currency has.
        (minor.abs() < 9.0e15 && minor / scale as f64 == major).then_some(Self {
            minor: minor as i64,
            currency,
        })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major_text(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_survives_the_way_through_json(minor in -9_000_000_000_000_i64..9_000_000_000_000, code in prop_oneof!["USD", "CLP", "KWD", "EUR"]) {
            let money = Money::new(minor, code.parse().unwrap());
            let text = serde_json::to_string(&money.major_json()).unwrap();
            prop_assert_eq!(&text, &money.major_text());
            let number: serde_json::Number = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Money::from_major(&number, money.currency), Some(money));
        }
    }

    #[test]
    fn more_decimals_than_the_currency_has_are_refused() {
        let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).unwrap();
        assert_eq!(
            Money::from_major(&number("49.9"), Currency::USD),
            Some(Money::new(4990, Currency::USD))
        );
        assert_eq!(Money::from_major(&number("49.999"), Currency::USD), None);
        assert_eq!(Money::from_major(&number("10.5"), "CLP".parse().unwrap()), None);
        assert_eq!(Money::from_major(&number("1e300"), Currency::USD), None);
    }

    #[test]
    fn only_active_codes_are_currencies() {
        assert!("usd".parse::<Currency>().is_err());
        assert!("XXX".parse::<Currency>().is_err());
        assert_eq!("CLP".parse::<Currency>().unwrap().decimals(), 0);
    }
}
