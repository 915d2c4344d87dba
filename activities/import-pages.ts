import { heartbeat } from '@temporalio/activity';
import { cursorBefore, isPastEnd } from '../model/cursor.ts';
import { lanesFor, nextOffset, placeOf } from '../model/lanes.ts';
import { wakeJitterMs } from '../model/quota.ts';
import type { PageOutcome, Position } from '../model/run.ts';
import { journalsPerPage, streams } from '../model/streams.ts';
import { placeCursor, storePage } from '../storage/pages.ts';
import { type RunAtWork, runAtWork } from '../storage/runs.ts';
import type { AnsweredPage } from '../xero/api.ts';
import { type CallOutcome, callXero } from './call-xero.ts';
import type { Dependencies } from './index.ts';

const beatEveryMs = 3_000;

interface Flight {
  offset: number;
  outcome: Promise<CallOutcome<AnsweredPage>>;
}

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
    try {
      const run = await runAtWork(pool, runId);
      if (!run || run.ended) {
        return { kind: 'stopped', failure: 'RunEnded', message: 'This run has ended already; start a new one.' };
      }
      if (!run.allowed || run.authorisationId === null) return notAllowed(run);
      const caller = { ...run, authorisationId: run.authorisationId };
      return await (run.nextOffset === null ? locate(caller) : readOn(caller, run.nextOffset));
    } finally {
      clearInterval(beat);
    }
  };

  /** Finds where the journals modified since an instant begin, by one call with If-Modified-Since. */
  async function locate(run: RunAtWork & { authorisationId: string }): Promise<PageOutcome> {
    const outcome = await ask(run, run.range.startingAt - 1, run.modifiedSince?.toISOString());
    if (outcome.kind !== 'answered') return ended(run, outcome);
    const { firstNumber } = outcome.answer;
    if (firstNumber === null) return { kind: 'caughtUp', ...(await standing(run)) };
    await placeCursor(pool, run.runId, cursorBefore(firstNumber, run.range));
    return { kind: 'imported', ...(await standing(run)) };
  }

  async function readOn(run: RunAtWork & { authorisationId: string }, from: number): Promise<PageOutcome> {
    const began = now();
    const flights: Flight[] = [];
    let cursor = from;
    let { dense } = run;
    const fly = (offset: number): Flight => {
      const outcome = ask(run, offset);
      // Heard when its turn comes; should an earlier page end the slice, nobody does.
      outcome.catch(() => {});
      return { offset, outcome };
    };
    // A slice has one page at least, whatever the clock does.
    const mayGoOn = () => cursor === from || now() - began < sliceMs;
    const lastWanted = () =>
      nextOffset(
        cursor,
        flights.map(({ offset }) => offset),
      );

    try {
      for (;;) {
        const lanes = lanesFor(latencies.get(run.tenantId) ?? 0, dense, await permits.dayRemaining(run.tenantId));
        while (flights.length < lanes && mayGoOn() && !isPastEnd(lastWanted(), run.range)) {
          flights.push(fly(lastWanted()));
        }
        const flight = flights.shift();
        if (!flight) break;
        const outcome = await flight.outcome;
        if (outcome.kind !== 'answered') return await ended(run, outcome);
        const page = outcome.answer;
        latencies.set(run.tenantId, outcome.latencyMs);
        dense = page.count >= journalsPerPage;

        switch (placeOf(flight.offset, page.lastNumber, cursor)) {
          case 'covered':
            break;
          case 'tooFar':
            flights.unshift(fly(cursor), flight);
            break;
          case 'next': {
            // Only an empty page is the end: "a partial page does not necessarily indicate the end of the dataset" (Xero).
            if (page.lastNumber === null) return { kind: 'caughtUp', ...(await standing(run)) };
            const stored = await keep(run, cursor, page, page.lastNumber);
            if (stored === null) return { kind: 'imported', ...(await standing(run)) };
            cursor = stored;
          }
        }
      }
    } finally {
      // What is in flight still holds its places in the quota ledger; the next slice begins with none.
      await Promise.allSettled(flights.map(({ outcome }) => outcome));
    }
    return { kind: isPastEnd(cursor, run.range) ? 'caughtUp' : 'imported', ...(await standing(run)) };
  }

  function ask(run: RunAtWork & { authorisationId: string }, offset: number, modifiedSince?: string) {
    const { paymentsOnly } = streams[run.stream];
    return callXero(dependencies, run, (call) => xero.journals({ ...call, paymentsOnly, offset, modifiedSince }));
  }

  /** Stores a page and answers the new cursor; null when another attempt has stored it and this one is a zombie. */
  async function keep(run: RunAtWork, after: number, page: AnsweredPage, lastNumber: number): Promise<number | null> {
    if (lastNumber <= after) {
      throw new Error(
        `Xero was asked for journals after ${after} of "${run.connectionName}" and sent none beyond ${lastNumber}; reading on would never end.`,
      );
    }
    const through = Math.min(lastNumber, run.range.endingAt ?? lastNumber);
    const stored = await storePage(pool, { ...run, after, through, text: page.text, count: page.count });
    return stored.moved ? through : null;
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
      case 'disconnected':
        return { kind: 'stopped', failure: 'Disconnected', message: forConnection(run, outcome.message) };
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

function notAllowed(run: RunAtWork): PageOutcome {
  const message = `The application "${run.application}" may no longer use the connection "${run.connectionName}". What it imported before stays.`;
  return { kind: 'stopped', failure: 'ApplicationNotAllowed', message };
}

function forConnection(run: RunAtWork, message: string): string {
  return `Connection "${run.connectionName}": ${message}`;
}
