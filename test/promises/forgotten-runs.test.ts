import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { createReconciliations } from '../../client/reconciliations.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { daybook, temporalCommand } from '../support/daybook.ts';
import { forgetImports, runRows, untilRow } from '../support/observe.ts';
import { runProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 1_000, seed: 41, limits: { minute: 100_000, day: 100_000 } } });
});
beforeEach(() => forgetImports(stand));
afterAll(() => stand.close());

const query = (text: string, values: unknown[] = []) => stand.database.pool.query(text, values);
const handle = (workflowId: string) => stand.temporal.client.workflow.getHandle(workflowId);
const wrongNow = async () =>
  differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation);

/** Starts an import and answers its workflow id in mid-run. */
async function startMidway(filters: Record<string, unknown> = {}): Promise<string> {
  stand.sandbox.setLatency(150);
  const started = await stand.imports.startJournals({ connection: stand.connection, application, ...filters });
  await untilRow(stand, started.workflowId, ({ pages }) => pages >= 2);
  return started.workflowId;
}

describe('No run stays open that nobody looks after', () => {
  test('one whose row is gone, as after restoring a backup, ends and says so; the next one imports all', async () => {
    const workflowId = await startMidway();
    await query('delete from daybook.page_receipt');
    await query('delete from daybook.run_calls');
    await query('delete from daybook.import_run');
    await query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position');
    expect(await stand.imports.ending(workflowId)).toMatchObject({
      ok: false,
      failure: 'RunEnded',
      message: expect.stringContaining('not in the database any more'),
    });
    stand.sandbox.setLatency(0);
    expect(await stand.importJournals()).toMatchObject({ ok: true, workflowId, result: { outcome: 'caughtUp' } });
    expect(await wrongNow()).toEqual([]);
  });

  test('one that sleeps when its row goes is told by status and doctor, with what ends it', async () => {
    const workflowId = await startMidway();
    await stand.imports.pause(workflowId);
    await untilRow(stand, workflowId, ({ status }) => status === 'paused');
    await query('delete from daybook.import_run');
    const said = new RegExp(`as after restoring a backup .*\`daybook cancel ${workflowId}\` ends it`);
    // What a list shows lags by a moment, and so does what a worker has to do.
    await vi.waitFor(
      async () => expect((await daybook(['status'], stand.environment)).stdout).toMatch(/ forgotten .*/),
      { timeout: 30_000 },
    );
    expect((await daybook(['status'], stand.environment)).stdout).toMatch(said);
    expect((await daybook(['doctor'], stand.environment)).stdout).toMatch(said);
    expect(await daybook(['cancel', workflowId], stand.environment)).toMatchObject({ code: 0 });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
    stand.sandbox.setLatency(0);
    expect(await stand.importJournals()).toMatchObject({ ok: true, workflowId, result: { outcome: 'caughtUp' } });
    expect(await wrongNow()).toEqual([]);
  });

  test('one with filters whose workflow was terminated is ended by the next import of its organisation', async () => {
    const workflowId = await startMidway({ startingAtJournalId: 5 });
    await handle(workflowId).terminate('pulled the plug');
    expect(await runRows(stand, workflowId)).toMatchObject([{ ended_at: null }]);
    expect((await daybook(['status'], stand.environment)).stdout).toMatch(
      new RegExp(`ended in Temporal from outside; \`daybook cancel ${workflowId}\` closes its row`),
    );
    const followed = await daybook(['status', '--follow', workflowId], stand.environment);
    expect(followed).toMatchObject({ code: 1, stdout: expect.stringContaining('TerminatedFailure') });
    expect(followed.stderr).toContain(`from outside: \`daybook cancel ${workflowId}\` closes its row.\n`);
    stand.sandbox.setLatency(0);
    expect(await stand.importInvoices()).toMatchObject({ ok: true });
    expect(await runRows(stand, workflowId)).toMatchObject([
      { status: 'cancelled', message: expect.stringContaining('ended from outside') },
    ]);
  });
});

test('one that was reset to before somebody cancelled it reads on', async () => {
  const workflowId = await startMidway();
  stand.sandbox.faults.add({ match: { path: 'Journals', nth: 1 }, do: { kind: 'stall', ms: 4_000 } });
  await vi.waitFor(() => expect(stand.sandbox.faults.list()[0]?.struck).toBe(1), 10_000);
  await stand.imports.cancel(workflowId);
  await untilRow(stand, workflowId, ({ status }) => status === 'stopping');
  const words = ['--workflow-id', workflowId, '--event-id', '4', '--reason', 'not meant', '--reapply-exclude', 'All'];
  const reset = await temporalCommand([
    'workflow',
    'reset',
    ...words,
    '--address',
    stand.environment.TEMPORAL_ADDRESS ?? '',
  ]);
  expect(reset).toMatchObject({ code: 0 });
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect(await wrongNow()).toEqual([]);
});

