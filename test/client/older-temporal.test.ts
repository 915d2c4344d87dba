import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { findRun } from '../../client/found-run.ts';
import { runningOn } from '../../client/running.ts';
import { historiesOf, untilProgress } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 1_000, limits: { day: 4 } }, sliceMs: 0 });
});
afterAll(() => stand.close());

test('a Temporal that does not tell the first run of a workflow does not make its imports look abandoned', async () => {
  const { temporal, taskQueue, connection } = stand;
  const older = new Client({
    connection: temporal.client.connection,
    namespace: temporal.namespace,
    interceptors: {
      workflow: [
        {
          async describe(input, next) {
            const { workflowExecutionInfo, ...told } = await next(input);
            return { ...told, workflowExecutionInfo: { ...workflowExecutionInfo, firstRunId: '' } };
          },
        },
      ],
    },
  });
  const run = await stand.imports.startJournals({ connection, application });
  await untilProgress(stand, run.workflowId, ({ status }) => status === 'waiting');
  expect(await historiesOf(stand, run.workflowId, run.runId)).toHaveLength(2);

  expect(await findRun(older, run)).toEqual({ isOpen: true, isPaused: false, trouble: null });
  expect(await findRun(older, { ...run, runId: randomUUID() })).toMatchObject({ isOpen: false });
  // What a list shows lags by a moment.
  await vi.waitFor(async () => expect(await runningOn(older, taskQueue)).toMatchObject([run]), { timeout: 10_000 });
  await temporal.client.workflow.getHandle(run.workflowId).terminate();
  expect(await findRun(older, run)).toMatchObject({ isOpen: false });
});
