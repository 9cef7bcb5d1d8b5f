// Sums of money in whole numbers: 0.1 + 0.2 is 0.3 here. No currency has more than four decimals.

const PER_UNIT = 10_000;

/** The sum of amounts in major units, in major units. */
export function sum(amounts) {
  return amounts.reduce((total, amount) => total + Math.round(amount * PER_UNIT), 0) / PER_UNIT;
}

/** So many times an amount. */
export function times(amount, count) {
  return (Math.round(amount * PER_UNIT) * count) / PER_UNIT;
}
