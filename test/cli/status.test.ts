import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { waitInWords } from '../../cli/run-words.ts';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterAll(() => stand.close());

const status = (...args: string[]) => daybook(['status', ...args], stand.environment);

// Nothing is said before fifteen seconds are over: these two wait for them together.
test.concurrent('an import that no worker takes is told to who follows it, in the list and by the doctor', async () => {
  const { connection, environment } = stand;
  const words = ['import', 'journals', '--connection', connection, '--application', application, '--follow'];
  const following = runProcess('bin/daybook.mjs', { args: words, env: environment });
  const workflowId = `import-journals-${connection}`;
  const { client } = stand.temporal;
  try {
    expect(await following.line(/worker/, 60_000)).toMatch(/^No worker has taken it yet; .*`daybook doctor`/);
    const listed = expect.stringMatching(new RegExp(`${workflowId} +starting`));
    const [all, own, doctor] = await Promise.all([
      status(),
      status('--connection', connection),
      daybook(['doctor'], environment),
    ]);
    expect(all).toMatchObject({ code: 0, stdout: listed });
    expect(own).toMatchObject({ code: 0, stdout: listed });
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining(`${workflowId}: starting.`) });
    expect(doctor.stdout).toMatch(/1 import is open\./);

    // Once Postgres knows it, it is as the row says.
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    const { pool } = stand.database;
    await pool.query(
      `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id,
         stream, request, starting_at, moves_watermark, status, waiting_until)
       select $1, $2, connection_id, name, $3, tenant_id, 'journals', '{}', 1, true, 'waiting', now() + interval '1 hour'
         from daybook.connection`,
      [runId, workflowId, application],
    );
    await pool.query(
      `insert into daybook.quota_ledger (scope, blocked_until, blocked_by)
       select 'tenant:' || tenant_id, now() + interval '1 hour', 'day' from daybook.connection`,
    );
    expect((await status()).stdout).toMatch(/waiting .* goes on at \S+Z: Xero’s daily limit is used up$/m);
    const [run, ...more] = JSON.parse((await status('--json')).stdout);
    expect([run.runId, run.blockedBy, more]).toEqual([runId, 'day', []]);
    // It would be nonsense for journals.
    expect(run).not.toHaveProperty('invoicePlace');
  } finally {
    await client.workflow.getHandle(workflowId).terminate();
    await following.exited;
  }
}, 120_000);

test.concurrent('so is a reconciliation that no worker takes', async () => {
  const { connection, environment } = stand;
  const words = ['reconcile', '--connection', connection];
  const following = runProcess('bin/daybook.mjs', { args: words, env: environment });
  expect(await following.line(/worker/, 60_000)).toMatch(/^No worker has taken it yet; .*`daybook doctor`/);
  const followed = await status('--follow', `reconcile-${connection}`, '--json');
  expect(followed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('is no import;') });
  await stand.temporal.client.workflow.getHandle(`reconcile-${connection}`).terminate();
  await following.exited;
}, 120_000);

test('a connection that is not known is refused', async () => {
  const refused = { code: 2, stdout: '', stderr: expect.stringContaining('There is no connection "nope"') };
  expect(await status('--connection', 'nope')).toMatchObject(refused);
});

test('who follows an import that does not exist is told so', async () => {
  const stderr = 'No import runs as workflow "nope"; `daybook status` shows the newest ones.\n';
  expect(await status('--follow', 'nope')).toEqual({ code: 2, stdout: '', stderr });
});

test('an import that was sent something that is no JSON hides nothing of the others', async () => {
  const { client } = stand.temporal;
  const workflowId = uniqueName('no-json');
  const options = { taskQueue: stand.taskQueue, workflowId, args: [Buffer.from('{"connection":')] };
  await client.workflow.start('importJournals', options);
  // What a list shows lags by a moment.
  await vi.waitFor(async () => expect((await status()).stdout).toContain(workflowId), { timeout: 20_000 });
  expect(await status('--connection', stand.connection)).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.not.stringContaining(workflowId),
  });
  await client.workflow.getHandle(workflowId).terminate();
});

test('while Temporal is away, what Postgres knows is shown', async () => {
  const environment = { ...stand.environment, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const { code, stdout, stderr } = await daybook(['status'], environment);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`import-journals-${stand.connection}`)]);
  expect(stderr).toMatch(/^What has not begun is not shown, .*: Temporal at 127\.0\.0\.1:1 does not answer.*\n$/);
});

test('what a run waits for is said with what ends the wait', () => {
  const run = { workflowId: 'w', connectionName: 'acme', application: 'a b', waitingUntil: null, blockedBy: null };
  expect(waitInWords({ ...run, status: 'paused' })).toBe('paused, until `daybook resume w`');
  expect(waitInWords({ ...run, status: 'needsReconnect' })).toMatch(/--name acme --application 'a b'`$/);
  expect(waitInWords({ ...run, status: 'running' })).toBeNull();
});
