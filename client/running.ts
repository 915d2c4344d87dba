import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { temporalListsWithinMs } from './deadlines.ts';
import { described, firstRunIdOf, howStarted, isAsleep, isOpen, mostAsked, untakenSince } from './found-run.ts';

/** A workflow that is open in Temporal; Postgres knows nothing of it before its first step. */
export interface RunningWorkflow {
  workflowId: string;
  /** Of the first workflow run; also the id of the import run in Postgres, once there is one. */
  runId: string;
  workflowType: string;
  startedAt: Date;
  /** Later than its start where that was delayed. */
  beginsAt: Date;
  /** Since when its next step has waited for a worker; null while none waits. */
  untakenSince: Date | null;
  /** It has begun and waits; Postgres knows such an import, unless it was restored to before it began. */
  isAsleep: boolean;
}

/**
 * Workflows that are open on a task queue. Temporal's visibility lags by a moment, so one that has just begun may be missing.
 * https://docs.temporal.io/list-filter
 */
export function runningOn(client: Client, taskQueue: string): Promise<RunningWorkflow[]> {
  return client.withDeadline(Date.now() + temporalListsWithinMs, () => listed(client, taskQueue));
}

async function listed(client: Client, taskQueue: string): Promise<RunningWorkflow[]> {
  // By its status one that is paused would be missing, and a Temporal from before 1.30 refuses a query that names that status.
  const query = `CloseTime IS NULL AND TaskQueue = ${JSON.stringify(taskQueue)}`;
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query, pageSize: mostAsked })) {
    if (ids.push(workflowId) === mostAsked) break;
  }
  const found = await Promise.all(ids.map((workflowId) => described(client, workflowId)));
  return Promise.all(found.flatMap((each) => (each && isOpen(each) ? running(client, each) : [])));
}

async function running(client: Client, found: WorkflowExecutionDescription): Promise<RunningWorkflow> {
  return {
    workflowId: found.workflowId,
    runId: await firstRunIdOf(client, found),
    workflowType: found.type,
    startedAt: found.startTime,
    beginsAt: found.executionTime ?? found.startTime,
    untakenSince: untakenSince(found),
    isAsleep: isAsleep(found),
  };
}

/** What a workflow was asked for, as it was sent; null where that is no JSON. */
export async function requestOf(client: Client, workflowId: string): Promise<unknown> {
  return requestSent(await howStarted(client, { workflowId }));
}

/** The same, from how it was started. */
export function requestSent(started: Awaited<ReturnType<typeof howStarted>>): unknown {
  const sent = started?.input?.payloads?.[0]?.data;
  return sent ? parsed(sent) : null;
}

/** Null where it is no JSON: whoever starts a workflow may send it anything. */
function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    return null;
  }
}

/** The connection that a request names, whoever wrote it; null when it names none. */
export function connectionIn(request: unknown): string | null {
  const { connection } = (request ?? {}) as { connection?: unknown };
  return typeof connection === 'string' ? connection : null;
}
