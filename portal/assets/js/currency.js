// Currencies as the API counts them (ISO 4217, as crates/contract/src/money.rs). A browser's own table differs: it writes
// COP, HUF or IQD without the decimals in which they are charged.

const OTHER_DECIMALS = {
  BHD: 3, BIF: 0, CLF: 4, CLP: 0, DJF: 0, GNF: 0, IQD: 3, ISK: 0, JOD: 3, JPY: 0, KMF: 0, KRW: 0, KWD: 3, LYD: 3, OMR: 3,
  PYG: 0, RWF: 0, TND: 3, UGX: 0, UYI: 0, UYW: 4, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
};
const TWO_DECIMALS = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
  + "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
  + "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
  + "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY "
  + "TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";

/** Every code that the API takes, in alphabetical order. */
export const CURRENCIES = [...TWO_DECIMALS.split(" "), ...Object.keys(OTHER_DECIMALS)].sort();

/** How many decimals the major unit has: 2 for USD, 0 for CLP. */
export function decimals(currency) {
  return OTHER_DECIMALS[currency] ?? 2;
}

/** The API's number (major units) as an integer of minor units. */
export function toMinor(major, currency) {
  return Math.round(major * 10 ** decimals(currency));
}

/** Minor units as the API's number. */
export function toMajor(minor, currency) {
  return minor / 10 ** decimals(currency);
}
