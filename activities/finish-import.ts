import { type EndStatus, noTotals, type Totals } from '../model/run.ts';
import { referenceTroubles } from '../storage/reference.ts';
import { endRun, runAtWork } from '../storage/runs.ts';
import type { Dependencies } from './index.ts';

export interface FinishInput {
  runId: string;
  status: EndStatus;
  message: string;
}

/** What a run counted, and how its row tells its end. Histories from before it answered that have no message. */
export interface Finished extends Totals {
  message?: string;
}

/** Gives a run its outcome, also on failure and cancellation, and frees its lease; with what was amiss with its reference data. */
export function createFinishImport({ pool }: Pick<Dependencies, 'pool'>) {
  return async function finishImport({ runId, status, message }: FinishInput): Promise<Finished> {
    const troubles = await referenceTroubles(pool, runId);
    const told = [message, ...troubles].join('\n');
    await endRun(pool, runId, status, told);
    const run = await runAtWork(pool, runId);
    return { ...(run?.totals ?? noTotals), message: told };
  };
}
