import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { testBundle } from './data-folder.ts';
import { type TestTemporal, uniqueName } from './temporal.ts';

// The workflows as they are; activities that fail at the instant that matters, which no server can be made to do so exactly.

const run = { runId: 'r', connection: 'c', organisation: 'o', application: 'a', stream: 'journals', wanted: 'all' };
export const totals = { pages: 0, stored: 0, admitted: 0, quarantined: 0, calls: 0 };

/** Starts a workflow on a worker with these activities; bookkeeping is written down as it would be in Postgres. */
export async function startAlone(
  temporal: TestTemporal,
  workflowType: string,
  activities: Record<string, () => Promise<unknown>>,
) {
  const taskQueue = uniqueName('stops');
  const marked: string[] = [];
  const ended: string[] = [];
  const bookkeeping = {
    beginImport: async () => ({ kind: 'begun', run: { ...run, startingAt: 1, endingAt: null } }),
    markRun: async ({ status }: { status: string }) => {
      marked.push(status);
      return { isOver: false };
    },
    finishImport: async ({ status }: { status: string }) => {
      ended.push(status);
      return totals;
    },
  };
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    activities: { ...bookkeeping, ...activities },
    workflowBundle: { codePath: await testBundle() },
    maxHeartbeatThrottleInterval: '3 seconds',
  });
  const ran = worker.run();
  const handle = await temporal.client.workflow.start(workflowType, {
    taskQueue,
    workflowId: uniqueName('stops'),
    args: [{}],
  });
  const status = async () => (await handle.describe()).status.name;
  return {
    handle,
    /** What the run's row was marked as, one after the other. */
    marked,
    ended,
    status,
    stop: async () => {
      if ((await status()) === 'RUNNING') await handle.terminate();
      worker.shutdown();
      await ran;
    },
  };
}

export type Handle = Awaited<ReturnType<typeof startAlone>>['handle'];

export const outage = (nextRetryDelay: number) =>
  ApplicationFailure.create({ type: 'XeroUnavailable', message: 'Xero had a fault of its own (503).', nextRetryDelay });

/** The event of a history in which a workflow gives an activity up. */
export const cancelRequested = expect.objectContaining({
  activityTaskCancelRequestedEventAttributes: expect.anything(),
});
