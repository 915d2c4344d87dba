import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

let stand: Stand;
const alias = uniqueName('alias');
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterEach(async () => {
  const open = stand.temporal.client.workflow.list({
    query: `TaskQueue = "${stand.taskQueue}" AND ExecutionStatus = "Running"`,
  });
  for await (const { workflowId } of open) await stand.temporal.client.workflow.getHandle(workflowId).terminate();
  await stand.database.pool.query('truncate daybook.import_run cascade');
});
afterAll(() => stand.close());

const backfill = (...args: string[]) =>
  daybook(['backfill', 'journals', '--application', application, ...args], stand.environment);
const started = async () => {
  const { count } = await stand.temporal.client.workflow.count(`TaskQueue = "${stand.taskQueue}"`);
  return count;
};

/** An import that holds the stream, as a Schedule's. */
async function hold(connection: string): Promise<string> {
  const workflowId = uniqueName('scheduled-import');
  const { temporal, taskQueue, database } = stand;
  const { firstExecutionRunId } = await temporal.client.workflow.start('importJournals', {
    taskQueue,
    workflowId,
    args: [{ connection, application }],
  });
  await database.pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                     request, starting_at, moves_watermark)
     select $1, $2, connection_id, name, $3, tenant_id, 'journals', '{}', 1, true from daybook.connection where name = $4`,
    [firstExecutionRunId, workflowId, application, connection],
  );
  return workflowId;
}

/** Another name of the organisation, or another organisation. */
async function addConnection(name: string, tenantId: string | null): Promise<void> {
  await stand.database.pool.query(
    `with added as (insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name)
       select $1, authorisation_id, coalesce($2::uuid, tenant_id), 'Globex' from daybook.connection where name = $3
       returning connection_id)
     insert into daybook.connection_application select connection_id, $4 from added`,
    [name, tenantId, stand.connection, application],
  );
}

test('a backfill that would be refused for an import that runs is not said to be started, and names it', async () => {
  const { connection } = stand;
  const holder = await hold(connection);
  const reason = expect.stringMatching(new RegExp(`are being imported already, by workflow "${holder}"`));
  const refused = await backfill('--connection', connection, '--json');
  const workflowId = `backfill-journals-${connection}`;
  expect(JSON.parse(refused.stdout)).toEqual([{ connection, workflowId, started: false, reason }]);
  expect(refused.code).toBe(2);

  const other = uniqueName('globex');
  await addConnection(other, randomUUID());
  const all = await backfill('--all-connections', '--json');
  expect(JSON.parse(all.stdout)).toEqual([
    { connection, workflowId, started: false, reason },
    { connection: other, workflowId: `backfill-journals-${other}`, started: true },
  ]);
  expect(all.code).toBe(2);
  await stand.database.pool.query('delete from daybook.connection where name = $1', [other]);
}, 120_000);

test('of two names of one organisation the first is backfilled, and the second is told why it is not', async () => {
  const before = await started();
  await addConnection(alias, null);
  const both = await backfill('--connection', stand.connection, '--connection', alias);
  expect(both.stdout).toMatch(
    new RegExp(`^Started backfill-journals-${stand.connection}\\..*\n"${alias}" is the same organisation as "acme`),
  );
  expect(both.code).toBe(2);
  await expect.poll(started, { timeout: 20_000 }).toBe(before + 1);
  await stand.database.pool.query('delete from daybook.connection where name = $1', [alias]);
}, 120_000);

test('a reserve that leaves nothing is warned of, also while it is not known how much is to come', async () => {
  const { stdout, stderr } = await backfill('--connection', stand.connection, '--reserve', '1000');
  expect(stdout).toBe(`Started backfill-journals-${stand.connection}.\nSee all with \`daybook status\`.\n`);
  expect(stderr).toMatch(/^Note: On Xero’s Starter tier, .* nothing but one call an hour\. Reserve less/);
}, 60_000);
