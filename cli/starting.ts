import type pg from 'pg';
import type { FailedImport, FailureOfImport } from '../client/failed.ts';
import { type Imports, workflowTypes } from '../client/imports.ts';
import type { RunningWorkflow } from '../client/running.ts';
import { knownRuns } from '../storage/runs.ts';

/** Of what runs in Temporal, the imports that have no row yet: nobody has taken their first step. */
export async function starting(pool: pg.Pool, running: readonly RunningWorkflow[]): Promise<RunningWorkflow[]> {
  const types: string[] = Object.values(workflowTypes);
  const imports = running.filter(({ workflowType }) => types.includes(workflowType));
  const known = await knownRuns(
    pool,
    imports.map(({ runId }) => runId),
  );
  return imports.filter(({ runId }) => !known.has(runId));
}

export type RefusedImport = FailedImport & FailureOfImport;

/** Imports that were refused within the last day, as by another that had the stream: they never got a row. */
export async function refusedImports(pool: pg.Pool, imports: Imports): Promise<RefusedImport[]> {
  const failed = await imports.failed(Date.now());
  const known = await knownRuns(
    pool,
    failed.map(({ runId }) => runId),
  );
  const refused = failed.filter(({ runId }) => !known.has(runId));
  return Promise.all(refused.map(async (each) => ({ ...each, ...(await imports.failureOf(each)) })));
}

/** A step that waits so long is not only next in turn. */
const untakenMs = 30_000;

/** A worker should have taken its next step long since. */
export function isUntaken({ untakenSince }: Pick<RunningWorkflow, 'untakenSince'>, now: number): boolean {
  return untakenSince !== null && now - untakenSince.getTime() > untakenMs;
}
