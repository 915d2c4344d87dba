import type { StartingPoint } from './cursor.ts';

/**
 * Where a run of invoices goes on. They are read in the order of UpdatedDateUTC by keyset: each call asks for page 1 of what
 * was modified since the last second seen, less one. Page numbers over a list that people edit skip rows: an invoice that
 * is edited moves to the end, and all behind it one place to the left.
 *
 * Only a second with more invoices than a page holds is read by page number, first forwards until it is over and then once
 * more backwards: as invoices only ever move to the left or to the end, none can pass a reader who comes from the right.
 *
 * That rests on the order and on If-Modified-Since. Where a page shows that one of them is not heeded, the whole list is read
 * by page number, from where the run began, in the same two ways; and then what was changed meanwhile.
 */
export interface InvoicePlace {
  /** The last second seen, since 1970; 0 before the first. Of a list read by page number, the one it begins with. */
  second: number;
  /** Page of what was modified since this second; negative on the way back. */
  page: number;
  /** Where to go on once the way back is done. */
  beyond: number | null;
  /** Pages in a row that reached the end of what there was; or `theWholeList`, `whatChangedMeanwhile`. */
  closing: number;
}

/** What a page says of its place. */
export interface InvoicePageFacts {
  count: number;
  /** The seconds of its least and its greatest UpdatedDateUTC; null when it has none. */
  firstSecond: number | null;
  lastSecond: number | null;
  /** Each has an UpdatedDateUTC, and none lies a second or more before the one ahead of it. */
  ascending: boolean;
  /** How many pages there are by Xero's `pagination`; null when it does not say. */
  pageCount: number | null;
  /** Rows in the largest page that the run has seen; 0 before the first. */
  largestSeen: number;
}

interface Step {
  next: InvoicePlace;
  ended: boolean;
}

/** `closing` of a place in a list that is read by page number, and in that of what was changed while it was read. */
const theWholeList = -1;
const whatChangedMeanwhile = -2;

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

/** Whether the list is read by page number, so that nothing rests on its order. */
export function isByNumber({ closing }: InvoicePlace): boolean {
  return closing < 0;
}

/** Whether a list that is read by page number has been read once before this place. */
export function isReadAgain({ page, closing }: InvoicePlace): boolean {
  return closing === whatChangedMeanwhile || (closing === theWholeList && page < 0);
}

/** Whether a page may be gone on from by keyset: the oldest change comes first, and none is older than was asked for. */
export function isInOrder(
  place: InvoicePlace,
  { firstSecond, ascending }: Pick<InvoicePageFacts, 'firstSecond' | 'ascending'>,
): boolean {
  return ascending && !isOlder(place, firstSecond);
}

/**
 * Where a run goes on behind a page that is not in order: in the list of all that was modified since the second it began with,
 * by page number. It may have passed over some of that, so that nothing behind it counts as read until then.
 */
export function overToNumbers(place: InvoicePlace, facts: InvoicePageFacts, begin: number, askedAt: Date): Step {
  const list = { second: begin, page: 1, beyond: settledBefore(askedAt), closing: theWholeList };
  const isOfThatList = place.second === begin && place.page > 0;
  return isOfThatList ? afterPage({ ...list, page: place.page }, facts) : { next: list, ended: false };
}

export function afterPage(place: InvoicePlace, facts: InvoicePageFacts): Step {
  return isByNumber(place) ? afterNumberedPage(place, facts) : afterKeysetPage(place, facts);
}

function afterNumberedPage(place: InvoicePlace, facts: InvoicePageFacts): Step {
  const { second, page, beyond, closing } = place;
  const to = (number: number): Step => ({ next: { ...place, page: number }, ended: false });
  const complete = isComplete(facts, page, false);
  if (closing === whatChangedMeanwhile)
    // A list of all there is: what was changed meanwhile is for the next run, which has to read all of it, too.
    return complete || isOlder(place, facts.firstSecond) ? { next: place, ended: true } : to(page + 1);
  const changes = { second: beyond ?? second, page: 1, beyond, closing: whatChangedMeanwhile };
  if (page < -1) return to(page + 1);
  if (page === -1) return { next: changes, ended: false };
  if (!complete) return to(page + 1);
  return page === 1 ? { next: changes, ended: true } : to(1 - page);
}

