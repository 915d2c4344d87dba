import type { Course } from '../model/course.ts';
import { type Allowance, isSliceOver, lanesFor, mostHeld, mostLanes, mostLanesAlone } from '../model/lanes.ts';
import type { Pace } from '../model/pace.ts';
import { mostAtOnce } from '../model/precedence.ts';
import { Flights } from './flights.ts';
import type { Dependencies } from './index.ts';
import type { Reading } from './slice-outcomes.ts';
import type { Slices } from './slices.ts';

/** What decides about the calls of one slice. */
interface Circumstances extends Pick<Dependencies, 'now' | 'stopping'> {
  run: Reading;
  course: Course;
  slices: Slices;
  pace: Pace;
  allowance: () => Promise<Allowance>;
}

/** Sends the calls of one slice: as many at once as slow answers need and Xero allows, and none once the slice is over. */
export class Launcher<T> {
  readonly flights: Flights<T>;
  readonly #given: Circumstances;
  readonly #began: number;
  #launchedAt: number;
  #lanes = 1;

  constructor(given: Circumstances, send: (offset: number) => Promise<T>) {
    this.#given = given;
    this.#began = given.now();
    this.#launchedAt = this.#began;
    this.flights = new Flights((offset) => {
      this.#launchedAt = given.now();
      return send(offset);
    });
  }

  /** Sends as many calls as may be in flight now; one at a time where it is not sure that pages can be stored. */
  async fill(isSure: boolean): Promise<void> {
    const { run, course, slices, pace, allowance } = this.#given;
    const { flights } = this;
    // Among many the machine is busy without: what more would be in flight only takes memory.
    const seen = slices.isCrowded() ? 0 : run.totals.pages + course.pages;
    const most = isSure ? Math.min(run.isAlone ? mostLanesAlone : mostLanes, mostAtOnce(run.leaves)) : 1;
    this.#lanes = lanesFor(pace.latencyMs, await allowance(), seen, most, pace.lanes);
    const hasRoom = () => !flights.hasLanded && flights.inTheAir < this.#lanes && flights.count < mostHeld;
    const next = () => flights.next(course.cursor, course.stride);
    while (hasRoom() && this.#may(next())) flights.launch(next());
  }

  /** Sends the calls for what lies behind a page, now that its end is known: they are on their way while pages are stored. */
  ahead(offset: number): void {
    const next = () => this.flights.next(offset, this.#given.course.stride);
    while (this.flights.count < this.#lanes && this.#may(next())) this.flights.launch(next());
  }

  #may(offset: number): boolean {
    return !this.#isOver() && this.#given.course.isWorthACall(offset, this.flights.count);
  }

  #isOver(): boolean {
    const { now, stopping, course, slices, pace } = this.#given;
    if (stopping()) return true;
    const isOverAfter = (elapsedMs: number) => isSliceOver(elapsedMs, course.pages, slices.lengthMs(), pace.latencyMs);
    const elapsedMs = now() - this.#began;
    // A round of calls that has begun is launched whole: a single late one would leave the other lanes idle as long as it takes. Where a quota
    // lets one call go after the other there is no end of a round.
    const isInRound = now() - this.#launchedAt < pace.latencyMs / 4 && !isOverAfter(elapsedMs - pace.latencyMs);
    return isOverAfter(elapsedMs) && !isInRound;
  }
}
