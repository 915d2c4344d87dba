import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSilence } from '../../cli/follow.ts';
import { daybook } from '../support/daybook.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

describe('A workflow of a type that Daybook does not have, begun by a version that has', () => {
  let stand: Stand;
  let worker: TestProcess;
  const workflowId = uniqueName('newer');
  beforeAll(async () => {
    stand = await startStand({ worker: false });
    const { temporal, taskQueue, connection } = stand;
    const args = [{ connection, application }];
    const handle = await temporal.client.workflow.start('importBankTransactions', { taskQueue, workflowId, args });
    const workflowsPath = join(import.meta.dirname, '../support/newer-workflows.ts');
    const newer = await Worker.create({ connection: temporal.nativeConnection, taskQueue, workflowsPath });
    await newer.runUntil(vi.waitFor(async () => expect((await handle.describe()).historyLength).toBe(4), 20_000));
    worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: stand.environment });
    await handle.signal('goOn');
  });
  afterAll(async () => {
    await stand.temporal.client.workflow.getHandle(workflowId).terminate();
    await worker.kill9();
    await stand.close();
  });

  test.each(['pause', 'resume', 'cancel'])('`%s` is refused with what it is, and not said to it', async (verb) => {
    expect(await daybook([verb, workflowId], stand.environment)).toEqual({
      code: 2,
      stdout: '',
      stderr: `"${workflowId}" is neither an import nor a reconciliation, but a workflow of type "importBankTransactions", which heeds nothing that is said here. To end it: \`temporal workflow terminate --workflow-id ${workflowId}\`.\n`,
    });
    const { events } = await stand.temporal.client.workflow.getHandle(workflowId).fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(1);
  });

  test('the doctor says that its step fails, and why, and blames no worker', async () => {
    await vi.waitFor(async () => expect(await stand.imports.stepTrouble(workflowId)).not.toBeNull(), {
      timeout: 30_000,
    });
    const { stdout } = await daybook(['doctor'], stand.environment);
    expect(stdout).toMatch(
      new RegExp(
        `The next step of the workflow ${workflowId} \\(type "importBankTransactions"\\) fails whenever a worker takes it, ` +
          `\\d+ times? so far: .*no workflow type "importBankTransactions"; .*\\. Run the version of Daybook that it began with, .*--workflow-id ${workflowId}`,
      ),
    );
    expect(stdout).not.toMatch(/waits for a worker|restart it/);
  });

  test('who follows an import whose step fails is told why', async () => {
    const lines: string[] = [];
    const ask = () => Promise.reject(new Error('no answer'));
    const silence = createSilence(stand.imports, workflowId, (line) => lines.push(line));
    await vi.waitFor(
      async () => {
        await silence.around(ask).catch(() => {});
        expect(lines).toEqual([
          expect.stringMatching(/^Its worker fails at the next step, .*: .*importBankTransactions/),
        ]);
      },
      { timeout: 30_000, interval: 1_000 },
    );
  });

  test('a reconciliation is told, as an import is', async () => {
    const { temporal, connection, environment } = stand;
    const id = uniqueName('reconcile');
    await temporal.client.workflow.start('reconcileLedger', {
      ...{ taskQueue: uniqueName('nobody'), workflowId: id },
      args: [{ connection, application }],
    });
    expect(await daybook(['cancel', id], environment)).toMatchObject({
      ...{ code: 0, stdout: `${id} is told to end after its page in flight.\n` },
    });
    await temporal.client.workflow.getHandle(id).terminate();
  });
});
