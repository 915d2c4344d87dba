import { Context, log } from '@temporalio/activity';
import { Course } from '../model/course.ts';
import { cursorBefore, overlap } from '../model/cursor.ts';
import type { Allowance } from '../model/lanes.ts';
import { Pace } from '../model/pace.ts';
import type { SliceOutcome } from '../model/run.ts';
import { basisOf, streams } from '../model/streams.ts';
import { placeCursor } from '../storage/pages.ts';
import { type Lowered, lowerWatermark } from '../storage/unbroken.ts';
import { noLimits, type Refused } from '../xero/faults.ts';
import { askSurely } from './ask-surely.ts';
import { callXero } from './call-xero.ts';
import type { Dependencies } from './index.ts';
import { Launcher } from './launcher.ts';
import { PageLine } from './page-line.ts';
import { createSliceOutcomes, type Reading } from './slice-outcomes.ts';
import type { Slices } from './slices.ts';

/** Reads journals by offset, several calls in flight where answers are slow; the end is an empty page. */
export function createReadJournals(dependencies: Dependencies, slices: Slices) {
  const { pool, xero, permits, now, stopping } = dependencies;
  const { standing, ended } = createSliceOutcomes(dependencies);
  /** For each tenant: a slice begins with as many lanes as the one before. */
  const paces = new Map<string, Pace>();

  return (run: Reading): Promise<SliceOutcome> => (run.nextOffset === null ? locate(run) : readOn(run, run.nextOffset));

  /** Finds where the journals modified since an instant begin, by one call with If-Modified-Since. */
  async function locate(run: Reading): Promise<SliceOutcome> {
    const outcome = await ask(run, run.range.startingAt - 1, run.modifiedSince?.toISOString());
    if (outcome.kind !== 'answered') return ended(run, outcome);
    const { count, firstNumber } = outcome.answer;
    if (count === 0) return { kind: 'caughtUp', ...(await standing(run)) };
    // Without a number that can be true it may be any.
    await placeCursor(pool, run.runId, cursorBefore(firstNumber ?? run.range.startingAt, run.range));
    return { kind: 'imported', ...(await standing(run)) };
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

    /**
     * An empty page is the end of what Xero has. Where a call further on has brought journals, or the watermark claims more, it is
     * asked for again, as it may have been a mishap. Is it none, Xero contradicts itself; or a number was wrong that moved the watermark,
     * and journals may have been passed over: then the run goes back to where no hole is.
     */
    async function atTheEnd(offset: number): Promise<SliceOutcome> {
      const landings = await flights.landings();
      // No call was made ahead, and the attempt before may have failed by this very contradiction.
      if (!isSure) landings.push(await askSurely(offset + overlap, (from) => ask(run, from)));
      const isBehindOthers = landings.some(
        (landed) => landed.kind === 'answered' && (landed.answer.lastNumber ?? 0) > offset,
      );
      const isBefore = isBehindOthers || offset < run.storedThrough;
      if (!isBefore || !(await store.isDone())) return reached('caughtUp');
      const again = await askSurely(offset, (from) => ask(run, from));
      if (again.kind !== 'answered') return ended(run, again);
      if (again.answer.lastNumber !== null) return reached('imported');
      if (isBehindOthers) return ended(run, contradictory(offset));
      if (!run.movesWatermark) return reached('caughtUp');
      const lowered = await lowerWatermark(pool, run.runId);
      if (lowered === null) return reached('caughtUp');
      log.warn(toldLowered(run, offset, lowered));
      return reached(lowered.isSetBack ? 'imported' : 'caughtUp');
    }

    /** Where the run stands once what was handed over is stored; not at its end when another attempt stores it. */
    async function reached(kind: 'caughtUp' | 'imported'): Promise<SliceOutcome> {
      const isStored = await store.isDone();
      return { kind: isStored ? kind : 'imported', ...(await standing(run)) };
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

function toldLowered({ connectionName, stream }: Reading, offset: number, { from, to, isSetBack }: Lowered): string {
  const whence = `Connection "${connectionName}": ${streams[stream].name} were said to be stored through ${from}, but Xero has none after ${offset}, so a number was wrong once.`;
  return isSetBack
    ? `${whence} They are read again from where they are stored without a hole, ${to}.`
    : `${whence} They are stored through ${to}.`;
}

/** Xero documents a page beyond the offset; a mishap is asked for again, as another refusal is. */
function endless(after: number, through: number): Refused {
  return unlike(
    `Xero was asked for journals after ${after} and sent none beyond ${through}; reading on would never end.`,
  );
}

function contradictory(after: number): Refused {
  return unlike(
    `Xero was asked for journals after ${after} and sent none, though it sent some of those when it was asked for what lies further on.`,
  );
}

/** An answer that is unlike what Xero documents. */
function unlike(what: string): Refused {
  const message = `${what} What was imported stays, and the next import asks again; should it end so too, tell Xero's support.`;
  return { kind: 'refused', status: 200, message, limits: noLimits, correlationId: null };
}
