import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { findConnection } from '../../storage/connections.ts';
import { freePort } from '../support/free-port.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { askingAt, Browser } from '../web/web-stand.ts';

// Until it is stored, the process has the only copy of what Xero answers to a refresh.

describe('A process that is told to stop in a refresh stores the pair that Xero gives, and ends', {
  timeout: 60_000,
}, () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ worker: false });
  });
  afterAll(() => stand.close());
  beforeEach(() => stand.sandbox.faults.clear());

  const query = async (sql: string) => (await stand.database.pool.query(sql)).rows;
  const generation = async () => (await query('select generation from daybook.authorisation'))[0]?.generation;
  /** The next refresh rotates the token at once, and its answer is so long on the way. */
  const holdAnswer = (ms: number) =>
    stand.sandbox.faults.add({
      match: { path: '/connect/token', grantType: 'refresh_token', times: 1 },
      do: { kind: 'delay', ms, when: 'after' },
    });
  const untilHeld = () =>
    vi.waitFor(() => expect(stand.sandbox.faults.list()[0]?.struck).toBe(1), { timeout: 30_000, interval: 20 });
  /** SIGTERM; how it ended, once it did. */
  async function stop(running: TestProcess): Promise<number | null | 'hangs'> {
    const ended = await Promise.race([running.end('SIGTERM'), sleep(15_000, 'hangs' as const)]);
    await running.kill9();
    return ended;
  }

  test('a worker, in what its sweep follows up', async () => {
    await query(`insert into daybook.refresh_attempt (authorisation_id, from_generation, started_at)
                 select authorisation_id, generation, now() - interval '1 minute' from daybook.authorisation`);
    const before = await generation();
    holdAnswer(6_000);
    const worker = runProcess('bin/daybook.mjs', {
      args: ['worker'],
      env: { ...stand.environment, DAYBOOK_LOG_LEVEL: 'info' },
    });
    await untilHeld();
    await worker.line(/the worker is ready/);
    expect(await generation()).toBe(before);
    expect(await stop(worker), worker.output()).toBe(0);
    expect(await generation()).toBe(before + 1);
  });

  test('the connect page, in what an admin has just asked for, which it finishes', async () => {
    const port = await freePort();
    const env = { ...stand.environment, DAYBOOK_WEB_PORT: `${port}` };
    const web = runProcess('bin/daybook.mjs', { args: ['web'], env });
    const [, origin = '', link = ''] =
      /(http:.*)\/enter\/(.*)$/.exec(await web.line(/^The connect page: /, 60_000)) ?? [];
    const browser = new Browser(origin, askingAt(port, origin));
    await browser.post('/enter', { link });
    await browser.get(`/connections/${stand.connection}/disconnect`);
    await query('update daybook.authorisation_token set expires_at = now()');
    const before = await generation();
    holdAnswer(2_500);
    const asked = browser.post(`/connections/${stand.connection}/disconnect`).catch(() => null);
    await untilHeld();
    expect(await stop(web), web.output()).toBe(0);
    await asked;
    expect(await generation()).toBe(before + 1);
    expect(await findConnection(stand.database.pool, stand.connection)).toBe(null);
  });
});
