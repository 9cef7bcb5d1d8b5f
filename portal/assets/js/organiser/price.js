// Prices as people type them: integers of minor units inside, never a float.

import { decimals, toMajor } from "../currency.js";
import { currentLanguage } from "../i18n.js";

/** The greatest price that the API takes, in minor units. */
export const MAX_PRICE_MINOR = 10_000_000_000;

/**
 * `{minor}` or `{fault}`, a key under `org.price.`. Both `49,90` and `49.90` are taken; a separator of thousands is not,
 * because nobody could tell which of the two was meant.
 */
export function parsePrice(text, currency) {
  const bare = String(text).replace(/\s/g, "");
  if (bare === "") return { fault: "missing" };
  if (/^-/.test(bare)) return { fault: "negative" };
  const found = /^(\d+)(?:[.,](\d+))?$/.exec(bare);
  if (!found) return { fault: /^\d{1,3}([.,]\d{3})+/.test(bare) ? "thousands" : "not_number" };
  const [, whole, rest = ""] = found;
  const digits = decimals(currency);
  if (rest.length > digits) return { fault: digits === 0 ? "no_decimals" : "decimals" };
  const plain = whole.replace(/^0+(?=\d)/, "");
  if (plain.length > 12) return { fault: "too_much" };
  const minor = Number(plain + rest.padEnd(digits, "0"));
  return minor > MAX_PRICE_MINOR ? { fault: "too_much" } : { minor };
}

/** Minor units as one would type them in the reader's language. */
export function priceText(minor, currency) {
  const text = String(toMajor(minor, currency));
  return currentLanguage() === "es" ? text.replace(".", ",") : text;
}

/** What the texts about prices need. */
export const priceValues = (currency) => ({
  currency, n: decimals(currency), max: toMajor(MAX_PRICE_MINOR, currency),
});
