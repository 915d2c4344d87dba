import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { dayMs } from '../model/days.ts';
import type { ReconcileRequest, ReconcileResult } from '../model/reconciliation.ts';
import { limitInWords } from '../model/waiting.ts';
import { asCancellation } from './cancellation.ts';
import { handedOver } from './handed-over.ts';
import { Controls, waitingFor } from './messages.ts';
import { soonAgain } from './soon-again.ts';
import { endOf, reconnectCheckMs } from './standing.ts';

const { reconcile } = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: soonAgain,
});

/** A wait adds some eleven events to the history, and a lost consent is waited for ten minutes at a time. */
const waitsPerHistory = 100;

/** What one workflow run hands to the next. */
interface Carried {
  /** The day on which it was asked, YYYY-MM-DD in UTC. */
  today: string;
  daysSpent: number;
  reservedSince: number | null;
}

/**
 * Compares the stored ledger with Xero's own trial balance, account by account, and stores the certificate; waits out Xero's
 * limits on durable timers as imports do. That the two differ is a result, no failure.
 *
 * @throws ApplicationFailure whose type is a `FailureName` and whose message says what happened and what to do.
 */
export async function reconcileLedger(request: ReconcileRequest, secondInput?: Carried): Promise<ReconcileResult> {
  const carried = handedOver(secondInput);
  const { firstExecutionRunId: runId, workflowId, startTime, cronSchedule } = workflowInfo();
  const today = carried?.today ?? startTime.toISOString().slice(0, 10);
  const controls = new Controls();
  let daysSpent = carried?.daysSpent ?? 0;
  let reservedSince = carried?.reservedSince ?? null;
  let waiting: string | null = null;
  setHandler(waitingFor, () => waiting, {
    description: 'What the reconciliation waits for, in words; null while it is at work.',
  });
  const wait = async (reason: string, until: number) => {
    waiting = `${reason}; goes on at ${new Date(until).toISOString()}`;
    setCurrentDetails(waiting);
    await controls.sleepUntil(until, waiting);
  };

  for (let waits = 0; ; waits++) {
    waiting = controls.paused ? 'Somebody must resume it' : null;
    setCurrentDetails(waiting ?? 'The ledger is being compared.');
    if (controls.paused) await controls.untilResumed();
    if (controls.cancelled) return { outcome: 'cancelled', message: 'Cancelled.', runId, certificate: null };
    waiting = null;
    if (waits >= waitsPerHistory || workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof reconcileLedger>(request, { today, daysSpent, reservedSince });
    }
    controls.forgetEarlierWakes();
    // A day whose calls do not suffice for all that there is to ask may be followed by another.
    const isLastTry = daysSpent > 0 || (reservedSince !== null && Date.now() - reservedSince > dayMs);
    const input = { request, runId, workflowId, today, isLastTry, cronSchedule };
    const outcome = await unlessStopped(controls, () => reconcile(input));
    switch (outcome?.kind) {
      case 'reconciled':
        setCurrentDetails(outcome.result.message);
        return outcome.result;
      case 'stopped':
        throw ApplicationFailure.nonRetryable(outcome.message, outcome.failure);
      case 'throttled':
        if (outcome.reason === 'day') daysSpent++;
        if (outcome.reason === 'reserve') reservedSince ??= Date.now();
        await wait(limitInWords[outcome.reason], endOf(outcome));
        break;
      case 'needsReconnect':
        if (!outcome.isOver) await wait(outcome.message, Date.now() + reconnectCheckMs);
        break;
    }
  }
}

/**
 * Whoever pauses or cancels is heard at once, also while Xero is down and each try fails; null then. Nothing is stored before
 * the end, so it is done anew after a pause.
 */
async function unlessStopped<T>(controls: Controls, work: () => Promise<T>): Promise<T | null> {
  const scope = new CancellationScope();
  const working = scope.run(work);
  await controls.untilStoppedOrEnded(working);
  const isGivenUp = controls.wantsRest;
  if (isGivenUp) scope.cancel();
  try {
    return await working;
  } catch (failure) {
    // An attempt that fails after Temporal was asked to end it is not tried again: then its failure is what it ends with. It takes a
    // while: somebody may have resumed since.
    if (isGivenUp && failure instanceof ActivityFailure) return null;
    throw asCancellation(failure);
  }
}