test('one that fails again and again says so to whoever follows it, and in the list', async () => {
  stand.sandbox.faults.add({ match: { path: 'Journals' }, do: { kind: 'problem500' } });
  const { environment, connection } = stand;
  const words = ['import', 'journals', '--connection', connection, '--application', application, '--follow'];
  const following = runProcess('bin/daybook.mjs', { args: words, env: environment });
  expect(await following.line(/failed \d+ times in a row/)).toContain('An error occurred in Xero');
  const workflowId = `import-journals-${connection}`;
  await vi.waitFor(async () => expect((await stand.imports.trouble(workflowId))?.failures).toBeGreaterThan(0), 10_000);
  const status = await daybook(['status'], environment);
  expect(status.stdout).toMatch(/running .* failed \d+ times? in a row, tried again: .*An error occurred in Xero/);
  await stand.imports.cancel(workflowId);
  await following.end('SIGTERM');
  await stand.imports.ending(workflowId);
});

describe('`cancel` and `pause` are heard also while every call fails before it is made', () => {
  test('a reconciliation ends when it is cancelled while Xero is down', async () => {
    stand.sandbox.faults.clear();
    await query('update daybook.authorisation_token set expires_at = now()');
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    stand.sandbox.faults.add({ match: { path: 'Reports' }, do: { kind: 'offline503' } });
    const reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
    const { workflowId } = await reconciliations.start({ connection: stand.connection, application });
    await vi.waitFor(async () => expect(await failing(workflowId)).toBeGreaterThan(2), { timeout: 30_000 });
    await handle(workflowId).signal('cancel');
    expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
  });
});

// With books of their own, as these wait long: together.
test.concurrent('one whose workflow was terminated, and its connection removed since, is ended by the `cancel` that is named', async () => {
  const books = await startStand({ sandbox: { journals: 2_000, latencyMs: 150 } });
  try {
    const { workflowId } = await books.imports.startJournals({ connection: books.connection, application });
    await untilRow(books, workflowId, ({ pages }) => pages >= 2);
    await books.temporal.client.workflow.getHandle(workflowId).terminate('pulled the plug');
    expect(await daybook(['connections', 'remove', books.connection], books.environment)).toMatchObject({ code: 0 });
    const remedy = `daybook cancel ${workflowId}`;
    const [status, doctor] = await Promise.all([
      daybook(['status'], books.environment),
      daybook(['doctor'], books.environment),
    ]);
    expect(status.stdout).toContain(`ended in Temporal from outside; \`${remedy}\` closes its row`);
    expect(doctor.stdout).toContain(`\`${remedy}\` closes its row`);
    const cancelled = await daybook(remedy.split(' ').slice(1), books.environment);
    expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringContaining('its row is closed') });
    expect(await runRows(books, workflowId)).toMatchObject([
      { status: 'cancelled', message: expect.stringContaining('ended from outside'), ended_at: expect.any(Date) },
    ]);
    const again = await daybook(remedy.split(' ').slice(1), books.environment);
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^No import and no reconciliation runs as workflow/),
    });
  } finally {
    await books.close();
  }
}, 150_000);

test.concurrent('an import without a token ends when it is cancelled', async () => {
  // So short-lived that none is kept when no other can be had.
  const books = await startStand({ sandbox: { journals: 2_000, lifetimes: { accessToken: 6 } } });
  try {
    books.sandbox.setLatency(400);
    const { workflowId } = await books.imports.startJournals({ connection: books.connection, application });
    await untilRow(books, workflowId, ({ pages }) => pages >= 2);
    books.sandbox.faults.add({ match: { path: '/connect/token' }, do: { kind: 'problem500' } });
    await vi.waitFor(async () => expect(await failing(workflowId)).toBeGreaterThan(2), { timeout: 60_000 });
    const calls = books.sandbox.calls.journals().length;
    await books.imports.cancel(workflowId);
    expect(await books.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
    expect(await runRows(books, workflowId)).toMatchObject([{ status: 'cancelled' }]);
    expect(books.sandbox.calls.journals()).toHaveLength(calls);
  } finally {
    await books.close();
  }
}, 150_000);

test.concurrent('a reconciliation that waits for a new consent for weeks renews its history, and still ends', async () => {
  const books = await startStand({ sandbox: { journals: 100 } });
  try {
    expect(await books.importJournals()).toMatchObject({ ok: true });
    books.sandbox.tokens.revoke();
    books.sandbox.tokens.expireAccessTokens();
    const reconciliations = createReconciliations(books.temporal.client, books.taskQueue);
    const { workflowId, runId } = await reconciliations.start({ connection: books.connection, application });
    const current = async () => (await handle(workflowId).describe()).runId;
    await vi.waitFor(
      async () => {
        // Each ends one wait of ten minutes. Signals without a break would stand in the way of a fresh history: Temporal renews none
        // while one is unheard.
        if (await handle(workflowId).query<string | null>('waitingFor')) await handle(workflowId).signal('resume');
        expect(await current()).not.toBe(runId);
      },
      { timeout: 120_000, interval: 10 },
    );
    await handle(workflowId).signal('cancel');
    expect(await reconciliations.ending(workflowId)).toMatchObject({
      ok: true,
      result: { outcome: 'cancelled', runId },
    });
  } finally {
    await books.close();
  }
}, 150_000);

/** Which attempt its activity is at. */
async function failing(workflowId: string): Promise<number> {
  const { raw } = await handle(workflowId).describe();
  return raw.pendingActivities?.[0]?.attempt ?? 0;
}
