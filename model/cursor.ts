import { largestJournalId } from './request.ts';
import { journalsPerPage } from './streams.ts';

/**
 * Where a run of journals begins, what it keeps and when it is over. All numbers are journal numbers; an offset is
 * exclusive, as Xero's is: the page after offset *n* begins with the first number greater than *n*.
 */

/** How far before the watermark the next run looks again, in journal numbers: one page, so it costs one call. */
export const overlap = journalsPerPage;

export interface JournalRange {
  /** First journal number wanted, inclusive. */
  startingAt: number;
  /** Last journal number wanted, inclusive; null for all there are. */
  endingAt: number | null;
}

export interface Filters {
  startingAtJournalId?: number | undefined;
  endingAtJournalId?: number | undefined;
  modifiedSince?: string | undefined;
  full?: boolean | undefined;
}

export interface StartingPoint {
  range: JournalRange;
  /** Offset of the first call; null when one call with If-Modified-Since must find it first. */
  cursor: number | null;
  /** A run without filters moves the watermark; a filtered one leaves it alone. */
  movesWatermark: boolean;
}

/** Decides where a run begins, given how far the stream is stored already (0 when nothing is). */
export function startingPoint(filters: Filters, watermark: number): StartingPoint {
  const { startingAtJournalId: first, endingAtJournalId: last, modifiedSince } = filters;
  const filtered = first !== undefined || last !== undefined || modifiedSince !== undefined;
  const range = { startingAt: first ?? 1, endingAt: last ?? null };
  if (filtered)
    return { range, cursor: modifiedSince === undefined ? range.startingAt - 1 : null, movesWatermark: false };
  // Where a number that there cannot be was taken for true once, the end of Xero's journals is found first.
  const from = Math.max(0, Math.min(watermark, largestJournalId) - overlap);
  return { range, cursor: filters.full ? 0 : from, movesWatermark: true };
}

/**
 * The offset at which to begin reading when the first journal created since an instant has the number `firstFound`.
 * Xero warns that If-Modified-Since may miss journals, so reading starts an overlap before it and rows are chosen by
 * their own CreatedDateUTC.
 */
export function cursorBefore(firstFound: number, range: JournalRange): number {
  return Math.max(range.startingAt - 1, firstFound - 1 - overlap);
}

/** A run is over when it has read past the last number wanted; else only an empty page says so. */
export function isPastEnd(cursor: number, range: JournalRange): boolean {
  return range.endingAt !== null && cursor >= range.endingAt;
}
