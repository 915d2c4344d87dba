/**
 * Amounts as whole ten-thousandths in a bigint: Xero's amounts have at most four decimals, and no amount of the sandbox
 * may ever have been a double, since being exact is what it is there to check.
 */
export type Money = bigint;

const SCALE = 10_000n;

/** Reads a decimal text such as `-90071992547409.93`. Throws when it has more than four decimals or is not a number. */
export function money(text: string): Money {
  const parts = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(text);
  if (!parts) throw new Error(`"${text}" is not an amount of at most four decimals, such as -12.5 or 1020.2275.`);
  const [, sign, whole = '0', fraction = ''] = parts;
  const value = BigInt(whole) * SCALE + BigInt(fraction.padEnd(4, '0'));
  return sign === '-' ? -value : value;
}

const FRACTIONS = Array.from({ length: 10_000 }, (_, n) => {
  const digits = String(n).padStart(4, '0');
  return `.${digits.endsWith('00') ? digits.slice(0, 2) : digits.endsWith('0') ? digits.slice(0, 3) : digits}`;
});
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Writes an amount with two decimals, or up to four when it has them: `12.50`, `-0.3333`. The oracle's one spelling. */
export function moneyText(value: Money): string {
  const size = value < 0n ? -value : value;
  const sign = value < 0n ? '-' : '';
  if (size > SAFE) return `${sign}${size / SCALE}${FRACTIONS[Number(size % SCALE)]}`;
  // Whole numbers below 2^53: remainder, difference and quotient are all exact, and several times as fast as bigints.
  const whole = Number(size);
  const rest = whole % 10_000;
  return `${sign}${(whole - rest) / 10_000}${FRACTIONS[rest]}`;
}
