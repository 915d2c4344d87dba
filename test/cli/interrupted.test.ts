import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterAll(() => stand.close());

const start = (...args: string[]) => runProcess('bin/daybook.mjs', { args, env: stand.environment, inTerminal: true });
const terminate = (workflowId: string) => stand.temporal.client.workflow.getHandle(workflowId).terminate();

test('Ctrl-C while an import is followed: it is told that it goes on, how to follow it and how to end it', async () => {
  const { connection } = stand;
  const id = `import-journals-${connection}`;
  const importing = start('import', 'journals', '--connection', connection, '--application', application, '--follow');
  await importing.line(/^Started/, 60_000);
  importing.ctrlC();
  expect(await importing.exited).toBe(130);
  const words = `The import goes on. Follow it with \`daybook status --follow ${id}\`, end it with \`daybook cancel ${id}\`.`;
  expect(importing.output().trimEnd().split('\n').at(-1)).toBe(words);

  const following = start('status', '--follow', id);
  await following.line(/No worker/, 60_000);
  following.ctrlC();
  expect(await following.exited).toBe(130);
  expect(following.output()).toContain(words);
  await terminate(id);
}, 120_000);

test('Ctrl-C while a reconciliation is waited for says where its certificate will be, and how to end it', async () => {
  const reconciling = start('reconcile', '--connection', stand.connection);
  await reconciling.line(/^Started/, 60_000);
  reconciling.ctrlC();
  expect(await reconciling.exited).toBe(130);
  expect(reconciling.output()).toMatch(
    /^The reconciliation goes on\. `daybook reconcile --list` .* `daybook cancel reconcile-/m,
  );
  await terminate(`reconcile-${stand.connection}`);
}, 120_000);

test('Ctrl-C in a rebuild says how far it came, and that it may be run again', async () => {
  const { pool } = stand.database;
  await pool.query(
    `insert into xero.organisation (tenant_id, organisation_id, name, payload, run_id)
     select tenant_id, gen_random_uuid(), 'Acme', '{}', gen_random_uuid() from daybook.connection`,
  );
  const locked = await pool.connect();
  await locked.query('begin; lock table xero.organisation in exclusive mode');
  const rebuilding = start('rebuild');
  try {
    await expect
      .poll(async () => (await pool.query(`select from daybook.audit where act = 'rebuild'`)).rowCount, {
        timeout: 60_000,
      })
      .toBe(1);
    rebuilding.ctrlC();
    expect(await rebuilding.exited).toBe(130);
    expect(rebuilding.output()).toMatch(/^Broken off, before anything was made anew\. .* run it again/m);
  } finally {
    await locked.query('rollback');
    locked.release();
  }
}, 120_000);
