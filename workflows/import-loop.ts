import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  rootCause,
  setHandler,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Marked } from '../activities/mark-run.ts';
import type { ImportKind, ImportRequest } from '../model/request.ts';
import {
  type EndStatus,
  type ImportResult,
  noTotals,
  type OpenRun,
  type Progress,
  type WaitReason,
} from '../model/run.ts';
import { streamOf } from '../model/streams.ts';
import { limitInWords } from '../model/waiting.ts';
import { type Bookkeeping, createBookkeeping } from './bookkeeping.ts';
import { asCancellation } from './cancellation.ts';
import { handedOver } from './handed-over.ts';
import { Controls, progress } from './messages.ts';
import { readSlice } from './read-slice.ts';
import { wasStartedBySchedule } from './schedules.ts';
import { endOf, reconnectCheckMs, Standing } from './standing.ts';

/** A slice of pages adds some six events to the history; with this many a replay takes well under a second. */
const slicesPerHistory = 250;

/**
 * A longer wait than this for one of Xero's limits begins on a fresh history, which is all that has to be replayed when it is over;
 * a wait for a new consent stays on the one there is.
 */
const longSleepMs = 60_000;

/** What one workflow run hands to the next: names and counters. No rows, tokens or secrets ever enter history. */
export interface Carried {
  run: OpenRun;
  progress: Progress;
}

/**
 * The course of every import: begin, pages and waits until the end, the outcome. Ends when Xero has no more of what is
 * wanted, when the last one wanted is stored, or when it is cancelled.
 *
 * @throws ApplicationFailure whose type is a `FailureName` and whose message says what happened and what to do.
 */
export async function runImport(
  kind: ImportKind,
  request: ImportRequest,
  secondInput?: Carried,
): Promise<ImportResult> {
  const carried = handedOver(secondInput);
  const standing = new Standing(carried?.progress ?? {});
  const controls = new Controls();
  setHandler(progress, () => standing.progress, { description: 'Where the import stands, also during a wait.' });

  const bookkeeping = createBookkeeping();
  const begun = carried?.run ?? (await begin(bookkeeping, kind, request));
  if ('skipped' in begun) return begun.skipped;
  standing.change({ run: begun });
  const underWay = { request, run: begun, bookkeeping, standing, controls };

  let outcome: 'caughtUp' | 'cancelled' | 'renewHistory';
  try {
    outcome = await importToTheEnd(underWay, carried === undefined);
  } catch (thrown) {
    // A bug, or a history that the code would not write, fails this step only: the workflow lives on for a worker that is mended.
    if (!(thrown instanceof TemporalFailure)) throw thrown;
    const failure = asCancellation(thrown);
    await (isCancellation(failure) ? finish(underWay, 'cancelled') : finish(underWay, 'failed', messageOf(failure)));
    throw failure;
  }
  if (outcome === 'renewHistory') {
    return continueAsNew<Import>(request, { run: begun, progress: standing.progress });
  }
  return finish(underWay, outcome);
}

/** Each import is a workflow of its own type, which goes on under the same type when its history is renewed. */
type Import = (request: ImportRequest, carried?: Carried) => Promise<ImportResult>;

interface UnderWay {
  request: ImportRequest;
  run: OpenRun;
  bookkeeping: Bookkeeping;
  standing: Standing;
  controls: Controls;
}

async function begin(
  bookkeeping: Bookkeeping,
  kind: ImportKind,
  request: ImportRequest,
): Promise<OpenRun | { skipped: ImportResult }> {
  const { firstExecutionRunId: runId, workflowId, cronSchedule } = workflowInfo();
  // Begun whole even when it is cancelled meanwhile: a row that was opened must get its outcome.
  const begun = await CancellationScope.nonCancellable(() =>
    bookkeeping.beginImport({ kind, request, runId, workflowId, cronSchedule }),
  );
  if (begun.kind === 'begun') return begun.run;
  if (begun.failure === 'ImportAlreadyRunning' && wasStartedBySchedule()) {
    return {
      skipped: {
        outcome: 'skipped',
        message: begun.message,
        runId,
        stream: streamOf(kind, request),
        readThrough: null,
        totals: noTotals,
      },
    };
  }
  throw ApplicationFailure.nonRetryable(begun.message, begun.failure);
}

