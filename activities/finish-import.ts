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
    const totals = (await runAtWork(pool, runId))?.totals ?? noTotals;
    const said = status === 'caughtUp' && totals.quarantined > 0 ? beside(message, totals.quarantined) : message;
    const told = [said, ...troubles].join('\n');
    await endRun(pool, runId, status, told);
    return { ...totals, message: told };
  };
}

/** What is in quarantine is not imported, though nothing is left to read. */
function beside(message: string, quarantined: number): string {
  return `${message.replace(/\.$/, '')}, ${quarantined} in quarantine (table daybook.quarantine).`;
}
