import { heartbeat } from '@temporalio/activity';
import { cursorBefore, isPastEnd } from '../model/cursor.ts';
import type { PageOutcome, Position, Totals } from '../model/run.ts';
import { streams } from '../model/streams.ts';
import { placeCursor, storePage } from '../storage/pages.ts';
import { type RunAtWork, runAtWork } from '../storage/runs.ts';
import type { AnsweredPage } from '../xero/api.ts';
import { type CallOutcome, callXero, dayRemaining } from './call-xero.ts';
import type { Dependencies } from './index.ts';

const beatEveryMs = 3_000;

/**
 * Fetches the next page of a run and stores it: rows, receipt and cursor in one commit. Where the run stands is read from
 * Postgres each time, so an attempt after a crash goes on behind the last page stored and fetches none again.
 */
export function createImportPage(dependencies: Dependencies) {
  const { pool, xero } = dependencies;

  return async function importPage({ runId }: { runId: string }): Promise<PageOutcome> {
    const beat = setInterval(heartbeat, beatEveryMs);
    try {
      return await nextPage(runId);
    } finally {
      clearInterval(beat);
    }
  };

  async function nextPage(runId: string): Promise<PageOutcome> {
    const run = await runAtWork(pool, runId);
    if (!run || run.status === 'failed' || run.status === 'cancelled' || run.status === 'caughtUp') {
      return { kind: 'stopped', failure: 'RunEnded', message: 'This run has ended already; start a new one.' };
    }
    if (!run.allowed || run.authorisationId === null) {
      const message = `The application "${run.application}" may no longer use the connection "${run.connectionName}". What it imported before stays.`;
      return { kind: 'stopped', failure: 'ApplicationNotAllowed', message };
    }
    if (run.nextOffset !== null && isPastEnd(run.nextOffset, run.range))
      return { kind: 'caughtUp', ...(await at(run)) };

    const outcome = await fetchPage(run, run.authorisationId);
    switch (outcome.kind) {
      case 'answered':
        return run.nextOffset === null ? locate(run, outcome.answer) : keep(run, run.nextOffset, outcome.answer);
      case 'throttled':
        return { ...outcome, until: new Date(outcome.until).toISOString(), ...(await at(run)) };
      case 'needsReconnect':
        return { ...outcome, ...(await at(run)) };
      case 'notEntitled':
        return { kind: 'stopped', failure: 'NotEntitled', message: forConnection(run, outcome.message) };
      case 'disconnected':
        return { kind: 'stopped', failure: 'Disconnected', message: forConnection(run, outcome.message) };
      case 'refused':
        return { kind: 'stopped', failure: 'RefusedByXero', message: forConnection(run, outcome.message) };
    }
  }

  function fetchPage(run: RunAtWork, authorisationId: string): Promise<CallOutcome<AnsweredPage>> {
    const caller = { ...run, authorisationId };
    const { paymentsOnly } = streams[run.stream];
    // If-Modified-Since finds the first number only: Xero warns that it may miss journals, so pages are read by offset.
    const searching = run.nextOffset === null;
    return callXero(dependencies, caller, (call) =>
      xero.journals({
        ...call,
        paymentsOnly,
        offset: run.nextOffset ?? run.range.startingAt - 1,
        ...(searching ? { modifiedSince: run.modifiedSince?.toISOString() } : {}),
      }),
    );
  }

  /** The first journal modified since the instant wanted is found: reading begins there. */
  async function locate(run: RunAtWork, found: AnsweredPage): Promise<PageOutcome> {
    if (found.firstNumber === null) return { kind: 'caughtUp', ...(await at(run)) };
    await placeCursor(pool, run.runId, cursorBefore(found.firstNumber, run.range));
    return { kind: 'imported', ...(await at(run)) };
  }

  async function keep(run: RunAtWork, after: number, page: AnsweredPage): Promise<PageOutcome> {
    // Only an empty page is the end: "a partial page does not necessarily indicate the end of the dataset" (Xero).
    if (page.lastNumber === null) return { kind: 'caughtUp', ...(await at(run)) };
    if (page.lastNumber <= after) {
      throw new Error(
        `Xero was asked for journals after ${after} of "${run.connectionName}" and sent none beyond ${page.lastNumber}; reading on would never end.`,
      );
    }
    const through = Math.min(page.lastNumber, run.range.endingAt ?? page.lastNumber);
    const stored = await storePage(pool, { ...run, after, through, text: page.text, count: page.count });
    // Another attempt stored this page: nothing was changed here, and the next one begins where that left off.
    return { kind: 'imported', ...(stored.moved ? await at(run, stored.readThrough, stored.totals) : await at(run)) };
  }

  async function at(run: RunAtWork, readThrough?: number, totals?: Totals): Promise<Position> {
    const current = totals ? null : await runAtWork(pool, run.runId);
    return {
      readThrough: readThrough ?? current?.nextOffset ?? run.nextOffset,
      totals: totals ?? current?.totals ?? run.totals,
      dayRemaining: await dayRemaining(pool, run.tenantId),
    };
  }
}

function forConnection(run: RunAtWork, message: string): string {
  return `Connection "${run.connectionName}": ${message}`;
}
