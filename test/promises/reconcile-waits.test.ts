import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

describe('A reconciliation that waits for a limit is told once its connection is changed', () => {
  let stand: Stand;
  let reconciliations: ReturnType<typeof createReconciliations>;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 250, limits: { minute: 10_000, day: 1_000 } } });
    reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
    expect(await stand.importJournals()).toMatchObject({ ok: true });
  });
  afterAll(() => stand.close());

  async function start(): Promise<string> {
    const workflowId = uniqueName('reconcile');
    const args = [{ connection: stand.connection, application }];
    await stand.temporal.client.workflow.start('reconcileLedger', { taskQueue: stand.taskQueue, workflowId, args });
    return workflowId;
  }
  const untilWaitingFor = (workflowId: string, what: RegExp) =>
    vi.waitFor(async () => expect(await reconciliations.waitingFor(workflowId)).toMatch(what), {
      timeout: 15_000,
      interval: 100,
    });
  /** Changes the connection by a command; whoever waits on it looks again. */
  async function change(...words: string[]) {
    const changed = await daybook(['connections', ...words], stand.environment);
    expect(changed).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('1 waiting workflow looks again now.\n'),
    });
  }
  /** Since when each waits. */
  const noted = async () =>
    (await stand.database.pool.query('select workflow_id as "workflowId", since from daybook.reconciliation_waiting'))
      .rows;

  test('with more of the day reserved it looks once and waits on, with less it goes on at once', async () => {
    const { connection } = stand;
    const reserve = (calls: string) => ['set', connection, '--quota-reserve', calls];
    expect(await daybook(['connections', ...reserve('1000')], stand.environment)).toMatchObject({ code: 0 });
    const workflowId = await start();
    await untilWaitingFor(workflowId, /reserved for others/);
    const [before] = await noted();
    expect(before).toMatchObject({ workflowId });
    stand.sandbox.calls.reset();
    await change(...reserve('2000'));
    await vi.waitFor(async () => {
      const [after] = await noted();
      expect(after?.since.getTime()).toBeGreaterThan(before.since.getTime());
    }, 10_000);
    await untilWaitingFor(workflowId, /reserved for others/);
    expect(stand.sandbox.calls.all()).toEqual([]);
    await change(...reserve('0'));
    expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'clean' } });
    expect(await noted()).toEqual([]);
  });

  // The last: it leaves no connection.
  test('on a spent day it ends at once when its application is taken off the list, or the connection is removed', async () => {
    const { connection } = stand;
    stand.sandbox.limits.reset();
    stand.sandbox.limits.set({ day: 1 });
    expect(await reconciliations.ending(await start())).toMatchObject({ ok: true });
    for (const [words, failure] of [
      [['deny', connection, '--application', application], 'ApplicationNotAllowed'],
      [['remove', connection], 'UnknownConnection'],
    ] as const) {
      const workflowId = await start();
      await untilWaitingFor(workflowId, /daily limit is used up/);
      await change(...words);
      expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: false, failure });
      if (words[0] === 'remove') continue;
      const allow = ['allow', connection, '--application', application];
      expect(await daybook(['connections', ...allow], stand.environment)).toMatchObject({ code: 0 });
    }
  });
});
