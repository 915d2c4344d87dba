import { isCancellation, patched, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { soonAgain } from './soon-again.ts';

/** What is done to a run's row in Postgres: it is opened, marked, and given its outcome. */
export type Bookkeeping = Pick<Activities, 'beginImport' | 'markRun' | 'finishImport'>;

const ordinary = proxyActivities<Bookkeeping>({
  startToCloseTimeout: '1 minute',
  retry: soonAgain,
});

// Well within a workflow task's ten seconds, and tried once: waiting is for the ordinary ones.
const local = proxyLocalActivities<Bookkeeping>({ startToCloseTimeout: '5 seconds', retry: { maximumAttempts: 1 } });

/**
 * Each of these takes Postgres some milliseconds, so it is done within the workflow task, as a local activity: a short import
 * then has one activity and two workflow tasks instead of three and four. While Postgres is away it is an ordinary activity, which is shown as
 * pending, is tried until it succeeds, and adds nothing to the history meanwhile.
 *
 * To be called once, when a workflow begins: a history that was begun before has ordinary activities to its end
 * (docs/decisions/0028-local-bookkeeping.md).
 */
export function createBookkeeping(): Bookkeeping {
  if (!patched('local-bookkeeping')) return ordinary;
  return {
    beginImport: (input) => hereOr(ordinary.beginImport, local.beginImport, input),
    markRun: (input) => hereOr(ordinary.markRun, local.markRun, input),
    finishImport: (input) => hereOr(ordinary.finishImport, local.finishImport, input),
  };
}

type Act<Input, Output> = (input: Input) => Promise<Output>;

async function hereOr<Input, Output>(patient: Act<Input, Output>, here: Act<Input, Output>, input: Input) {
  try {
    return await here(input);
  } catch (failure) {
    if (isCancellation(failure)) throw failure;
    return patient(input);
  }
}
