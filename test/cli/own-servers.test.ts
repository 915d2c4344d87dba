import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { consentInBrowser, daybook } from '../support/daybook.ts';
import { freePort } from '../support/free-port.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { connectTemporal, type TestTemporal, uniqueName } from '../support/temporal.ts';

interface SandboxLine {
  url: string;
  clientId: string;
  clientSecret: string;
  organisations: { tenantId: string; name: string }[];
}

describe('With a Postgres, a Temporal and a Xero of one’s own', { timeout: 180_000 }, () => {
  let database: TestDatabase;
  let temporal: TestTemporal;
  let sandboxProcess: TestProcess;
  let sandbox: SandboxLine;
  let up: TestProcess | undefined;
  let environment: Record<string, string>;
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-cli-'));
  const taskQueue = uniqueName('imports');
  const connection = uniqueName('acme');

  beforeAll(async () => {
    [database, temporal] = await Promise.all([createTestDatabase({ migrated: false }), connectTemporal()]);
    sandboxProcess = runProcess('sandbox/main.ts', {
      args: ['--journals', '3000', '--contiguous', '--organisations', '2', '--minute-limit', '1000'],
    });
    sandbox = JSON.parse(await sandboxProcess.line(/^\{/)) as SandboxLine;
    environment = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_TASK_QUEUE: taskQueue,
      DAYBOOK_TOKEN_KEYS: `k1:${Buffer.alloc(32, 3).toString('base64')}`,
      DAYBOOK_DATA_DIR: dataDir,
      XERO_CLIENT_ID: sandbox.clientId,
      XERO_CLIENT_SECRET: sandbox.clientSecret,
      XERO_REDIRECT_URI: `http://localhost:${await freePort()}/oauth/callback`,
      XERO_API_URL: sandbox.url,
      XERO_IDENTITY_URL: sandbox.url,
      XERO_LOGIN_URL: sandbox.url,
    };
  });
  afterAll(async () => {
    await up?.end('SIGTERM');
    await sandboxProcess.end('SIGTERM');
    await temporal.close();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const run = (...args: string[]) => daybook(args, environment);
  const count = async (sql: string) =>
    Number((await database.pool.query(`select count(*) as n from ${sql}`)).rows[0].n);
  const workflows = async () => {
    const { count: found } = await temporal.client.workflow.count(`TaskQueue = "${taskQueue}"`);
    return found;
  };
  const importing = (...args: string[]) =>
    run('import', 'journals', '--connection', connection, '--application', 'planning', ...args);

  /** Runs `connect` and consents in the browser meanwhile; what it prints comes with its exit code. */
  async function connect(press: 'allow' | 'cancel', ...args: string[]) {
    const connecting = runProcess('bin/daybook.mjs', {
      args: ['connect', '--name', connection, '--application', 'planning', '--no-browser', ...args],
      env: environment,
    });
    const page = await consentInBrowser(await connecting.line(/^http.*authorize/), press);
    return { code: await connecting.exited, output: connecting.output(), page };
  }

  test('a database without Daybook’s tables is refused with the remedy, by a command and by the worker', async () => {
    for (const args of [['connections', 'list'], ['worker']]) {
      const { code, stderr } = await run(...args);
      expect(stderr).toMatch(
        /^The database lacks \d+ of \d+ migrations \(0001_foundation to \S+\)\. Run `daybook migrate` first\.\n$/,
      );
      expect(code).toBe(2);
    }
  });

  test('migrate brings it up to date, and a second time finds nothing to do', async () => {
    expect(await run('migrate')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Ran 0001_/) });
    expect(await run('migrate')).toEqual({ code: 0, stderr: '', stdout: 'The database is up to date.\n' });
  });

  test('a consent that is declined is said in a sentence, and nothing is stored', async () => {
    const { code, output, page } = await connect('cancel');
    expect(page).toContain('Xero has answered');
    expect(output).toMatch(/The consent was declined in Xero, so nothing is connected\./);
    expect(code).toBe(2);
    expect(await count('daybook.connection')).toBe(0);
    expect(await count('daybook.authorisation')).toBe(0);
  });

  test('connect prints the consent address, takes the callback and stores the connection', async () => {
    const { code, output } = await connect('allow');
    expect(output).toContain(`Connected "${sandbox.organisations[0]?.name}" as "${connection}", for planning.`);
    expect(code).toBe(0);
    const { stdout } = await run('connections', 'list', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { name: connection, tenantId: sandbox.organisations[0]?.tenantId, applications: ['planning'] },
    ]);
  });

  test('connections: allow, deny and show, for people and for programs', async () => {
    expect(await run('connections', 'allow', connection, '--application', 'bi')).toMatchObject({ code: 0 });
    const shown = await run('connections', 'show', connection, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ name: connection, applications: ['bi', 'planning'] });
    expect((await run('connections', 'show', connection)).stdout).toContain('applications: bi, planning');
    expect((await run('connections', 'deny', connection, '--application', 'bi')).code).toBe(0);
    expect((await run('connections', 'list')).stdout).toMatch(new RegExp(`${connection} .* planning `));
    const bad = await run('connections', 'allow', connection, '--application', 'a/b');
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('The application "a/b" must have only') });
    const unknown = await run('connections', 'show', 'nobody');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no connection "nobody"') });
  });

  test('up starts only what is missing: a worker', async () => {
    up = runProcess('bin/daybook.mjs', { args: ['up'], env: environment });
    await up.line(/^The worker is ready/, 60_000);
    expect(up.output()).toMatch(/^Starting a worker and the connect page …\n/);
    expect(up.output()).toContain(`Temporal     ${temporal.address}\n`);
    expect(up.output()).not.toMatch(/sandbox|psql|UI http|daybook:/);
    const second = await run('up');
    expect(second).toMatchObject({ code: 2, stderr: expect.stringMatching(/runs in .* already, as process \d+/) });
  });

  test('import --follow --json ends with the run and prints exactly one line of JSON', async () => {
    const { code, stdout, stderr } = await importing('--from', '101', '--to', '250', '--follow', '--json');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'caughtUp', readThrough: 250, totals: { stored: 150 } });
    expect(code).toBe(0);
    const { rows } = await database.pool.query(
      'select min(journal_number)::int as first, max(journal_number)::int as last, count(*)::int as n from xero.journal',
    );
    expect(rows).toEqual([{ first: 101, last: 250, n: 150 }]);
  });

  test('a wrong request: every problem on standard error, exit 2, and nothing is started', async () => {
    const before = await workflows();
    const runs = await count('daybook.import_run');
    const wrong = ['--from', '9', '--to', '2', '--modified-since', '2026-02-30', '--basis', 'both'];
    const { code, stdout, stderr } = await run(
      ...['import', 'journals', '--connection', connection, '--application', 'nobody', '--json', ...wrong],
    );
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^--modified-since must be a real date/),
      expect.stringMatching(/^--basis must be "accrual" or "cash"\.$/),
      expect.stringMatching(/^--to is 2, before --from 9\.$/),
      expect.stringMatching(/^The application "nobody" may not use the connection/),
    ]);
    expect(code).toBe(2);
    expect(await importing('--from', 'abc')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^--from must/) });
    expect((await run('import', 'journals', '--connection', 'x')).code).toBe(2);
    expect([await workflows(), await count('daybook.import_run')]).toEqual([before, runs]);
  });

  test('pause, resume and cancel reach a running import; status shows where it stands', async () => {
    await fetch(`${sandbox.url}/sandbox/latency`, { method: 'POST', body: '{"ms":1500}' });
    const started = JSON.parse((await importing('--json')).stdout) as { workflowId: string };
    const { workflowId } = started;
    const status = async () => {
      const { stdout } = await run('status', '--connection', connection, '--json');
      return (JSON.parse(stdout) as { workflowId: string; status: string }[]).find(
        (one) => one.workflowId === workflowId,
      );
    };
    expect((await run('pause', workflowId)).code).toBe(0);
    await expect.poll(async () => (await status())?.status, { timeout: 20_000 }).toBe('paused');
    expect((await run('status')).stdout).toMatch(new RegExp(`${workflowId} +paused .*daybook resume ${workflowId}`));
    expect((await run('resume', workflowId)).code).toBe(0);
    await expect.poll(async () => (await status())?.status, { timeout: 20_000 }).toBe('running');
    expect((await run('cancel', workflowId)).code).toBe(0);
    const end = await run('status', '--follow', workflowId, '--json');
    expect(JSON.parse(end.stdout)).toMatchObject({ workflowId, outcome: 'cancelled' });
    expect(end.code).toBe(1);
    const gone = await run('pause', workflowId);
    expect(gone).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^No import and no reconciliation runs as workflow ".*": it has ended.*status/),
    });
    await fetch(`${sandbox.url}/sandbox/latency`, { method: 'POST', body: '{"ms":0}' });
  });

  test('a run that fails ends with exit 1 and says why', async () => {
    await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      body: JSON.stringify({ match: { path: 'Journals' }, do: { kind: 'forbiddenRole' } }),
    });
    const { code, stdout } = await importing('--follow', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'failed', message: expect.stringContaining(connection) });
    expect(code).toBe(1);
  });

  test('up ends on SIGTERM with exit 0', async () => {
    expect(await up?.end('SIGTERM')).toBe(0);
    expect(up?.output()).toContain('Stopping');
    up = undefined;
  });

  test('up says when its keys do not open what is stored', async () => {
    const other = `k9:${Buffer.alloc(32, 9).toString('base64')}`;
    up = runProcess('bin/daybook.mjs', { args: ['up'], env: { ...environment, DAYBOOK_TOKEN_KEYS: other } });
    expect(await up.line(/^Warning: /, 60_000)).toMatch(
      /sealed with the key "k1", which DAYBOOK_TOKEN_KEYS does not have/,
    );
    await up.line(/^The worker is ready/, 60_000);
    await up.end('SIGTERM');
    up = undefined;
  });

  test('a removed connection is gone, what it imported stays', async () => {
    expect((await run('connections', 'remove', connection)).code).toBe(0);
    expect((await run('connections', 'list')).stdout).toBe('None yet.\n');
    const [removed, never] = await Promise.all([run('audit', '--of', connection), run('audit', '--of', 'nope')]);
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('disconnect') });
    expect(never).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Nothing is written down of "nope"/) });
    expect(await count('xero.journal')).toBeGreaterThanOrEqual(150);
  });
});
