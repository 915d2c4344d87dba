import { ApplicationFailure, Context } from '@temporalio/activity';
import { leavesOf } from '../model/precedence.ts';
import type { SliceOutcome } from '../model/run.ts';
import { streams } from '../model/streams.ts';
import { markRun, runAtWork, takeOver } from '../storage/runs.ts';
import { countAnew } from '../storage/statistics.ts';
import type { Dependencies } from './index.ts';
import { createReadInvoices } from './read-invoices.ts';
import { createReadJournals } from './read-journals.ts';
import { createRefreshReference } from './refresh-reference.ts';
import { createSliceOutcomes, notAllowed, type Reading, removed } from './slice-outcomes.ts';
import { createSlices } from './slices.ts';
import { whileBeating } from './while-beating.ts';

/**
 * Fetches pages of a run and stores them, each with its receipt and the run's cursor in one commit, for a few seconds or
 * until something else is to be decided. Where the run stands is read from Postgres, so an attempt after a crash goes on
 * behind the last page stored; no more is fetched again than was in flight or waited to be stored.
 */
export function createImportPages(dependencies: Dependencies) {
  const { pool, permits, afterwards } = dependencies;
  const slices = createSlices(dependencies.sliceMs);
  const readers = {
    journals: createReadJournals(dependencies, slices),
    invoices: createReadInvoices(dependencies, slices),
  };
  const refreshReference = createRefreshReference(dependencies, slices);
  const { positionOf, ended, passOver } = createSliceOutcomes(dependencies);

  return ({ runId }: { runId: string }): Promise<SliceOutcome> =>
    whileBeating(() => slices.during(() => importPages(runId)));

  async function importPages(runId: string): Promise<SliceOutcome> {
    const { attempt, currentAttemptScheduledTimestampMs } = Context.current().info;
    const scheduledAt = new Date(currentAttemptScheduledTimestampMs);
    const isNewest = await takeOver(pool, runId, scheduledAt);
    const run = await runAtWork(pool, runId);
    if (!run) return over('This run is not in the database any more, as after restoring a backup; start a new one.');
    if (run.ended) return over('This run has ended already; start a new one.');
    if (!isNewest) throw tooLate();
    // Whoever cancels or pauses is heard also while every call fails before it is made, for want of a token, say.
    if (run.status === 'stopping') {
      // A workflow that was reset to before the cancel asks again, and is not told to stop twice.
      await markRun(pool, runId, 'running', null);
      return { kind: 'imported', ...(await positionOf(run)) };
    }
    if (run.authorisationId === null) return removed(run);
    if (!run.allowed) return notAllowed(run);
    // Each call of an attempt that died holds its place for a minute: with five in flight no other could be made until then.
    if (attempt > 1) await permits.abandoned(run.tenantId, runId);
    const leaves = leavesOf(run.isBackfill, run.othersAreOpen);
    const caller = { ...run, authorisationId: run.authorisationId, scheduledAt, leaves };
    try {
      return await readPages(caller).catch((trouble: unknown) => passOver(caller, trouble));
    } finally {
      await permits.written(run.tenantId);
    }
  }

  async function readPages(run: Reading): Promise<SliceOutcome> {
    const outcome = await readers[streams[run.stream].kind](run);
    if (outcome.kind !== 'caughtUp') return outcome;
    const refreshing = refreshReference(run);
    // Whoever waits for the import does not wait for this; it is done, as a rule, when Xero has sent the reference data.
    const count = () =>
      afterwards.begin('Letting Postgres count its tables anew', () =>
        countAnew(pool, run.stream, outcome.totals.stored, refreshing),
      );
    // Reference data may take many turns, and only the first of them has stored anything before.
    const isNews = outcome.totals.pages > run.totals.pages;
    if (isNews) count();
    const halted = await refreshing;
    if (halted !== null && halted.kind !== 'unfinished') return ended(run, halted);
    if (halted === null && !isNews) count();
    return { kind: halted === null ? 'caughtUp' : 'imported', ...(await positionOf(run)) };
  }
}

function over(message: string): SliceOutcome {
  return { kind: 'stopped', failure: 'RunEnded', message };
}

/** Nobody waits for a late attempt's answer; should the clocks be at odds instead, Temporal tries again. */
function tooLate(): ApplicationFailure {
  return ApplicationFailure.retryable('A newer attempt reads pages for this run.', 'SupersededAttempt');
}
