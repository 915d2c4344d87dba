import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
const alter = (what: string) =>
  stand.database.pool.query(
    `begin; set transaction read write; alter database "${new URL(stand.database.url).pathname.slice(1)}" ${what}; commit`,
  );
beforeAll(async () => {
  stand = await startStand({ worker: false });
  await alter('set default_transaction_read_only to on');
});
afterAll(() => stand.close());

test('a Postgres that takes no writes is found by the doctor, and refused to commands in one sentence', async () => {
  const { stdout, code } = await daybook(['doctor', '--json'], stand.environment);
  const { checks } = JSON.parse(stdout) as { checks: { check: string; verdict: string; says: string[] }[] };
  expect(checks.find(({ check }) => check === 'postgres')).toMatchObject({
    verdict: 'wrong',
    says: [expect.stringMatching(/^Postgres takes no writes: default_transaction_read_only is on, .* name another\.$/)],
  });
  expect(code).toBe(1);
  for (const args of [
    ['connections', 'allow', stand.connection, '--application', 'bi'],
    ['applications', 'add', 'bi'],
  ]) {
    const said = await daybook(args, stand.environment);
    expect(said.stderr).toMatch(
      /^Postgres takes no writes: cannot execute .*\. `daybook doctor` says why, and what to do\.\n$/,
    );
    expect(said.code).toBe(2);
  }
  // What only reads goes on.
  expect(await daybook(['connections', 'list'], stand.environment)).toMatchObject({ code: 0, stderr: '' });
}, 120_000);

test('a worker and up wait for one that takes none, say so, and go on once it does', async () => {
  const env = { ...stand.environment, DAYBOOK_LOG_LEVEL: 'info' };
  const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env });
  const up = runProcess('bin/daybook.mjs', { args: ['up'], env: { ...env, DAYBOOK_WEB_PORT: '0' } });
  try {
    expect(await worker.line(/waits for it/, 60_000)).toMatch(
      /"msg":"Postgres takes no writes: .* The worker waits for it\."/,
    );
    expect(await up.line(/waits for it/, 60_000)).toMatch(/^Postgres takes no writes: .* Daybook waits for it\.$/);
    expect(worker.output()).not.toContain('the worker is ready');
    await alter('reset default_transaction_read_only');
    await worker.line(/"the worker is ready"/, 60_000);
    await vi.waitFor(() => expect(up.output()).toContain('Daybook is up.'), { timeout: 60_000 });
  } finally {
    await Promise.all([worker.end('SIGTERM'), up.end('SIGTERM')]);
  }
}, 180_000);
