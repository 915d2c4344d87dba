import { ApplicationFailure, Context, log, sleep } from '@temporalio/activity';
import { wakesAt } from '../model/quota.ts';
import { type Position, readThrough, type SliceOutcome, type Wait, type WaitReason } from '../model/run.ts';
import type { Attempt } from '../storage/quota.ts';
import { type RunAtWork, runAtWork } from '../storage/runs.ts';
import type { Answered } from '../xero/api.ts';
import type { Caller, CallOutcome } from './call-xero.ts';
import { failureOf } from './in-words.ts';
import type { Dependencies } from './index.ts';

/** A wait after trouble that came after progress; an activity's whole time is five minutes. */
const longestRestMs = 20_000;
/** What Xero answered this run before and refuses now is asked for so many times in all: it may be a fault that passes. */
const surelyRefused = 3;

const refusedInTheMiddle = 'RefusedInTheMiddle';
/** Whether a failure is told from others by how often its attempts have met it. */
const isCounted = (failure: Error) => 'type' in failure && failure.type === refusedInTheMiddle;

/** A run whose pages are being read, and who reads them. */
export type Reading = RunAtWork & Caller & Attempt;

/** What the reading of pages tells the workflow, whichever stream is read. */
export function createSliceOutcomes({
  pool,
  permits,
  refusals,
  now,
}: Pick<Dependencies, 'pool' | 'permits' | 'refusals' | 'now'>) {
  return { positionOf, ended, passOver };

  /** A call that brought no page ends the slice. */
  async function ended(
    run: RunAtWork,
    outcome: Exclude<CallOutcome<Answered>, { kind: 'answered' }>,
  ): Promise<SliceOutcome> {
    switch (outcome.kind) {
      case 'throttled':
        return { ...outcome, ...waitOf(run.runId, outcome, now()), ...(await positionOf(run)) };
      case 'needsReconnect':
        return { ...outcome, ...(await positionOf(run)) };
      case 'unwanted':
        return outcome.allowed ? { kind: 'imported', ...(await positionOf(run)) } : await mayNotGoOn(run);
      case 'notEntitled':
      case 'refused': {
        const message = `Connection "${run.connectionName}": ${outcome.message}`;
        const { totals } = await positionOf(run);
        // Where pages have come since, it is another page that is refused.
        if (totals.pages > 0 && refusals.times(`page ${totals.pages}`) < surelyRefused)
          throw ApplicationFailure.retryable(message, refusedInTheMiddle);
        return { kind: 'stopped', failure: outcome.kind === 'refused' ? 'RefusedByXero' : 'NotEntitled', message };
      }
    }
  }

  /** Whose application is not on the list any more may have none to be on: the connection is gone. */
  async function mayNotGoOn(run: RunAtWork): Promise<SliceOutcome> {
    const current = await runAtWork(pool, run.runId);
    return current?.authorisationId === null ? removed(run) : notAllowed(run);
  }

  /**
   * Trouble after pages were stored ends the slice and is met again by the next: so Temporal counts, and waits for, failures without
   * progress only, and an import that keeps advancing never backs off.
   */
  async function passOver(run: Reading, trouble: unknown): Promise<SliceOutcome> {
    const failure = failureOf(trouble, run.connectionName);
    const position = isCounted(failure) ? null : await positionOf(run).catch(() => null);
    const hasAdvanced = position !== null && position.totals.pages > run.totals.pages;
    if (!hasAdvanced || Context.current().cancellationSignal.aborted) throw failure;
    log.warn(failure.message);
    // The next slice must not ask at once, either; its own failures are waited for by Temporal, ever longer.
    if (failure instanceof ApplicationFailure && failure.nextRetryDelay)
      await sleep(Math.min(Number(failure.nextRetryDelay), longestRestMs));
    return { kind: 'imported', ...position };
  }

  async function positionOf(run: RunAtWork): Promise<Position> {
    const current = (await runAtWork(pool, run.runId)) ?? run;
    return {
      readThrough: readThrough(run.stream, current.nextOffset),
      totals: current.totals,
      dayRemaining: (await permits.allowance(run.tenantId)).dayRemaining,
    };
  }
}

/** Until when somebody waits whom a limit holds back, and for how long that is. */
export function waitOf(runId: string, { reason, until }: { reason: WaitReason; until: number }, now: number): Wait {
  const wakes = wakesAt(runId, reason, until, now);
  return { reason, until: new Date(wakes).toISOString(), inMs: Math.max(0, Math.ceil(wakes - now)) };
}

export function removed(run: RunAtWork): SliceOutcome {
  const message = `The connection "${run.connectionName}" was removed. What was imported through it stays.`;
  return { kind: 'stopped', failure: 'Disconnected', message };
}

export function notAllowed(run: RunAtWork): SliceOutcome {
  const message = `The application "${run.application}" may no longer use the connection "${run.connectionName}". What it imported before stays.`;
  return { kind: 'stopped', failure: 'ApplicationNotAllowed', message };
}
