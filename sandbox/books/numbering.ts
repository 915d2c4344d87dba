import { mix } from '../seeded.ts';

/** Journal numbers with natural gaps: position (0-based, how many journals come before) ↔ number, both at random access. */
export interface Numbering {
  readonly count: number;
  /** The number of the journal at `position`; 0 when there are no journals. */
  numberAt(position: number): number;
  /** How many journals have a number of at most `number`: the position of the first one after it. */
  countUpTo(number: number): number;
}

const BLOCK = 256;

/**
 * @param gapRate the share of numbers that no journal has, 0 … 0.9. Why Xero leaves gaps is not documented, only that its
 *   own examples have them (xero-api.md §1), so here they are spread by chance. Number 1 always exists.
 */
export function numbering(seed: number, count: number, gapRate: number): Numbering {
  if (!(gapRate >= 0 && gapRate <= 0.9)) throw new Error(`gapRate is ${gapRate}; it must lie between 0 and 0.9.`);
  if (gapRate === 0) {
    return {
      count,
      numberAt: (position) => position + 1,
      countUpTo: (number) => Math.min(Math.max(number, 0), count),
    };
  }
  const threshold = Math.round(gapRate * 4_294_967_296);
  const missing = (number: number): boolean => number !== 1 && mix(seed, number, 0x6a9) < threshold;

  // One running total per 256 numbers: a million journals are indexed in some 20 ms and 16 kB.
  const before: number[] = [0];
  for (let found = 0; found < count; ) {
    const base = (before.length - 1) * BLOCK;
    for (let k = 1; k <= BLOCK; k++) if (!missing(base + k)) found++;
    before.push(found);
  }
  const startOf = (block: number): number => before[block] ?? count;

  function countUpTo(number: number): number {
    if (number <= 0) return 0;
    const block = Math.min(Math.floor(number / BLOCK), before.length - 1);
    let total = startOf(block);
    const last = Math.min(number, (block + 1) * BLOCK);
    for (let n = block * BLOCK + 1; n <= last && total < count; n++) if (!missing(n)) total++;
    return Math.min(total, count);
  }

  function numberAt(position: number): number {
    if (count === 0) return 0;
    let low = 0;
    let high = before.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (startOf(middle) <= position) low = middle;
      else high = middle;
    }
    let left = position - startOf(low);
    for (let n = low * BLOCK + 1; ; n++) if (!missing(n) && left-- === 0) return n;
  }

  return { count, numberAt, countUpTo };
}
