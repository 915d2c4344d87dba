import { concurrentCalls, xerosLimit } from './minute.ts';
import { journalsPerPage } from './streams.ts';

/**
 * Several pages in flight. A page asked for after number *n* with 100 journals reaches at least *n*+100, and further where
 * numbers are sparse, so their offsets are as far apart as the last pages reached. Pages are stored in the order of their
 * offsets, so the cursor moves over an unbroken chain only, and a page asked for too far on waits for the one in between.
 * One call at a time is enough for Xero's 60 a minute while answers come within a second; more are in flight just as far
 * as the latency, or a larger limit, asks for it.
 */

/** At most so many pages in flight for one run: Xero allows five calls at once, and others of the tenant need one. */
export const mostLanes = 4;
/** While nobody else imports from the tenant a run that is no backfill takes all five: at 4 s an answer four are too few. */
export const mostLanesAlone = concurrentCalls;
/** Pages in flight, or landed before one with a lower offset: where one answer is slow the others go on so far. */
export const mostHeld = mostLanesAlone + 2;
/** Of the calls beyond those that Xero's sixty a minute need, each may be wasted at the end: under one in so many. */
const pagesALane = 100;
/** With fewer calls than this left today, none is risked on a page that may turn out not to be there. */
const scarceCalls = 60;

/** What bounds the calls of a run, beside those of others. */
export interface Allowance {
  /** Calls left today; null where Xero has not said. Whoever keeps a reserve takes it off. */
  dayRemaining: number | null;
  /** Calls that Xero allows a minute; null where it states no limit, and none is kept then. */
  minuteLimit: number | null;
}

/**
 * How many pages to have in flight. `latencyMs` is what a call takes now, `pages` how many have come, `stored` how many in flight
 * storing keeps up with (`Pace`).
 */
export function lanesFor(
  latencyMs: number,
  allowed: Allowance,
  pages: number,
  most = mostLanes,
  stored = Number.POSITIVE_INFINITY,
): number {
  if (allowed.dayRemaining !== null && allowed.dayRemaining < scarceCalls) return 1;
  const { minuteLimit } = allowed;
  const beyondXeros = minuteLimit === null ? most : lanesAt(minuteLimit, latencyMs);
  const risked = 1 + Math.floor(pages / pagesALane);
  return Math.min(most, Math.max(lanesAt(xerosLimit, latencyMs), Math.min(beyondXeros, risked, stored)));
}

/** A page takes longer than its call. Rather one lane too many than too few: the minute's quota holds it back anyway. */
function lanesAt(callsAMinute: number, latencyMs: number): number {
  return Math.max(1, Math.ceil((latencyMs / 60_000) * callsAMinute + 0.1));
}

/** So many pages tell how densely a feed is numbered. */
export const pagesRemembered = 4;
/** Somewhat less than the least that pages reached: an overlap costs a part of a page, a hole a whole call. */
const cautiously = 0.95;

/**
 * How far apart the offsets of calls in flight are, given how many numbers each of the last pages reached on: 100 on dense
 * numbers, where no hole can be left, and so many more on sparse ones that few pages bring again what is stored already.
 */
export function strideFor(reaches: readonly number[]): number {
  if (reaches.length === 0) return journalsPerPage;
  return Math.max(journalsPerPage, Math.floor(cautiously * Math.min(...reaches)));
}

/** The offset of the next call, given the cursor and the offsets in flight (ascending). */
export function nextOffset(cursor: number, inFlight: readonly number[], stride: number): number {
  const last = inFlight.at(-1);
  return last === undefined ? cursor : Math.max(cursor, last + stride);
}

/**
 * Whether a call beyond those in flight is likely to bring a page: what is stored already is there for sure, and further on
 * a full page that brought news says so. One that ends just where the last import did is full as well, and tells nothing.
 */
export function isPromising(offset: number, storedThrough: number, dense: boolean): boolean {
  return dense || offset < storedThrough;
}

/** What a page that has come means for the cursor. */
export type Place =
  /** It begins at the cursor or before it, and goes on beyond. */
  | 'next'
  /** It begins beyond the cursor: the page before was shorter than pages are, so one must be fetched in between. */
  | 'tooFar'
  /** All of it is stored already. */
  | 'covered';

export function placeOf(offset: number, lastNumber: number | null, cursor: number): Place {
  if (offset > cursor) return 'tooFar';
  // At the cursor itself whatever comes is news, an empty page too: it is the end of the feed.
  return offset < cursor && (lastNumber === null || lastNumber <= cursor) ? 'covered' : 'next';
}

const longestSlices = 10;

/**
 * For how long one activity reads pages: some rounds of calls where answers are slow, as the lanes run dry at its end, or
 * else `sliceMs`. With fewer lanes than there may be the quota holds them back, so less is lost: others have their turn sooner.
 */
export function sliceFor(sliceMs: number, latencyMs: number): number {
  const rounds = lanesAt(xerosLimit, latencyMs) >= mostLanes ? 8 : 4;
  return Math.max(sliceMs, Math.min(rounds * latencyMs, longestSlices * sliceMs));
}

/** A slice that has fewer pages than this goes on, for a while: where many share a worker, time alone would give a page each. */
const worthwhilePages = 8;

/** Whether a slice is over: its time has passed, and it was worth a round through Temporal or has become long. */
export function isSliceOver(elapsedMs: number, pages: number, sliceMs: number, latencyMs: number): boolean {
  const length = sliceFor(sliceMs, latencyMs);
  return pages > 0 && elapsedMs >= (pages < worthwhilePages ? Math.max(length, longestSlices * sliceMs) : length);
}
