import type { Queryable } from './pool.ts';
import { endRun, type RunIds } from './runs.ts';

// A workflow that is terminated in Temporal cannot end its run, which would hold its lease, and its part of the organisation's
// calls, for ever. Only Temporal knows that it is gone, so whoever ends the run asks there first.

const open = `select run_id as "runId", workflow_id as "workflowId" from daybook.import_run where ended_at is null`;

/** An organisation's runs that have not ended, as far as Postgres knows, whichever stream they read. */
export async function openRunsOf(db: Queryable, tenantId: string): Promise<RunIds[]> {
  return (await db.query<RunIds>(`${open} and tenant_id = $1`, [tenantId])).rows;
}

/** The same of a workflow id; there are several where the id was used again. */
export async function openRunsUnder(db: Queryable, workflowId: string): Promise<RunIds[]> {
  return (await db.query<RunIds>(`${open} and workflow_id = $1`, [workflowId])).rows;
}

/** Ends a run whose workflow runs no more. */
export function endAbandoned(db: Queryable, { runId, workflowId }: RunIds): Promise<void> {
  const message = `Its workflow "${workflowId}" was ended from outside without a word to this run.`;
  return endRun(db, runId, 'cancelled', message);
}
