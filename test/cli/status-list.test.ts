import { afterAll, beforeAll, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

let stand: Stand;
const reconciliation = uniqueName('reconcile-acme');
const later = { startDelay: '1 hour' } as const;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 5 } });
  const { database, connection, temporal, taskQueue, imports } = stand;
  const ended = (id: string, by: string, status: string, request: object) =>
    database.pool.query(
      `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                       request, starting_at, moves_watermark, status, message, ended_at, started_at)
       select gen_random_uuid(), $1, connection_id, name, $2, tenant_id, 'journals', $3, 1, false, $4, 'Ended.', now(),
              now() - interval '1 hour'
         from daybook.connection`,
      [id, by, JSON.stringify({ connection, application: by, ...request }), status],
    );
  await ended('whole', application, 'caughtUp', { full: true, basis: 'cash' });
  await ended('part', application, 'caughtUp', { startingAtJournalId: 5, modifiedSince: '2026-07-01' });
  await ended('theirs', 'bi', 'failed', {});
  const refused = { connection: 'nope', application, endingAtJournalId: 9, full: true };
  await temporal.client.workflow
    .execute('importJournals', { taskQueue, workflowId: `${connection}-refused`, args: [refused] })
    .catch(() => {});
  await imports.start('invoices', { connection, application, modifiedSince: '2026-07-01' }, 3_600_000);
  const args = [{ connection, application }];
  await temporal.client.workflow.start('reconcileLedger', { taskQueue, workflowId: reconciliation, args, ...later });
}, 120_000);
afterAll(async () => {
  for (const id of [reconciliation, `import-invoices-${stand.connection}.since-2026-07-01`]) {
    await stand.temporal.client.workflow.getHandle(id).terminate();
  }
  await stand.close();
});

const run = (...args: string[]) => daybook(args, stand.environment);
const status = async (...args: string[]) => (await run('status', ...args)).stdout;

test('what was asked for is shown of every import, of those that were refused or wait for a worker too', async () => {
  await expect
    .poll(status, { timeout: 30_000 })
    .toMatch(/since-2026-07-01 +starting .* modified since 2026-07-01 +begins/);
  await expect.poll(status, { timeout: 30_000 }).toMatch(/refused +failed .* 1 to 9, full +There is no connection/);
  const listed = await status();
  expect(listed).toMatch(/^started .* asked for +how it stands$/m);
  expect(listed).toMatch(/ whole +caughtUp .* full, cash basis +Ended\.$/m);
  expect(listed).toMatch(/ part +caughtUp .* 5 to the newest, modified since 2026-07-01 +Ended\.$/m);
  expect(listed).toMatch(/ theirs +failed .* what is new +Ended\.$/m);

  const all = JSON.parse(await status('--json')) as { workflowId: string; request: unknown }[];
  const of = (id: string) => all.find(({ workflowId }) => workflowId.endsWith(id));
  expect(of('whole')?.request).toMatchObject({ full: true, basis: 'cash' });
  expect(of('refused')).toMatchObject({
    ...{ connectionId: null, connectionName: 'nope', application, stream: 'journals', failure: 'UnknownConnection' },
    ...{ range: { startingAt: 1, endingAt: 9 }, modifiedSince: null, request: { full: true } },
  });
  const connectionId = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const starting = { connectionId, connectionName: stand.connection, application, stream: 'invoices' };
  expect(of('since-2026-07-01')).toMatchObject({ ...starting, modifiedSince: '2026-07-01' });
}, 120_000);

test('how many are shown of how many is said, and the list can be narrowed by application and state', async () => {
  expect(await status('--limit', '2', '--state', 'caughtUp')).not.toContain('are shown');
  expect(await status('--limit', '1')).toMatch(/^1 of 3 imports are shown, the newest; `--limit` shows more\.$/m);
  expect(await status('--application', 'bi')).toMatch(/^started.*\n\S+ +theirs .*\n$/);
  const failed = await status('--state', 'failed');
  expect(failed).toMatch(/ theirs /);
  expect(failed).not.toMatch(/whole|starting/);
  const none = await run('status', '--state', 'done');
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('caughtUp') });
}, 120_000);

test('a reconciliation that runs is shown, and who speaks to one that has ended is not told of imports alone', async () => {
  await expect
    .poll(status, { timeout: 30_000 })
    .toMatch(new RegExp(`^Reconciling since \\S+: ${reconciliation}\\.`, 'm'));
  const paused = await run('pause', 'reconcile-demo');
  expect(paused).toMatchObject({ code: 2, stdout: '' });
  expect(paused.stderr).toMatch(
    /^No import and no reconciliation runs as workflow "reconcile-demo": .*reconcile --list/,
  );
  const unknown = await run('reconcile', '--connection', 'nope');
  expect(unknown.stderr).toMatch(/^There is no connection "nope"\. /);
  expect(unknown.code).toBe(2);
}, 120_000);
