import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { checkReconcile, type ReconcileRequest, type ReconcileResult } from '../model/reconciliation.ts';
import { waitingFor } from '../workflows/messages.ts';
import type { reconcileLedger } from '../workflows/reconcile-ledger.ts';
import { workerAnswersWithinMs } from './deadlines.ts';
import { type EndingOf, endingOf } from './ending.ts';
import { createWhyUnanswered } from './found-run.ts';
import type { StartedWorkflow } from './imports.ts';
import { RequestRefused } from './refused.ts';

/** The workflow type of a reconciliation. */
export const reconciliationType = 'reconcileLedger';

/** Compares stored ledgers with Xero's trial balance, from outside. */
export function createReconciliations(client: Client, taskQueue: string) {
  const handle = (workflowId: string): WorkflowHandle<typeof reconcileLedger> => client.workflow.getHandle(workflowId);

  return {
    /**
     * Starts a reconciliation.
     * @throws RequestRefused with every problem; nothing is started then.
     */
    async start(input: unknown): Promise<StartedWorkflow> {
      const checked = checkReconcile(input, Date.now());
      if (!checked.ok) throw new RequestRefused(checked.problems);
      const workflowId = reconciliationIdFor(checked.request);
      try {
        const started = await client.workflow.start<typeof reconcileLedger>(reconciliationType, {
          taskQueue,
          workflowId,
          workflowIdConflictPolicy: 'FAIL',
          args: [checked.request],
          staticSummary: reconciliationSummary(checked.request),
        });
        return { workflowId, runId: started.firstExecutionRunId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        throw new RequestRefused([`This is being reconciled already, by workflow "${workflowId}".`]);
      }
    },

    /** What it waits for, in words; null while it is at work. Its worker answers, so without one this fails, in seconds. */
    waitingFor: (workflowId: string): Promise<string | null> =>
      client.withDeadline(Date.now() + workerAnswersWithinMs, () => handle(workflowId).query(waitingFor)),

    ...createWhyUnanswered(client),

    /** Waits for the end; one that failed is a value too. */
    ending: (workflowId: string): Promise<EndingOf<ReconcileResult>> => endingOf(handle(workflowId)),
  };
}

export type Reconciliations = ReturnType<typeof createReconciliations>;

/** Its particulars follow a dot, which no connection's name has. */
export function reconciliationIdFor({ connection, date, basis }: ReconcileRequest): string {
  return [`reconcile-${connection}`, basis === 'cash' ? 'cash' : '', date ?? ''].filter(Boolean).join('.');
}

/** For people, in the Temporal UI. */
export function reconciliationSummary({ connection, application }: ReconcileRequest): string {
  return `Ledger of ${connection} against Xero’s trial balance, for ${application}`;
}