function afterKeysetPage(place: InvoicePlace, facts: InvoicePageFacts): Step {
  const { second, page, closing } = place;
  const last = Math.max(second, facts.lastSecond ?? 0);
  const complete = isComplete(facts, Math.abs(page), true);
  const at = (change: Partial<InvoicePlace>, ended = false) => ({ next: { ...place, ...change }, ended });
  if (page < -1) return at({ page: page + 1 });
  // What was edited away from this second before the way back, and had not been read, lies behind it.
  if (page === -1) return at({ second: Math.max(place.beyond ?? 0, second + 1), page: 1, beyond: null });
  if (page === 1 && last > second) {
    const ends = complete ? closing + 1 : 0;
    return at({ second: last, closing: ends }, ends >= mostClosingPages);
  }
  if (page === 1) return complete ? at({}, true) : at({ page: 2 });
  // Invoices never vanish: if there is no second page now, there was none when the first was read.
  if (page === 2 && facts.count === 0) return at({ page: 1 }, true);
  if (last > second || complete) return at({ page: 1 - page, beyond: last, closing: 0 });
  return at({ page: page + 1 });
}

function isOlder(place: InvoicePlace, firstSecond: number | null): boolean {
  const since = modifiedSinceOf(place);
  return since !== null && firstSecond !== null && firstSecond < since;
}

/** How many rows Xero's pages have when it is not asked for more. */
const leastPageSize = 100;

/**
 * Whether a page reaches the end of what there was when Xero answered, given how many there are by `pagesTold`. A server that
 * does not say may have given smaller pages than it was asked for, so there a page is the last only when it is short by any
 * measure; where nothing follows that would bring what it left out, only when it is empty.
 */
function isComplete({ count, pageCount, largestSeen }: InvoicePageFacts, page: number, isFollowed: boolean): boolean {
  if (count === 0) return true;
  if (pageCount !== null) return page >= pageCount;
  return isFollowed && count < leastPageSize && (largestSeen === 0 || count < largestSeen);
}

/** An invoice, a contact or an account may become visible so long after its UpdatedDateUTC; clocks differ by less. */
export const unsettledSeconds = 300;

function settledBefore(askedAt: Date): number {
  return Math.floor(askedAt.getTime() / 1_000) - unsettledSeconds;
}

/**
 * Where a watermark, given in seconds since 1970, stands behind a page that was asked for from `place`. A page says something
 * of the time before it was asked for only, or an invoice dated ahead of the clock would make later imports pass over what is
 * changed until then; and its last minutes are for the next run to look at again. One that begins ahead of the watermark
 * leaves a hole before it, so it does not move it.
 *
 * A list that is read by page number moves it at its end, to what had settled at its begin. Until then it stands no further
 * than that list's first second, as the keyset pages before it may have passed over some.
 */
export function watermarkAfter(watermark: number, place: InvoicePlace, next: InvoicePlace, askedAt: Date): number {
  if (isByNumber(next)) {
    const isRead = next.closing === whatChangedMeanwhile && place.closing !== whatChangedMeanwhile;
    if (isRead && place.second <= watermark) return next.second;
    return isByNumber(place) ? watermark : Math.min(watermark, next.second);
  }
  const settled = settledBefore(askedAt);
  const reached = Math.min(next.second, settled);
  // A clock was wrong when it was put there.
  if (watermark > settled + unsettledSeconds) return reached;
  return place.second <= watermark ? Math.max(watermark, reached) : watermark;
}