async function importToTheEnd(underWay: UnderWay, isNew: boolean): Promise<'caughtUp' | 'cancelled' | 'renewHistory'> {
  const { standing, controls } = underWay;
  let goesFirst = isNew;
  let longSleepAhead = false;
  for (let slices = 0; ; slices++) {
    // Asked before the history is renewed: what was said while pages were in flight is not carried over.
    if (controls.paused) await restUntilResumed(underWay);
    if (controls.cancelled) return 'cancelled';
    if (longSleepAhead || slices >= slicesPerHistory || workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return 'renewHistory';
    }

    controls.forgetEarlierWakes();
    const slice = await readSlice({ ...underWay, runId: underWay.run.runId }, goesFirst);
    if (slice === null) continue;
    // Otherwise it sleeps, or ends. In a fresh history it hears once more how long it must, at its usual place.
    goesFirst = slice.kind !== 'imported';
    if (slice.kind === 'stopped') throw ApplicationFailure.nonRetryable(slice.message, slice.failure);
    standing.change({ readThrough: slice.readThrough, dayRemaining: slice.dayRemaining, totals: slice.totals });

    switch (slice.kind) {
      case 'imported':
        break;
      case 'throttled': {
        const until = endOf(slice);
        longSleepAhead = slices > 0 && until - Date.now() > longSleepMs;
        if (longSleepAhead) break;
        const waiting = { status: 'waiting', waitingFor: slice.reason } as const;
        await waitUntil(until, limitInWords[slice.reason], waiting, underWay);
        break;
      }
      case 'needsReconnect':
        await waitUntil(Date.now() + reconnectCheckMs, slice.message, { status: 'needsReconnect' }, underWay);
        break;
      case 'caughtUp':
        return 'caughtUp';
    }
  }
}

type Waiting = { status: 'waiting'; waitingFor: WaitReason } | { status: 'needsReconnect' };

async function waitUntil(until: number, reason: string, waiting: Waiting, underWay: UnderWay): Promise<void> {
  const { run, bookkeeping, standing, controls } = underWay;
  const instant = new Date(until).toISOString();
  standing.change({ status: waiting.status, waitingFor: reason, waitingUntil: instant });
  const mark = { runId: run.runId, ...waiting, waitingUntil: instant };
  const marked: Marked | null | undefined = await bookkeeping.markRun(mark);
  // Histories from before it said so have no answer here.
  if (!marked?.isOver) await controls.sleepUntil(until, `${reason}; goes on at ${instant}`);
  standing.change({ status: 'running' });
}

async function restUntilResumed({ run, bookkeeping, standing, controls }: UnderWay): Promise<void> {
  standing.change({ status: 'paused', waitingFor: 'somebody to resume it' });
  await bookkeeping.markRun({ runId: run.runId, status: 'paused', waitingUntil: null });
  await controls.untilResumed();
  standing.change({ status: 'running' });
}

async function finish(underWay: UnderWay, outcome: 'caughtUp' | 'cancelled'): Promise<ImportResult>;
async function finish(underWay: UnderWay, outcome: 'failed', message: string): Promise<unknown>;
async function finish(
  { request, run, bookkeeping, standing }: UnderWay,
  outcome: EndStatus,
  why?: string,
): Promise<unknown> {
  const message =
    why ?? (outcome === 'caughtUp' ? `Imported ${run.wanted} of ${run.organisation}.` : cancelled(request));
  // Also a cancelled run must free its lease and get its outcome.
  const { message: told = message, ...totals } = await CancellationScope.nonCancellable(() =>
    bookkeeping.finishImport({ runId: run.runId, status: outcome, message }),
  );
  standing.change({ status: outcome, totals });
  const { runId, stream } = run;
  return { outcome, message: told, runId, stream, readThrough: standing.progress.readThrough, totals };
}

/** Only a run of all that is new leaves a mark of how far it came. */
function cancelled({ startingAtJournalId, endingAtJournalId, modifiedSince, full }: ImportRequest): string {
  const beginsAgain =
    full || [startingAtJournalId, endingAtJournalId, modifiedSince].some((each) => each !== undefined);
  const next = beginsAgain ? 'the same request begins again from its start' : 'a new run goes on from there';
  return `Cancelled. What was imported stays; ${next}.`;
}

function messageOf(failure: unknown): string {
  return rootCause(failure) ?? String(failure);
}
