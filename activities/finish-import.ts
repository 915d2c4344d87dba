import { type EndStatus, noTotals, type Totals } from '../model/run.ts';
import { referenceTroubles } from '../storage/reference.ts';
import { endRun, runAtWork } from '../storage/runs.ts';
import type { Dependencies } from './index.ts';

export interface FinishInput {
  runId: string;
  status: EndStatus;
  message: string;
}

/** Gives a run its outcome, also on failure and cancellation, and frees its lease. Answers what it counted. */
export function createFinishImport({ pool }: Pick<Dependencies, 'pool'>) {
  return async function finishImport({ runId, status, message }: FinishInput): Promise<Totals> {
    const troubles = await referenceTroubles(pool, runId);
    await endRun(pool, runId, status, [message, ...troubles].join('\n'));
    const run = await runAtWork(pool, runId);
    return run?.totals ?? noTotals;
  };
}
