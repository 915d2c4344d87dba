import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../cli/doctor/findings.ts';
import { failing, stalled } from '../../cli/doctor/imports.ts';
import { judgeWorkers, untaken } from '../../cli/doctor/servers.ts';
import type { RunningWorkflow } from '../../client/running.ts';
import type { UnendedRun } from '../../storage/diagnosis.ts';
import { scheduleKeepAlive } from '../../worker/schedule-keep-alive.ts';
import { createTestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('daybook doctor', () => {
  let stand: Stand;
  let scheduleId: string;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 150 } });
    scheduleId = await scheduleKeepAlive(stand.temporal.client, stand.taskQueue, 'its mark');
  });
  afterAll(async () => {
    await stand.temporal.client.schedule.getHandle(scheduleId).delete();
    await stand.close();
  });

  async function doctor(changed: Record<string, string> = {}) {
    const environment = { ...stand.environment, ...changed };
    const { code, stdout, stderr } = await daybook(['doctor', '--json'], environment);
    for (const secret of [...Object.values(secrets), stand.environment.XERO_CLIENT_SECRET ?? '?']) {
      expect(stdout + stderr).not.toContain(secret);
    }
    const { well, checks } = JSON.parse(stdout) as { well: boolean; checks: Finding[] };
    expect(code).toBe(well ? 0 : 1);
    const of = (check: string) => checks.find((each) => each.check === check) ?? { verdict: 'missing', says: [] };
    return {
      verdicts: Object.fromEntries(checks.map(({ check, verdict }) => [check, verdict])),
      says: (check: string) => of(check).says.join('\n'),
    };
  }
  const secrets = { password: 'geheimes-wort', key: Buffer.alloc(32, 9).toString('base64') };

  test('all is well: it says so, ends with 0, and spends no call of an organisation', async () => {
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    stand.sandbox.calls.reset();
    const { code, stdout } = await daybook(['doctor'], stand.environment);
    expect(stdout).toMatch(/\nAll is well\.\n$/);
    expect(stdout).not.toMatch(/WRONG|not checked/);
    expect(stdout).toMatch(/worker +\S+ takes? work \(build @temporalio\/worker@/);
    expect(stdout).toMatch(/connections +\S+ has its consent\.\n.*runs +0 imports are open\.\n/);
    expect(stdout).toMatch(/xero +\S+ answers?\.\n/);
    expect(code).toBe(0);
    expect(stand.sandbox.calls.all().filter(({ path }) => path.startsWith('/api.xro/'))).toEqual([]);
  });

  test('whatever is wrong is named with what to do, all at once, and without a secret', async () => {
    const { pool } = stand.database;
    await stand.temporal.client.schedule.getHandle(scheduleId).pause();
    const { rows } = await pool.query<{ tenant_id: string; connection_id: string }>(
      'select tenant_id, connection_id from daybook.connection',
    );
    const [{ tenant_id: tenantId, connection_id: connectionId } = { tenant_id: '', connection_id: '' }] = rows;
    const addRun = (workflowId: string, stream: string, status: string) =>
      pool.query(
        `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id,
           stream, request, starting_at, moves_watermark, status, message, ended_at)
         values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, '{}', 1, false, $7, 'Xero refused it.',
                 case when $7 = 'failed' then now() end)`,
        [workflowId, connectionId, stand.connection, application, tenantId, stream, status],
      );
    await addRun('terminated-by-hand', 'journals', 'running');
    await addRun('refused-by-xero', 'invoices', 'failed');
    await pool.query(
      `insert into daybook.quarantine (tenant_id, stream, run_id, reason, payload)
       values ($1, 'journals', gen_random_uuid(), 'It holds a NUL.', '{}')`,
      [tenantId],
    );
    await pool.query(`update daybook.authorisation set status = 'needsReconnect'`);
    await pool.query('update daybook.stream_position set watermark = 3000000000');
    await pool.query(
      'drop policy if exists own_tenants on xero.journal; alter table xero.journal disable row level security',
    );

    const found = await doctor({
      TEMPORAL_TASK_QUEUE: `${stand.taskQueue}-other`,
      DAYBOOK_TOKEN_KEYS: `k9:${secrets.key}`,
      XERO_API_URL: 'http://127.0.0.1:65534',
    });
    expect(found.verdicts).toEqual({
      configuration: 'well',
      postgres: 'well',
      access: 'wrong',
      tokens: 'wrong',
      temporal: 'well',
      worker: 'wrong',
      schedules: 'wrong',
      connections: 'wrong',
      runs: 'wrong',
      quarantine: 'wrong',
      watermarks: 'wrong',
      clocks: 'well',
      disk: 'well',
      xero: 'wrong',
    });
    expect(found.says('access')).toMatch(/xero\.journal/);
    expect(found.says('tokens')).toMatch(/sealed with the key "k1", which DAYBOOK_TOKEN_KEYS does not have/);
    expect(found.says('worker')).toMatch(/No worker takes work from .*-other".* Start one: `npx daybook up`/);
    expect(found.says('schedules')).toMatch(/refreshes idle authorisations each day is missing/);
    expect(found.says('connections')).toContain(
      `daybook connect --name ${stand.connection} --application ${application}`,
    );
    expect(found.says('runs')).toMatch(
      /terminated-by-hand .* was ended in Temporal from outside.* `daybook cancel terminated-by-hand` closes its row/,
    );
    expect(found.says('runs')).toMatch(/invoices of .* \(refused-by-xero\) failed: Xero refused it\./);
    expect(found.says('quarantine')).toMatch(/1 row of journals .* It holds a NUL\./);
    expect(found.says('watermarks')).toMatch(
      /through 3000000000, but the newest one stored is 1\d\d: .* --application planning --full` reads/,
    );
    expect(found.says('xero')).toMatch(/^127\.0\.0\.1:65534 \(XERO_API_URL\) cannot be reached/);

    // The Schedule of the stand's own queue is there, but paused.
    expect((await doctor()).says('schedules')).toMatch(/is paused: idle authorisations die/);
  });

  test('keys under a known name that are other keys: whether they are the workers’ is asked first, and who is concerned', async () => {
    const said = (await doctor({ DAYBOOK_TOKEN_KEYS: `k1:${secrets.key}` })).says('tokens');
    expect(said).toMatch(
      /another key of the same name, .* first that this is the DAYBOOK_TOKEN_KEYS that the workers have;/,
    );
    expect(said).toContain(`Concerned: "${stand.connection}".`);
  });

  test('where a server is away it says where and why, and what it could not look at', async () => {
    const found = await doctor({
      DATABASE_URL: `postgres://u:${secrets.password}@127.0.0.1:1/x`,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    });
    expect(found.verdicts).toMatchObject({
      postgres: 'wrong',
      access: 'notChecked',
      runs: 'notChecked',
      temporal: 'wrong',
      worker: 'notChecked',
      xero: 'well',
    });
    expect(found.says('postgres')).toMatch(/^Postgres at 127\.0\.0\.1:1\/x cannot be used/);
    expect(found.says('temporal')).toMatch(/^Temporal at 127\.0\.0\.1:1 does not answer/);
    expect(found.says('runs')).toBe('Not looked at, as Postgres cannot be used.');
  });

  test('a namespace that Temporal does not have is told', async () => {
    const found = await doctor({ TEMPORAL_NAMESPACE: 'nope' });
    expect(found.says('temporal')).toMatch(/^Temporal answers, .*"nope" \(TEMPORAL_NAMESPACE\): .*[^.]\.$/);
  });

  test('a worker of another database on the same task queue is told', async () => {
    const other = await createTestDatabase();
    const found = await doctor({ DATABASE_URL: other.url });
    await other.drop();
    expect(found.says('worker')).toMatch(/takes? work from "\S+" for another database.*TEMPORAL_TASK_QUEUE/);
  });

  test('a configuration that is wrong is named with every problem', async () => {
    const found = await doctor({ XERO_API_URL: 'http://example.com', DAYBOOK_LOG_LEVEL: 'loud' });
    expect(found.verdicts).toEqual({ configuration: 'wrong' });
    expect(found.says('configuration')).toMatch(/XERO_API_URL must be .*\nDAYBOOK_LOG_LEVEL must be one of/);
  });
});

describe('what is judged by the clock', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  const ago = (minutes: number) => new Date(now - minutes * 60_000);
  const poll = (kind: 'workflow' | 'activity', build: string, minutes: number) => {
    return { kind, identity: `1@${build}/ours`, build, at: ago(minutes).getTime() };
  };

  test('a worker is one that has just asked for both kinds of work, and all are of one build', () => {
    const judged = (...polled: ReturnType<typeof poll>[]) => judgeWorkers(polled, 'imports', now, 'ours')[0];
    expect(judged(poll('workflow', 'a', 1), poll('activity', 'a', 0))).toEqual([]);
    expect(judged(poll('workflow', 'a', 4), poll('activity', 'a', 4))).toEqual([
      expect.stringMatching(/the last one asked for work 240 s ago/),
    ]);
    expect(judged(poll('workflow', 'a', 0))).toEqual([expect.stringMatching(/takes no activity tasks/)]);
    expect(judged(poll('workflow', 'a', 0), poll('activity', 'b', 0))).toEqual([expect.stringMatching(/of 2 builds/)]);
  });

  test('a workflow whose next step no worker takes is told, though workers ask for work', () => {
    const workflow = (workflowId: string, minutes: number | null) =>
      ({ workflowId, untakenSince: minutes === null ? null : ago(minutes) }) as RunningWorkflow;
    expect(untaken([workflow('a', null), workflow('b', 0.4)], now)).toEqual([]);
    expect(untaken([workflow('a', 1), workflow('b', 9), workflow('c', null)], now)).toEqual([
      expect.stringMatching(/^The workflow b waits for a worker since 2026-11-22T09:51:00.000Z, and so does 1 more\./),
    ]);
  });

  test('a run is stalled when it should read and does not, or should have gone on and did not', () => {
    const run = (change: Partial<UnendedRun>) =>
      stalled({ workflowId: 'w', startedAt: ago(60), status: 'running', ...change } as UnendedRun, now);
    expect(run({ attemptScheduledAt: ago(1) })).toBeNull();
    expect(run({ attemptScheduledAt: ago(16) })).toMatch(/has read nothing since/);
    expect(run({ status: 'waiting', waitingUntil: ago(-300) })).toBeNull();
    expect(run({ status: 'waiting', waitingUntil: ago(16) })).toMatch(/should have gone on at/);
    expect(run({ status: 'paused', waitingUntil: null })).toBeNull();
    expect(run({ status: 'needsReconnect' })).toMatch(/waits for a new consent/);
    expect(run({ status: 'needsReconnect', application: 'a b' })).toContain("--application 'a b'`");
  });

  test('a run that fails again and again is told with the reason, one that fails now and then is not', () => {
    const run = { workflowId: 'w', connectionName: 'acme' } as UnendedRun;
    expect(failing(run, null)).toBeNull();
    expect(failing(run, { failures: 5, message: 'Xero is down.' })).toBeNull();
    expect(failing(run, { failures: 6, message: 'Xero is down.' })).toMatch(
      /"acme" has failed 6 times .*: Xero is down\./,
    );
  });
});
