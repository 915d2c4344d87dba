import { ApplicationFailure, Context, heartbeat, log } from '@temporalio/activity';
import { cursorBefore, isPastEnd } from '../model/cursor.ts';
import { lanesFor, placeOf, sliceFor } from '../model/lanes.ts';
import { wakeJitterMs } from '../model/quota.ts';
import type { PageOutcome, Position } from '../model/run.ts';
import { journalsPerPage, streams } from '../model/streams.ts';
import { placeCursor } from '../storage/pages.ts';
import { type RunAtWork, runAtWork, takeOver } from '../storage/runs.ts';
import type { AnsweredPage } from '../xero/api.ts';
import { type Caller, type CallOutcome, callXero } from './call-xero.ts';
import { Flights } from './flights.ts';
import type { Dependencies } from './index.ts';
import { storePatiently } from './store-patiently.ts';

const beatEveryMs = 3_000;

/**
 * Fetches pages of a run and stores them, each with its receipt and the run's cursor in one commit, for a few seconds or
 * until something else is to be decided. Where the run stands is read from Postgres, so an attempt after a crash goes on
 * behind the last page stored; no more is fetched again than was in flight.
 */
export function createImportPages(dependencies: Dependencies) {
  const { pool, xero, permits, now, sliceMs } = dependencies;
  /** What a call took last, for each tenant: a slice begins with as many lanes as the one before. */
  const latencies = new Map<string, number>();

  return async function importPages({ runId }: { runId: string }): Promise<PageOutcome> {
    const beat = setInterval(heartbeat, beatEveryMs);
    const scheduledAt = new Date(Context.current().info.currentAttemptScheduledTimestampMs);
    try {
      if (!(await takeOver(pool, runId, scheduledAt))) throw tooLate();
      const run = await runAtWork(pool, runId);
      if (!run || run.ended) {
        return { kind: 'stopped', failure: 'RunEnded', message: 'This run has ended already; start a new one.' };
      }
      if (run.authorisationId === null) return removed(run);
      if (!run.allowed) return notAllowed(run);
      const caller = { ...run, authorisationId: run.authorisationId, scheduledAt };
      return await (run.nextOffset === null ? locate(caller) : readOn(caller, run.nextOffset));
    } finally {
      clearInterval(beat);
    }
  };

  /** Finds where the journals modified since an instant begin, by one call with If-Modified-Since. */
  async function locate(run: RunAtWork & Caller): Promise<PageOutcome> {
    const outcome = await ask(run, run.range.startingAt - 1, run.modifiedSince?.toISOString());
    if (outcome.kind !== 'answered') return ended(run, outcome);
    const { firstNumber } = outcome.answer;
    if (firstNumber === null) return { kind: 'caughtUp', ...(await standing(run)) };
    await placeCursor(pool, run.runId, cursorBefore(firstNumber, run.range));
    return { kind: 'imported', ...(await standing(run)) };
  }

  async function readOn(run: RunAtWork & Caller, from: number): Promise<PageOutcome> {
    const began = now();
    let launchedAt = began;
    const flights = new Flights((offset) => {
      launchedAt = now();
      return ask(run, offset);
    });
    let cursor = from;
    let { dense } = run;
    // A slice has one page at least, whatever the clock does.
    const latency = () => latencies.get(run.tenantId) ?? 0;
    // A round of calls that has begun is launched whole: a single late one would leave the other lanes idle as long as it takes.
    const inRound = () => now() - launchedAt < latency() / 4;
    const isOver = () => cursor !== from && now() - began >= sliceFor(sliceMs, latency()) && !inRound();
    const mayLaunch = (offset: number) => !isOver() && !isPastEnd(offset, run.range);

    try {
      for (;;) {
        const lanes = lanesFor(latency(), dense, await permits.dayRemaining(run.tenantId));
        while (flights.count < lanes && mayLaunch(flights.next(cursor))) flights.launch(flights.next(cursor));
        const flight = flights.take();
        if (!flight) break;
        const outcome = await flight.outcome.catch((trouble: Error) => passOver(trouble, cursor > from));
        if (outcome === null) return { kind: 'imported', ...(await standing(run)) };
        if (outcome.kind !== 'answered') return await ended(run, outcome);
        const page = outcome.answer;
        latencies.set(run.tenantId, outcome.latencyMs);
        dense = page.count >= journalsPerPage;

        const place = placeOf(flight.offset, page.lastNumber, cursor);
        if (place === 'covered') continue;
        if (place === 'tooFar') {
          flights.fillIn(cursor, flight);
          continue;
        }
        // Only an empty page is the end: "a partial page does not necessarily indicate the end of the dataset" (Xero).
        if (page.lastNumber === null) return { kind: 'caughtUp', ...(await standing(run)) };
        const through = Math.min(page.lastNumber, run.range.endingAt ?? page.lastNumber);
        const keeping = keep(run, cursor, page, through);
        cursor = through;
        // Where the next page begins is known now: it is on its way while this one is stored.
        if (flights.count === 0 && mayLaunch(cursor)) flights.launch(cursor);
        if (!(await keeping)) return { kind: 'imported', ...(await standing(run)) };
      }
    } finally {
      await flights.allLanded();
    }
    return { kind: isPastEnd(cursor, run.range) ? 'caughtUp' : 'imported', ...(await standing(run)) };
  }

  function ask(run: RunAtWork & Caller, offset: number, modifiedSince?: string) {
    const { paymentsOnly } = streams[run.stream];
    return callXero(dependencies, run, (call) => xero.journals({ ...call, paymentsOnly, offset, modifiedSince }));
  }

  /** False when another attempt has stored the page and this one is a zombie. */
  async function keep(run: RunAtWork, after: number, page: AnsweredPage, through: number): Promise<boolean> {
    if (through <= after) {
      throw new Error(
        `Xero was asked for journals after ${after} of "${run.connectionName}" and sent none beyond ${through}; reading on would never end.`,
      );
    }
    return storePatiently(pool, { ...run, after, through, text: page.text, count: page.count });
  }

  async function ended(
    run: RunAtWork,
    outcome: Exclude<CallOutcome<AnsweredPage>, { kind: 'answered' }>,
  ): Promise<PageOutcome> {
    switch (outcome.kind) {
      case 'throttled': {
        const jitter = outcome.reason === 'day' ? wakeJitterMs(run.runId, outcome.until - now()) : 0;
        return { ...outcome, until: new Date(outcome.until + jitter).toISOString(), ...(await standing(run)) };
      }
      case 'needsReconnect':
        return { ...outcome, ...(await standing(run)) };
      case 'unwanted':
        return outcome.allowed ? { kind: 'imported', ...(await standing(run)) } : notAllowed(run);
      case 'notEntitled':
        return { kind: 'stopped', failure: 'NotEntitled', message: forConnection(run, outcome.message) };
      case 'refused':
        return { kind: 'stopped', failure: 'RefusedByXero', message: forConnection(run, outcome.message) };
    }
  }

  async function standing(run: RunAtWork): Promise<Position> {
    const current = (await runAtWork(pool, run.runId)) ?? run;
    return {
      readThrough: current.nextOffset,
      totals: current.totals,
      dayRemaining: await permits.dayRemaining(run.tenantId),
    };
  }
}

/**
 * Trouble after progress ends the slice and is met again by the next: so Temporal counts, and waits for, failures without
 * progress only, and an import that keeps advancing never backs off.
 */
function passOver(trouble: Error, advanced: boolean): null {
  if (!advanced || Context.current().cancellationSignal.aborted) throw trouble;
  log.warn(trouble.message);
  return null;
}

/** Nobody waits for a late attempt's answer; should the clocks be at odds instead, Temporal tries again. */
function tooLate(): ApplicationFailure {
  return ApplicationFailure.retryable('A newer attempt reads pages for this run.', 'SupersededAttempt');
}

function removed(run: RunAtWork): PageOutcome {
  const message = `The connection "${run.connectionName}" was removed. What was imported through it stays.`;
  return { kind: 'stopped', failure: 'Disconnected', message };
}

function notAllowed(run: RunAtWork): PageOutcome {
  const message = `The application "${run.application}" may no longer use the connection "${run.connectionName}". What it imported before stays.`;
  return { kind: 'stopped', failure: 'ApplicationNotAllowed', message };
}

function forConnection(run: RunAtWork, message: string): string {
  return `Connection "${run.connectionName}": ${message}`;
}
