import type pg from 'pg';
import { workflowTypes } from '../client/imports.ts';
import type { RunningWorkflow } from '../client/running.ts';
import { shellWord } from '../model/shell-word.ts';
import { streams } from '../model/streams.ts';
import { knownRuns, type RunSummary } from '../storage/runs.ts';
import { limitInWords } from '../workflows/standing.ts';

/** What a run that has not ended waits for, for people; null when it waits for nothing that is known. */
export function waitInWords({
  status,
  workflowId,
  waitingUntil,
  blockedBy,
  ...run
}: Pick<RunSummary, 'status' | 'workflowId' | 'waitingUntil' | 'blockedBy' | 'connectionName' | 'application'>):
  | string
  | null {
  if (status === 'needsReconnect') return `waits for a new consent: \`${connectCommand(run)}\``;
  if (status === 'paused') return `paused, until \`daybook resume ${workflowId}\``;
  if (waitingUntil === null) return null;
  return `goes on at ${waitingUntil.toISOString()}${blockedBy === null ? '' : `: ${limitInWords[blockedBy]}`}`;
}

/** The command that gets the consent which a run waits for. */
export function connectCommand({ connectionName, application }: Pick<RunSummary, 'connectionName' | 'application'>) {
  return `daybook connect --name ${connectionName} --application ${shellWord(application)}`;
}

/** What to do about a run whose workflow was ended from outside, and which is still open in Postgres. */
export function closingRemedy({ stream, connectionName, application }: RunSummary): string {
  const command = `daybook import ${streams[stream].kind} --connection ${connectionName} --application ${shellWord(application)}`;
  return `the next import of its organisation closes its row, such as \`${command}\``;
}

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

/** A step that waits so long is not only next in turn. */
const untakenMs = 30_000;

/** A worker should have taken its next step long since. */
export function isUntaken({ untakenSince }: Pick<RunningWorkflow, 'untakenSince'>, now: number): boolean {
  return untakenSince !== null && now - untakenSince.getTime() > untakenMs;
}
