import { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pauseInTemporal } from '../../cli/run-words.ts';
import { findRun, isRunOpen } from '../../client/found-run.ts';
import { createImports } from '../../client/imports.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

/** WORKFLOW_EXECUTION_STATUS_PAUSED of Temporal's API. */
const pausedStatus = 8;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterAll(() => stand.close());

// Temporal pauses workflows since 1.30, and where it is told to (frontend.WorkflowPauseEnabled): what it answers of one is said here by us.
test('an import that is paused in Temporal itself is open, and waits for no worker', async () => {
  const { temporal, taskQueue, connection } = stand;
  const client = new Client({
    connection: temporal.client.connection,
    namespace: temporal.namespace,
    interceptors: {
      workflow: [
        {
          async describe(input, next) {
            const { workflowExecutionInfo, ...told } = await next(input);
            return { ...told, workflowExecutionInfo: { ...workflowExecutionInfo, status: pausedStatus } };
          },
        },
      ],
    },
  });
  const run = await stand.imports.startJournals({ connection, application });
  try {
    // Else another import of the stream would end its row and take its place.
    expect(await isRunOpen(client, run)).toBe(true);
    const found = await findRun(client, run);
    expect(found).toEqual({ isOpen: true, isPaused: true, trouble: null });
    expect(pauseInTemporal(run, found)).toBe(
      `paused in Temporal, until \`temporal workflow unpause --workflow-id ${run.workflowId}\``,
    );
    const { running } = createImports(client, taskQueue);
    // What a list shows lags by a moment.
    await vi.waitFor(async () => expect(await running()).toMatchObject([{ ...run, untakenSince: null }]), 10_000);
  } finally {
    await temporal.client.workflow.getHandle(run.workflowId).terminate();
  }
});
