import type { Client } from '@temporalio/client';
import { dayMs } from '../model/days.ts';
import { firstRunIdOf } from './found-run.ts';
import { connectionIn, requestSent } from './running.ts';

/** An import that failed in Temporal; one that was refused has no row in Postgres. */
export interface FailedImport {
  workflowId: string;
  workflowType: string;
  /** Of the first workflow run; also the id of the import run in Postgres, if there ever was one. */
  runId: string;
  startedAt: Date;
  endedAt: Date;
}

/** Why, and for whom. */
export interface FailureOfImport {
  /** A `FailureName`, if it was Daybook's. */
  failure: string;
  message: string;
  /** The connection it was asked for; null when its request named none. */
  connection: string | null;
  /** What it was asked for, as it was sent; null where that is no JSON. */
  request: unknown;
}

/** What is told of so long only. */
const withinMs = dayMs;
/** And of so many, newest first: a Schedule that is refused each minute must not crowd out the rest. */
const mostTold = 10;

/** Workflows of these types and of a task queue that failed within the last day. https://docs.temporal.io/list-filter */
export async function failedOn(
  client: Client,
  taskQueue: string,
  workflowTypes: readonly string[],
  now: number,
): Promise<FailedImport[]> {
  const types = workflowTypes.map((type) => JSON.stringify(type));
  const query = [
    `ExecutionStatus = "Failed" AND TaskQueue = ${JSON.stringify(taskQueue)}`,
    `WorkflowType IN (${types.join(', ')}) AND CloseTime > "${new Date(now - withinMs).toISOString()}"`,
  ].join(' AND ');
  const listed: { workflowId: string; runId: string }[] = [];
  for await (const each of client.workflow.list({ query, pageSize: mostTold })) {
    if (listed.push(each) === mostTold) break;
  }
  return Promise.all(
    listed.map(async ({ workflowId, runId }) => {
      const found = await client.workflow.getHandle(workflowId, runId).describe();
      const endedAt = found.closeTime ?? found.startTime;
      const at = { startedAt: found.startTime, endedAt };
      return { workflowId, workflowType: found.type, runId: await firstRunIdOf(client, found), ...at };
    }),
  );
}

/** Reads the history of one that has no row, which is short as it was refused at its first step. */
export async function failureOf(client: Client, { workflowId, runId }: FailedImport): Promise<FailureOfImport> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const failure = events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
  const request = requestSent(events?.[0]?.workflowExecutionStartedEventAttributes);
  return {
    failure: failure?.applicationFailureInfo?.type || 'Failed',
    message: failure?.message ?? '',
    connection: connectionIn(request),
    request,
  };
}
