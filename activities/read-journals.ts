import { Context } from '@temporalio/activity';
import { Course } from '../model/course.ts';
import { cursorBefore, overlap } from '../model/cursor.ts';
import type { Allowance } from '../model/lanes.ts';
import { Pace } from '../model/pace.ts';
import type { SliceOutcome } from '../model/run.ts';
import { basisOf } from '../model/streams.ts';
import { placeCursor } from '../storage/pages.ts';
import { askSurely } from './ask-surely.ts';
import { callXero } from './call-xero.ts';
import { endless, judgeEnd } from './end-of-journals.ts';
import type { Dependencies } from './index.ts';
import { Launcher } from './launcher.ts';
import { PageLine } from './page-line.ts';
import { createSliceOutcomes, type Reading } from './slice-outcomes.ts';
import type { Slices } from './slices.ts';

/** Reads journals by offset, several calls in flight where answers are slow; the end is an empty page. */
export function createReadJournals(dependencies: Dependencies, slices: Slices) {
  const { pool, xero, permits, now, stopping } = dependencies;
  const { positionOf, ended } = createSliceOutcomes(dependencies);
  /** For each tenant: a slice begins with as many lanes as the one before. */
  const paces = new Map<string, Pace>();

  return (run: Reading): Promise<SliceOutcome> => (run.nextOffset === null ? locate(run) : readOn(run, run.nextOffset));

  /** Finds where the journals modified since an instant begin, by one call with If-Modified-Since. */
  async function locate(run: Reading): Promise<SliceOutcome> {
    const outcome = await ask(run, run.range.startingAt - 1, run.modifiedSince?.toISOString());
    if (outcome.kind !== 'answered') return ended(run, outcome);
    const { count, firstNumber } = outcome.answer;
    if (count === 0) return { kind: 'caughtUp', ...(await positionOf(run)) };
    // Without a number that can be true it may be any.
    await placeCursor(pool, run.runId, cursorBefore(firstNumber ?? run.range.startingAt, run.range));
    return { kind: 'imported', ...(await positionOf(run)) };
  }

  async function readOn(run: Reading, from: number): Promise<SliceOutcome> {
    const course = new Course(run, from);
    const pace = paces.get(run.tenantId) ?? new Pace();
    paces.set(run.tenantId, pace);
    const launcher = new Launcher(
      {
        ...{ run, course, slices, pace, now, stopping },
        allowance: () => allowanceOf(run),
      },
      async (offset) => {
        // What the run before has looked at again and again is not doubted each time; all is that is read anew.
        const storedThrough = offset < run.storedThrough - overlap ? 0 : run.storedThrough;
        const outcome = await askSurely(offset, (from) => ask(run, from), storedThrough);
        if (outcome.kind === 'answered' && outcome.answer.lastNumber === null) course.endAt(offset);
        return outcome;
      },
    );
    const { flights } = launcher;
    const store = new PageLine(dependencies, run, from, pace);
    // Behind a failed attempt all may fail again: until a page is fetched and stored no call is made ahead, lest it be in vain.
    let isSure = Context.current().info.attempt === 1;

    try {
      for (;;) {
        await launcher.fill(isSure);
        if (flights.count === 0) break;
        const flight = await flights.take();
        if (!flight) continue;
        const outcome = await flight.outcome;
        if (outcome.kind !== 'answered')
          return (await store.isDone()) ? await ended(run, outcome) : await reached('imported');
        pace.answered(outcome.latencyMs);
        // The page before reached the last journal wanted: this one was asked for when that was not known.
        if (course.isPastEnd) break;

        const { body, count, lastNumber, wrong } = outcome.answer;
        const place = course.placeOf(flight.offset, outcome.answer);
        if (place === 'covered') continue;
        if (place === 'tooFar') {
          flights.fillIn(course.cursor, flight);
          continue;
        }
        const page = { ...run, after: course.cursor, askedAfter: flight.offset, body, count, wrong };
        // Only an empty page is the end: "a partial page does not necessarily indicate the end of the dataset" (Xero).
        // So is one of which no number can be true: what is wrong with it is kept, and the next import looks there again.
        if (lastNumber === null) {
          if (count > 0 && (await store.hasRoom())) store.begin({ ...page, through: page.after });
          return await atTheEnd(course.cursor);
        }
        const through = course.reachOf(lastNumber);
        if (through <= page.after)
          return (await store.isDone()) ? await ended(run, endless(page.after, through)) : await reached('imported');
        course.moveTo(through, flight.offset, count);
        // No further ahead than this, as all that is not stored when the worker dies is fetched again. Where there is no room any more,
        // another attempt has stored the pages before, and this one is a zombie.
        if (!(await store.hasRoom())) return await reached('imported');
        if (isSure) launcher.ahead(through);
        store.begin({ ...page, through });
        // Among many nothing is gained by reading on: others keep Postgres busy meanwhile.
        if (!isSure || slices.isCrowded()) isSure = await store.isStored();
      }
      return await reached(course.isPastEnd ? 'caughtUp' : 'imported');
    } finally {
      // Should storing fail here, something else ended the reading, and is told.
      await Promise.all([flights.landings(), store.isDone().catch(() => false)]);
    }

    async function atTheEnd(offset: number): Promise<SliceOutcome> {
      const askAfter = (from: number) => askSurely(from, (each) => ask(run, each));
      const landings = await flights.landings();
      // No call was made ahead, and the attempt before may have failed by this very contradiction.
      if (!isSure) landings.push(await askAfter(offset + overlap));
      const isStored = () => store.isDone();
      const found = await judgeEnd(pool, run, offset, landings, { isStored, ask: askAfter });
      return typeof found === 'string' ? reached(found) : ended(run, found);
    }

    /** Where the run stands once what was handed over is stored; not at its end when another attempt stores it. */
    async function reached(kind: 'caughtUp' | 'imported'): Promise<SliceOutcome> {
      const isStored = await store.isDone();
      return { kind: isStored ? kind : 'imported', ...(await positionOf(run)) };
    }
  }

  function ask(run: Reading, offset: number, modifiedSince?: string) {
    const paymentsOnly = basisOf(run.stream) === 'cash';
    return callXero(dependencies, run, 'journals', (call) =>
      xero.journals({ ...call, paymentsOnly, offset, modifiedSince }),
    );
  }

  async function allowanceOf({ tenantId, quotaReserve }: Reading): Promise<Allowance> {
    const { dayRemaining, minuteLimit } = await permits.allowance(tenantId);
    return { minuteLimit, dayRemaining: dayRemaining === null ? null : dayRemaining - quotaReserve };
  }
}
