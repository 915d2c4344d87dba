import { isPastEnd, type JournalRange } from './cursor.ts';
import { isPromising, type Place, pagesRemembered, placeOf, strideFor } from './lanes.ts';
import { journalsPerPage } from './streams.ts';

/** What is known of a feed of journals before a slice of it is read. */
export interface Chart {
  range: JournalRange;
  /** The highest number that is stored already: up to it pages are there for sure. */
  storedThrough: number;
  /** Whether the last page was full and brought news. */
  dense: boolean;
  /** How many numbers each of the last full pages reached on, the oldest first. */
  reaches: readonly number[];
}

/** A page of journals as far as the course is concerned; null where it is empty. */
export interface Sighted {
  count: number;
  lastNumber: number | null;
}

/** How far the reading of journals has come, and what their pages have told of the feed. Offsets are exclusive, as Xero's are. */
export class Course {
  readonly #chart: Chart;
  #cursor: number;
  #dense: boolean;
  #reaches: readonly number[];
  #endsAt = Number.POSITIVE_INFINITY;
  /** Pages looked at so far. */
  pages = 0;

  constructor(chart: Chart, from: number) {
    this.#chart = chart;
    this.#cursor = from;
    this.#dense = chart.dense;
    this.#reaches = chart.reaches;
  }

  /** The number up to which all is read, without a gap. */
  get cursor(): number {
    return this.#cursor;
  }

  /** How far apart the offsets of calls in flight are. */
  get stride(): number {
    return strideFor(this.#reaches);
  }

  /** Whether the last number wanted is reached. */
  get isPastEnd(): boolean {
    return isPastEnd(this.#cursor, this.#chart.range);
  }

  /** An empty page: nothing lies beyond it, though pages before it may still have to be looked at. */
  endAt(offset: number): void {
    this.#endsAt = Math.min(this.#endsAt, offset);
  }

  /** Whether a call with this offset may bring what is wanted. Beside others in flight it must be likely to bring a page, too. */
  isWorthACall(offset: number, inFlight: number): boolean {
    if (offset >= this.#endsAt || isPastEnd(offset, this.#chart.range)) return false;
    return inFlight === 0 || isPromising(offset, this.#chart.storedThrough, this.#dense);
  }

  /** What a page asked for with this offset means here. */
  placeOf(offset: number, { lastNumber }: Sighted): Place {
    return placeOf(offset, lastNumber, this.#cursor);
  }

  /** How far a page that is next reaches; not beyond the last number wanted. */
  reachOf(lastNumber: number): number {
    return Math.min(lastNumber, this.#chart.range.endingAt ?? lastNumber);
  }

  /** Moves on behind a page that is next. */
  moveTo(through: number, offset: number, count: number): void {
    const isFull = count >= journalsPerPage;
    this.#dense = isFull && through > this.#chart.storedThrough;
    if (isFull) this.#reaches = [...this.#reaches, through - offset].slice(-pagesRemembered);
    this.#cursor = through;
    this.pages++;
  }
}
