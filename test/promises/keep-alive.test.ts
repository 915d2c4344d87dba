import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { beginConsent, finishConsent } from '../../admin/consent.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { keepAliveId, scheduleKeepAlive } from '../../worker/schedule-keep-alive.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 1 } });
});
afterAll(() => stand.close());

test('an authorisation that nobody uses is refreshed each day, by one Schedule however many workers start', async () => {
  const { client } = stand.temporal;
  const { pool } = stand.database;
  const ids = await Promise.all([1, 2, 3].map(() => scheduleKeepAlive(client, stand.taskQueue, 'its mark')));
  expect(new Set(ids).size).toBe(1);
  const schedule = client.schedule.getHandle(ids[0] ?? '');
  try {
    expect((await schedule.describe()).policies.overlap).toBe('SKIP');
    await pool.query(
      `update daybook.authorisation_token set stored_at = now() - interval '25 hours', expires_at = now()`,
    );
    await schedule.trigger();
    await vi.waitFor(
      async () => {
        const { rows } = await pool.query('select generation, status from daybook.authorisation');
        expect(rows).toEqual([{ generation: 2, status: 'active' }]);
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(stand.sandbox.tokens.refreshes).toBe(1);
  } finally {
    await schedule.delete();
  }
});

test('the Schedule that an earlier version made becomes that of this one, but stays paused where somebody has paused it', async () => {
  const { client } = stand.temporal;
  const [taskQueue, scheduleId] = [stand.taskQueue, keepAliveId(stand.taskQueue)];
  const schedule = await client.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: '2 days' }] },
    policies: { overlap: 'ALLOW_ALL', catchupWindow: '1 minute' },
    action: { type: 'startWorkflow', workflowType: 'keepAuthorisationsAlive', taskQueue, args: ['of another kind'] },
    state: { paused: true, note: 'moving house' },
  });
  try {
    await scheduleKeepAlive(client, taskQueue, 'its mark');
    expect(await schedule.describe()).toMatchObject({
      spec: { intervals: [{ every: 86_400_000 }], jitter: 3_600_000 },
      policies: { overlap: 'SKIP', catchupWindow: 7 * 86_400_000 },
      action: {
        workflowType: 'keepAuthorisationsAlive',
        taskQueue,
        args: [],
        staticSummary: expect.stringMatching(/authorisations/),
        memo: { database: 'its mark' },
      },
      state: { paused: true, note: 'moving house' },
    });
  } finally {
    await schedule.delete();
  }
});

test('a consent of which no connection was made is not kept alive: the same Schedule ends it', async () => {
  const { sandbox, database, temporal, environment } = stand;
  const { pool } = database;
  const tokenKeys = environment.DAYBOOK_TOKEN_KEYS ?? '';
  const place = { pool, xero: sandboxSettings(sandbox), tokenKeys, actor: 'test', now: () => Date.now() };
  const begun = await beginConsent(place);
  const callbackUrl = sandbox.consent(begun.address, { userId: 'somebody else' });
  const { authorisationId } = await finishConsent(place, { ...begun, callbackUrl });
  for (const [table, column] of [
    ['authorisation', 'created_at'],
    ['refresh_attempt', 'started_at'],
    ['authorisation_token', 'stored_at'],
  ]) {
    await pool.query(`update daybook.${table} set ${column} = ${column} - interval '25 hours'`);
  }
  const schedule = temporal.client.schedule.getHandle(
    await scheduleKeepAlive(temporal.client, stand.taskQueue, 'its mark'),
  );
  try {
    await schedule.trigger();
    await vi.waitFor(
      async () => {
        const { rows } = await pool.query('select authorisation_id, status from daybook.authorisation');
        expect(rows).toEqual([{ authorisation_id: expect.not.stringMatching(authorisationId), status: 'active' }]);
      },
      { timeout: 30_000, interval: 100 },
    );
  } finally {
    await schedule.delete();
  }
});
