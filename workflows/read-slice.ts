import {
  ActivityFailure,
  type ActivityOptions,
  CancellationScope,
  condition,
  patched,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { SliceOutcome } from '../model/run.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { Controls } from './messages.ts';
import { soonAgain } from './soon-again.ts';

// It reads pages for a few seconds at a time and waits out short limits itself, so it beats: a dead worker is noticed soon.
// Cancelling waits for the page in flight, lest the next import find it still being written (the default would not wait).
const inTurn: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '10 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  // Each slice takes its turn in the queue. Given back to the worker at once, as Temporal does to save a round, those who
  // read already would go on to their end while the others wait.
  allowEagerDispatch: false,
  retry: soonAgain,
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

interface Asked {
  runId: string;
  bookkeeping: Bookkeeping;
  controls: Controls;
}

/**
 * Pages for a few seconds; whoever speaks meanwhile, or cancels, is heard after the page in flight. Where there is none, as each
 * attempt fails and Temporal waits to try again, it is given up a little later, and null is answered.
 */
export async function readSlice(
  { runId, bookkeeping, controls }: Asked,
  goesFirst: boolean,
): Promise<SliceOutcome | null> {
  const scope = new CancellationScope();
  const reading = scope.run(() => (goesFirst ? importFirstPages({ runId }) : importPages({ runId })));
  const mark = (status: 'running' | 'stopping') => bookkeeping.markRun({ runId, status, waitingUntil: null });
  const slice = { scope, reading, mark, controls };

  await controls.untilStoppedOrEnded(reading);
  while (wantsRest(controls)) {
    await CancellationScope.nonCancellable(() => mark('stopping'));
    // Then Temporal has cancelled the activity, too.
    if (isCancelled()) return reading;
    if (!patched('second-stop')) return stopOnce(slice);
    await pageInFlight(reading, () => !controls.wantsRest);
    if (wantsRest(controls)) return giveUp(slice);
    // Who has resumed meanwhile wants its pages, and may stop it once more.
    await CancellationScope.nonCancellable(() => mark('running'));
    await controls.untilStoppedOrEnded(reading);
  }
  return reading;
}

interface Slice {
  scope: CancellationScope;
  reading: Promise<SliceOutcome>;
  mark: (status: 'running' | 'stopping') => Promise<unknown>;
  controls: Controls;
}

const isCancelled = () => CancellationScope.current().consideredCancelled;
const wantsRest = (controls: Controls) => controls.wantsRest || isCancelled();

/** Waits for the page in flight, half a minute at most: until `reading` has ended, however, or `isCalledOff`, or the workflow is cancelled. */
async function pageInFlight(reading: Promise<unknown>, isCalledOff = () => false): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  reading.then(end, end);
  await condition(() => ended || isCalledOff(), pageInFlightMs, { summary: 'for the page in flight' }).catch(() => {});
}

/** Ends what has not ended by itself; null where it has no pages to tell of. */
async function giveUp({ scope, reading, mark, controls }: Slice): Promise<SliceOutcome | null> {
  scope.cancel();
  const outcome = await reading.catch((failure: unknown) => {
    // Temporal does not try again what it was asked to end: then what failed last is what the activity ends with.
    if (!isCancelled() && failure instanceof ActivityFailure) return null;
    throw failure;
  });
  // It takes a while: somebody may have resumed since.
  if (!wantsRest(controls)) await mark('running');
  return outcome;
}

/**
 * How histories go on that were told to stop before a second stop was heard (docs/decisions/0056-a-second-stop.md), and those from before
 * an attempt was given up (docs/decisions/0046-a-stop-while-all-fails.md).
 */
async function stopOnce(slice: Slice): Promise<SliceOutcome | null> {
  if (patched('stop-while-all-fails')) {
    await pageInFlight(slice.reading);
    if (slice.controls.wantsRest) return giveUp(slice);
  }
  const outcome = await slice.reading;
  if (!wantsRest(slice.controls)) await slice.mark('running');
  return outcome;
}
