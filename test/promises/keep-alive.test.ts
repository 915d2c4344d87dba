import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { scheduleKeepAlive } from '../../worker/schedule-keep-alive.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 1 } });
});
afterAll(() => stand.close());

test('an authorisation that nobody uses is refreshed each day, by one Schedule however many workers start', async () => {
  const { client } = stand.temporal;
  const { pool } = stand.database;
  const ids = await Promise.all([1, 2, 3].map(() => scheduleKeepAlive(client, stand.taskQueue)));
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
