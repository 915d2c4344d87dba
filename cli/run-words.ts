import type { FoundRun, Trouble } from '../client/found-run.ts';
import { shellWord } from '../model/shell-word.ts';
import { becauseOf } from '../model/waiting.ts';
import type { RunSummary } from '../storage/runs.ts';
import { counted } from './counted.ts';

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
  return `goes on at ${waitingUntil.toISOString()}${becauseOf(blockedBy)}`;
}

/** The command that gets the consent which a run waits for. */
export function connectCommand({ connectionName, application }: Pick<RunSummary, 'connectionName' | 'application'>) {
  return `daybook connect --name ${connectionName} --application ${shellWord(application)}`;
}

/** What to do about a run whose workflow was ended from outside, and which is still open in Postgres. */
export function closingRemedy({ workflowId }: Pick<RunSummary, 'workflowId'>): string {
  return `\`daybook cancel ${shellWord(workflowId)}\` closes its row`;
}

/** That a run is held in Temporal itself, with what ends it; null when it is not. `daybook resume` would change nothing. */
export function pauseInTemporal(
  { workflowId }: Pick<RunSummary, 'workflowId'>,
  found: Pick<FoundRun, 'isPaused'> | undefined,
): string | null {
  if (!found?.isPaused) return null;
  return `paused in Temporal, until \`temporal workflow unpause --workflow-id ${shellWord(workflowId)}\``;
}

/** What has become of an import that has begun and that Postgres does not know, and what to do. */
export function forgottenInWords(workflowId: string): string {
  return `Postgres does not know it any more, as after restoring a backup from before it began; it fails when it wakes. \`daybook cancel ${shellWord(workflowId)}\` ends it, then start it again`;
}

/** What an import is held up by. */
export function troubleInWords({ failures, message }: Trouble): string {
  return `failed ${counted(failures, 'times')} in a row, tried again: ${message}`;
}
