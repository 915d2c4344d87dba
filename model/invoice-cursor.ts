import type { StartingPoint } from './cursor.ts';

/**
 * Where a run of invoices goes on. They are read in the order of UpdatedDateUTC by keyset: each call asks for page 1 of what
 * was modified since the last second seen, less one. Page numbers over a list that people edit skip rows: an invoice that
 * is edited moves to the end, and all behind it one place to the left.
 *
 * Only a second with more invoices than a page holds is read by page number, first forwards until it is over and then once
 * more backwards: as invoices only ever move to the left or to the end, none can pass a reader who comes from the right.
 */
export interface InvoicePlace {
  /** The last second seen, since 1970; 0 before the first. */
  second: number;
  /** Page of this second; negative on the way back. */
  page: number;
  /** Where to go on once the way back is done. */
  beyond: number | null;
  /** Pages in a row that reached the end of what there was. */
  closing: number;
}

/** What a page says of its place. */
export interface InvoicePageFacts {
  count: number;
  /** The second of its greatest UpdatedDateUTC; null when it has none. */
  lastSecond: number | null;
  /** It reaches the end of what there was when Xero answered. */
  complete: boolean;
}

/**
 * Every page that reaches the end is followed by a sweep that should find nothing new. Where people edit without a pause
 * it always will: after so many ends in a row the rest is for the next run.
 */
const mostClosingPages = 3;

/** Where a run begins, given the second up to which all is stored; `since` in milliseconds since 1970. */
export function invoicesStartingPoint(
  { full }: { full?: boolean | undefined },
  since: number | null,
  watermark: number,
): StartingPoint {
  const range = { startingAt: 0, endingAt: null };
  if (since !== null) return { range, cursor: Math.max(0, Math.floor(since / 1_000)), movesWatermark: false };
  return { range, cursor: full ? 0 : watermark, movesWatermark: true };
}

/** The second with which a call says "modified since"; null for all there is. Nobody documents whether it is inclusive. */
export function modifiedSinceOf({ second }: InvoicePlace): number | null {
  return second === 0 ? null : second - 1;
}

export function afterPage(place: InvoicePlace, facts: InvoicePageFacts): { next: InvoicePlace; ended: boolean } {
  const { second, page, closing } = place;
  const last = Math.max(second, facts.lastSecond ?? 0);
  const at = (change: Partial<InvoicePlace>, ended = false) => ({ next: { ...place, ...change }, ended });
  if (page < -1) return at({ page: page + 1 });
  // What was edited away from this second before the way back, and had not been read, lies behind it.
  if (page === -1) return at({ second: Math.max(place.beyond ?? 0, second + 1), page: 1, beyond: null });
  if (page === 1 && last > second) {
    const ends = facts.complete ? closing + 1 : 0;
    return at({ second: last, closing: ends }, ends >= mostClosingPages);
  }
  if (page === 1) return facts.complete ? at({}, true) : at({ page: 2 });
  // Invoices never vanish: if there is no second page now, there was none when the first was read.
  if (page === 2 && facts.count === 0) return at({ page: 1 }, true);
  if (last > second || facts.complete) return at({ page: 1 - page, beyond: last, closing: 0 });
  return at({ page: page + 1 });
}

/** How many rows Xero's pages have when it is not asked for more. */
const leastPageSize = 100;

/**
 * Whether a page reaches the end, given how many there are by `pagesTold`. A server that does not say may have given smaller
 * pages than it was asked for, so there a page is the last only when it is short by any measure.
 */
export function isComplete(count: number, page: number, pageCount: number | null, largestSeen: number): boolean {
  if (count === 0) return true;
  if (pageCount !== null) return page >= pageCount;
  return count < leastPageSize && (largestSeen === 0 || count < largestSeen);
}

/** An invoice may become visible so long after its UpdatedDateUTC; clocks differ by less. */
const unsettledSeconds = 300;

/**
 * Where a watermark, given in seconds since 1970, stands behind a page that was asked for from `place`. A page says something
 * of the time before it was asked for only, or an invoice dated ahead of the clock would make later imports pass over what is
 * changed until then; and its last minutes are for the next run to look at again. One that begins ahead of the watermark
 * leaves a hole before it, so it does not move it.
 */
export function watermarkAfter(watermark: number, place: InvoicePlace, next: InvoicePlace, askedAt: Date): number {
  const settled = Math.floor(askedAt.getTime() / 1_000) - unsettledSeconds;
  const reached = Math.min(next.second, settled);
  // A clock was wrong when it was put there.
  if (watermark > settled + unsettledSeconds) return reached;
  return place.second <= watermark ? Math.max(watermark, reached) : watermark;
}
