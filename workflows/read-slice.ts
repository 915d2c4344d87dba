import {
  ActivityFailure,
  type ActivityOptions,
  CancellationScope,
  patched,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { SliceOutcome } from '../model/run.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { Controls } from './messages.ts';

// It reads pages for a few seconds at a time and waits out short limits itself, so it beats: a dead worker is noticed soon.
// Cancelling waits for the page in flight, lest the next import find it still being written (the default would not wait).
const inTurn: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '10 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  // Each slice takes its turn in the queue. Given back to the worker at once, as Temporal does to save a round, those who
  // read already would go on to their end while the others wait.
  allowEagerDispatch: false,
  retry: { initialInterval: '1 second', maximumInterval: '20 seconds' },
};
const { importPages } = proxyActivities<Activities>(inTurn);

/**
 * The first turn of an import, and of one that has slept, goes ahead of the later turns of all others, so that those who are
 * due at once all begin before any goes on (docs/decisions/0035-first-turns-first.md).
 * https://docs.temporal.io/develop/task-queue-priority-fairness
 */
function importFirstPages(request: { runId: string }): Promise<SliceOutcome> {
  // Zero says none, where only a fairness key was given.
  const own = workflowInfo().priority?.priorityKey || usualPriority;
  const ahead = { ...inTurn, priority: { priorityKey: Math.max(1, own - 1) } };
  return proxyActivities<Activities>(ahead).importPages(request);
}

/** What Temporal gives a workflow that was started without one; 1 goes first. */
const usualPriority = 3;

/** So long at most the page in flight is waited for: longer than a page takes at Xero's slowest. */
const pageInFlightMs = 30_000;

/**
 * Pages for a few seconds; whoever speaks meanwhile, or cancels, is heard after the page in flight. Where there is none, as each
 * attempt fails and Temporal waits to try again, it is given up a little later, and null is answered.
 */
export async function readSlice(
  { runId, bookkeeping, controls }: { runId: string; bookkeeping: Bookkeeping; controls: Controls },
  goesFirst: boolean,
): Promise<SliceOutcome | null> {
  const scope = new CancellationScope();
  const reading = scope.run(() => (goesFirst ? importFirstPages({ runId }) : importPages({ runId })));
  await controls.untilSpoken(reading);
  const isCancelled = () => CancellationScope.current().consideredCancelled;
  const wantsRest = () => controls.wantsRest || isCancelled();
  if (!wantsRest()) return reading;
  await CancellationScope.nonCancellable(() => bookkeeping.markRun({ runId, status: 'stopping', waitingUntil: null }));
  let isGivenUp = false;
  // Histories from before it was given up wait for it (docs/decisions/0046-a-stop-while-all-fails.md).
  if (!isCancelled() && patched('stop-while-all-fails')) {
    await controls.settledWithin(reading, pageInFlightMs);
    // Who has resumed meanwhile wants its pages.
    isGivenUp = controls.wantsRest;
    if (isGivenUp) scope.cancel();
  }
  const slice = await reading.catch((failure: unknown) => {
    // Temporal does not try again what it was asked to end: then what failed last is what the activity ends with. It takes a while:
    // somebody may have resumed since.
    if (isGivenUp && !isCancelled() && failure instanceof ActivityFailure) return null;
    throw failure;
  });
  if (!wantsRest()) await bookkeeping.markRun({ runId, status: 'running', waitingUntil: null });
  return slice;
}
