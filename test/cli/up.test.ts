import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../embedded/probes.ts';
import { untilPages } from '../support/crash.ts';
import { daybook } from '../support/daybook.ts';
import { processesOf, serverPid, startUp, type Up, upEnvironment } from '../support/up.ts';

const journals = 5_000;
const pages = journals / 100;

describe('daybook up, with nothing configured', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-up-'));
  const dataDir = join(folder, 'data');
  let up: Up;
  let pool: pg.Pool;

  const start = async () => {
    up = await startUp(dataDir, ['--journals', String(journals)]);
    pool = new pg.Pool({ connectionString: up.databaseUrl, max: 2 });
    pool.on('error', () => undefined);
    // As fast as the machine is, but slow enough to be caught in mid-import.
    await sandbox('limits', { minute: 1_000_000 });
    await sandbox('latency', { ms: 50 });
  };
  beforeAll(start);
  afterAll(async () => {
    await up.process.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  const sandbox = (lever: string, body: object) =>
    fetch(`${up.xero}/sandbox/${lever}`, { method: 'POST', body: JSON.stringify(body) });
  const journalCalls = async () =>
    ((await (await fetch(`${up.xero}/sandbox/calls?path=/api.xro/2.0/Journals`)).json()) as unknown[]).length;
  const query = async (sql: string) => (await pool.query(sql)).rows;
  const stored = () =>
    query('select count(*)::int as n, count(distinct journal_number)::int as numbers from xero.journal');
  const workflow = (id: string, input: unknown) => [
    ...['--type', 'importJournals', '--task-queue', 'xero-imports', '--workflow-id', id],
    ...['--input', JSON.stringify(input)],
  ];
  const wanted = { connection: 'demo', application: 'planning' };

  test('it says where Xero, Temporal, its UI and Postgres are, and they are there', async () => {
    const ui = /UI (http\S+)/.exec(up.process.output())?.[1] ?? '';
    expect((await fetch(ui)).status).toBe(200);
    expect((await fetch(`${up.xero}/.well-known/openid-configuration`)).status).toBe(200);
    expect(await stored()).toEqual([{ n: 0, numbers: 0 }]);
    expect(up.process.output()).not.toMatch(/"level"|INFO|Warning/);
    expect(up.process.output()).toMatch(/^Starting Postgres, Temporal, a sandbox in place of Xero, a worker and/);
    // What the temporal command must be given, where it would look for the server at another port.
    const isUsual = up.temporalAddress.endsWith(':7233');
    expect(up.process.output().includes(`give --address ${up.temporalAddress})`)).toBe(!isUsual);
    const whole = `temporal workflow start --address ${up.temporalAddress} --type importJournals --task-queue xero-imports`;
    expect(up.process.output().includes(whole)).toBe(!isUsual);
  });

  test('the folder it makes, and what it keeps of the books and of secrets there, is closed to others', () => {
    const modeOf = (name: string) => statSync(join(dataDir, name)).mode & 0o777;
    // As root, Postgres's account passes through the folder.
    expect(modeOf('.')).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
    const files = ['token-keys', 'postgres.password', 'temporal.db', 'temporal.log', 'postgres.log', 'web.json'];
    expect(files.map(modeOf)).toEqual(files.map(() => 0o600));
  });

  test('a workflow started with the temporal command stores exactly the journals it names', async () => {
    const input = { ...wanted, startingAtJournalId: 101, endingAtJournalId: 250 };
    expect((await up.temporal('workflow', 'start', ...workflow('x', input))).code).toBe(0);
    const result = await up.temporal('workflow', 'result', '--workflow-id', 'x', '-o', 'json');
    expect(JSON.parse(result.stdout)).toMatchObject({ result: { outcome: 'caughtUp', totals: { stored: 150 } } });
    const numbers = await query('select journal_number::int as n from xero.journal order by 1');
    expect(numbers.map(({ n }) => n)).toEqual(Array.from({ length: 150 }, (_, index) => 101 + index));
  });

  test('a wrong input fails the workflow at once, every problem named, nothing fetched', async () => {
    const before = [await journalCalls(), await query('select count(*) from daybook.import_run')];
    const wrong: [object, string[]][] = [
      [{ ...wanted, connection: 'nobody' }, ['There is no connection "nobody"']],
      [{ ...wanted, application: 'stranger' }, ['The application "stranger" may not use the connection "demo"']],
      [{ ...wanted, startingAtJournalId: 'abc' }, ['startingAtJournalId must be a whole number']],
      [{ ...wanted, startingAtJournalId: 9, endingAtJournalId: 2 }, ['endingAtJournalId is 2, before']],
      [{ ...wanted, modifiedSince: '2026-02-30' }, ['modifiedSince must be a real date']],
      [
        { connection: 'nobody', applicaton: 'planning', endingAtJournalId: 0 },
        ['application is missing', 'endingAtJournalId must be 1 or more', '"applicaton" is not a field', '"nobody"'],
      ],
    ];
    for (const [index, [input, problems]] of wrong.entries()) {
      const id = `wrong-${index}`;
      await up.temporal('workflow', 'start', ...workflow(id, input));
      const result = await up.temporal('workflow', 'result', '--workflow-id', id, '-o', 'json');
      expect(result.code).toBe(1);
      expect(JSON.parse(result.stdout)).toMatchObject({ status: 'FAILED' });
      for (const problem of problems) expect(result.stdout.replaceAll('\\"', '"')).toContain(problem);
    }
    expect([await journalCalls(), await query('select count(*) from daybook.import_run')]).toEqual(before);
  });

  test('commands in other processes find what it started', async () => {
    const run = (...args: string[]) => daybook(args, { DAYBOOK_DATA_DIR: dataDir });
    expect((await run('connections', 'list')).stdout).toMatch(/demo +Maple & Finch Ltd +planning +connected +all /);
    expect((await run('status')).stdout).toMatch(/ x +caughtUp +150 /);
    const imported = await run(
      ...'import journals --connection demo --application planning --to 5 --follow'.split(' '),
    );
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('5 journals stored, read through 5') });
    const connected = await run(...'connect --name again --application bi --consent'.split(' '));
    expect(connected).toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant') });
  });

  test('its sealing keys: made once, changed by `keys rotate` and a restart, each written down, none of them shown', async () => {
    const run = (...args: string[]) => daybook(args, { DAYBOOK_DATA_DIR: dataDir });
    expect((await run('keys', 'rotate')).stdout).toContain('Made the key "k2"');
    expect(await run('keys', 'rotate')).toMatchObject({ code: 2, stderr: expect.stringContaining('newest key yet') });
    expect(await up.process.end('SIGTERM')).toBe(0);
    await pool.end();
    await start();
    expect((await run('keys', 'rotate')).stdout).toContain('Every stored token is sealed with "k2"');
    const made = await query(
      `select subject, before, after from daybook.audit where act = 'makeKey' order by audit_id`,
    );
    expect(made).toEqual(['k1', 'k2'].map((subject) => ({ subject, before: null, after: null })));
    const [keys] = [readFileSync(join(dataDir, 'token-keys'), 'utf8').trim().split(/[,:]/)];
    const audit = (await run('audit', '--json')).stdout;
    for (const key of keys.filter((part) => part.length > 20)) expect(audit).not.toContain(key);
    expect(keys).toHaveLength(4);
  }, 120_000);

  test('kill -9 of the worker, of Postgres and of Temporal: the import goes on and ends by itself', async () => {
    const receipts = Number((await query('select count(*) as n from daybook.page_receipt'))[0].n);
    const calls = await journalCalls();
    await up.temporal('workflow', 'start', ...workflow('killed', wanted));
    const kills = [() => up.workerPid(), () => serverPid(dataDir, 'postgres'), () => serverPid(dataDir, 'temporal')];
    for (const [index, pid] of kills.entries()) {
      await untilPages(pool, receipts + 5 + index * 12);
      process.kill(pid(), 'SIGKILL');
    }
    const totals = await eventually(async () => {
      const { stdout } = await up.temporal('workflow', 'result', '--workflow-id', 'killed', '-o', 'json');
      return (JSON.parse(stdout) as { result?: { totals: object } }).result?.totals;
    }, 120_000);
    expect(totals).toMatchObject({ pages, admitted: journals });
    expect(await stored()).toEqual([{ n: journals, numbers: journals }]);
    expect((await journalCalls()) - calls).toBeLessThanOrEqual(pages + 1 + kills.length);
  }, 240_000);

  test('SIGTERM ends all of it: exit code 0 and no process left; up again has the data', async () => {
    expect(await up.process.end('SIGTERM')).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
    await pool.end();
    await start();
    expect(up.process.output()).not.toContain('Connected');
    expect(await stored()).toEqual([{ n: journals, numbers: journals }]);
    const { stdout } = await daybook(['status'], upEnvironment(dataDir));
    expect(stdout).toMatch(/ killed +caughtUp /);
  }, 120_000);

  test('kill -9 of up itself takes its worker along, and a new up goes on with the import', async () => {
    await sandbox('latency', { ms: 200 });
    const receipts = Number((await query('select count(*) as n from daybook.page_receipt'))[0].n);
    await up.temporal('workflow', 'start', ...workflow('full', { ...wanted, full: true }));
    await untilPages(pool, receipts + 5);
    await up.process.kill9();
    await pool.end();
    await eventually(() => processesOf(dataDir).length === 0, 60_000);
    await start();
    const { stdout } = await up.temporal('workflow', 'result', '--workflow-id', 'full', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      result: { outcome: 'caughtUp', totals: { pages, admitted: journals } },
    });
    expect(await stored()).toEqual([{ n: journals, numbers: journals }]);
    expect(await up.process.end('SIGTERM')).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
    await pool.end();
  }, 240_000);
});

test('the worker of an embedded Temporal heeds nothing that is said of another: no temporal.toml, no TEMPORAL_TLS', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-up-'));
  const home = join(dataDir, 'home');
  // Where it is looked for on Linux, and on macOS. https://docs.temporal.io/references/client-environment-configuration
  for (const place of ['.config', 'Library/Application Support']) {
    const folder = join(home, place, 'temporalio');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'temporal.toml'),
      '[profile.default]\naddress = "cloud.invalid:7233"\napi_key = "geheim"\n[profile.default.tls]\nserver_name = "cloud.invalid"\n',
    );
  }
  const up = await startUp(dataDir, [], { HOME: home, TEMPORAL_TLS: 'true' });
  expect(up.process.output()).not.toContain('cloud.invalid');
  expect(await up.process.end('SIGTERM')).toBe(0);
  rmSync(dataDir, { recursive: true, force: true });
}, 180_000);
