import { importedAlready, noCron } from '../model/refused-use.ts';
import { checkImport, type ImportKind, type ImportRequest } from '../model/request.ts';
import type { BeginOutcome, FailureName } from '../model/run.ts';
import { type Stream, streamOf } from '../model/streams.ts';
import { wanted } from '../model/wanted.ts';
import { endAbandoned, openRunsOf } from '../storage/abandoned-runs.ts';
import type { Connection } from '../storage/connections.ts';
import { openRun } from '../storage/runs.ts';
import type { Dependencies } from './index.ts';
import { mayUse } from './permission.ts';
import { startOf } from './starting-point.ts';

export interface BeginInput {
  kind: ImportKind;
  /** As it was sent, by whomever; checked here. */
  request: unknown;
  /** The first Temporal run id of the workflow: stays the same over continue-as-new, resets and retries. */
  runId: string;
  workflowId: string;
  /** With which the workflow was started, if it was. */
  cronSchedule?: string | undefined;
}

/**
 * Checks an import request against its schema and the registry, takes the lease on the stream for a run that moves the
 * watermark, and opens the run's row. Refusals are values that name every problem; nothing is opened then.
 */
export function createBeginImport({ pool, isRunning }: Pick<Dependencies, 'pool' | 'isRunning'>) {
  return async function beginImport({
    kind,
    request: input,
    runId,
    workflowId,
    cronSchedule,
  }: BeginInput): Promise<BeginOutcome> {
    if (cronSchedule) return refused('InvalidRequest', [noCron]);
    const checked = checkImport(kind, input);
    const permission = await mayUse(pool, input);
    if (!checked.ok) return refused('InvalidRequest', [...checked.problems, ...permission.problems]);
    if (!permission.connection) return refused(permission.failure, permission.problems);
    return open(streamOf(kind, checked.request), checked.request, permission.connection, runId, workflowId);
  };

  async function open(
    stream: Stream,
    request: ImportRequest,
    connection: Connection,
    runId: string,
    workflowId: string,
  ): Promise<BeginOutcome> {
    const { range, cursor, since, movesWatermark } = await startOf(pool, connection.tenantId, stream, request);
    const newRun = {
      runId,
      workflowId,
      connection,
      application: request.application,
      stream,
      request,
      range,
      modifiedSince: since === null ? null : new Date(since),
      movesWatermark,
      nextOffset: cursor,
    };
    for (const other of await openRunsOf(pool, connection.tenantId)) {
      if (other.runId !== runId && !(await isRunning(other))) await endAbandoned(pool, other);
    }
    const { opened, run } = await openRun(pool, newRun);
    if (!opened) {
      return refused('ImportAlreadyRunning', [importedAlready(stream, connection.name, run)]);
    }
    return {
      kind: 'begun',
      run: {
        runId,
        connection: connection.name,
        organisation: connection.tenantName,
        application: request.application,
        stream,
        wanted: wanted(stream, request, cursor),
        startingAt: range.startingAt,
        endingAt: range.endingAt,
      },
    };
  }
}

function refused(failure: FailureName, problems: string[]): BeginOutcome {
  return { kind: 'refused', failure, message: problems.join('\n') };
}
