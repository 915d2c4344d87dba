import type { FoundRun } from '../client/found-run.ts';
import type { RunningWorkflow } from '../client/running.ts';
import { noTotals, readThrough } from '../model/run.ts';
import type { RecentRun } from '../storage/recent-runs.ts';
import { type AskedFor, askedFor, askedInWords } from './asked-words.ts';
import { closingRemedy, forgottenInWords, pauseInTemporal, troubleInWords, waitInWords } from './run-words.ts';
import { isUntaken, type RefusedImport } from './starting.ts';

/** What is printed of one import, for people and for programs. */
export interface Line {
  at: Date;
  /** The columns behind the instant at which it was started. */
  cells: (string | number)[];
  json: object;
}

export const heads = [
  'started (UTC)',
  'workflow',
  'status',
  'stored',
  'in quarantine',
  'calls',
  'through',
  'asked for',
  'how it stands',
];

/** A workflow that has no row yet, with what it was asked for. */
export type Start = RunningWorkflow & { request: unknown };

/** The ids of connections, by their names. */
export type ConnectionIds = ReadonlyMap<string, string>;

export function runLine(run: RecentRun, found: FoundRun | undefined): Line {
  const { workflowId, status, totals, request } = run;
  const through = readThrough(run.stream, run.nextOffset) ?? '';
  const { stored, quarantined, calls } = totals;
  const cells = [workflowId, status, stored, quarantined, calls, through, askedInWords(request), standing(run, found)];
  return { at: run.startedAt, cells, json: inJson(run, found) };
}

export function startLine(run: Start, found: FoundRun | undefined, ids: ConnectionIds): Line {
  const { workflowId, runId, workflowType, startedAt, untakenSince, request } = run;
  const cells = [workflowId, startStatus(run), '', '', '', '', askedInWords(request), startInWords(run, found)];
  const at = { startedAt, endedAt: null, untakenSince };
  const asked = withId(askedFor(workflowType, request), ids);
  const json = { workflowId, runId, status: startStatus(run), totals: noTotals, ...asked, ...at, ...inTemporal(found) };
  return { at: startedAt, cells, json };
}

export function refusedLine(refused: RefusedImport, ids: ConnectionIds): Line {
  const { workflowId, runId, workflowType, startedAt, endedAt, failure, message, request } = refused;
  const run = { workflowId, runId, startedAt, endedAt, failure, message };
  const asked = withId(askedFor(workflowType, request), ids);
  return {
    at: startedAt,
    cells: [workflowId, 'failed', '', '', '', '', askedInWords(request), message.replaceAll('\n', ' ')],
    json: { ...run, ...asked, status: 'failed', totals: noTotals, trouble: null },
  };
}

/** Null where there is no such connection, or none any more. */
function withId(asked: AskedFor, ids: ConnectionIds) {
  return { connectionId: ids.get(asked.connectionName ?? '') ?? null, ...asked };
}

function startStatus({ isAsleep }: RunningWorkflow) {
  return isAsleep ? 'forgotten' : 'starting';
}

function startInWords(run: RunningWorkflow, found: FoundRun | undefined): string {
  const paused = pauseInTemporal(run, found);
  if (paused !== null) return paused;
  if (run.isAsleep) return forgottenInWords(run.workflowId);
  if (run.beginsAt.getTime() > Date.now()) return `begins at ${run.beginsAt.toISOString()}`;
  if (found?.trouble) return troubleInWords(found.trouble);
  return isUntaken(run, Date.now()) ? 'no worker has taken it yet: see `daybook doctor`' : '';
}

/** The place among invoices means nothing for journals. */
function inJson({ invoicePlace, ...run }: RecentRun, found: FoundRun | undefined) {
  return { ...run, ...(run.stream === 'invoices' ? { invoicePlace } : {}), ...inTemporal(found) };
}

function inTemporal(found: FoundRun | undefined): Pick<FoundRun, 'trouble'> & { pausedInTemporal: boolean } {
  return { trouble: found?.trouble ?? null, pausedInTemporal: found?.isPaused ?? false };
}

function standing(run: RecentRun, found: FoundRun | undefined): string {
  if (run.endedAt !== null) return run.message ?? '';
  if (found?.isOpen === false) return `ended in Temporal from outside; ${closingRemedy(run)}`;
  const waits = pauseInTemporal(run, found) ?? waitInWords(run);
  if (waits !== null) return waits;
  if (found?.trouble) return troubleInWords(found.trouble);
  return run.status === 'stopping' ? 'ends after its page in flight' : '';
}
