import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { denyApplication, findConnection } from '../../storage/connections.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { daybook } from '../support/daybook.ts';
import { countRuns, forgetImports, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

const journals = 800;
let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals, seed: 41, limits: { minute: 100_000 } } });
});
beforeEach(() => forgetImports(stand));
afterAll(() => stand.close());

const request = () => ({ connection: stand.connection, application });
const client = () => stand.temporal.client;
const start = () => stand.imports.startJournals(request());
const startDirectly = (workflowId: string, input: unknown = request()) =>
  client().workflow.start('importJournals', { taskQueue: stand.taskQueue, workflowId, args: [input] });
const wrongNow = async () =>
  differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation);

/** An import that holds its stream, at rest. */
async function startPaused() {
  stand.sandbox.setLatency(50);
  const run = await start();
  await untilRow(stand, run.workflowId, ({ pages }) => pages >= 1);
  await stand.imports.pause(run.workflowId);
  await untilProgress(stand, run.workflowId, ({ status }) => status === 'paused');
  return run;
}

describe('Only one run at a time moves a stream’s watermark', () => {
  test('a second one, under whatever workflow id, is refused and told of the first', async () => {
    const { workflowId } = await startPaused();
    const calls = stand.sandbox.calls.all().length;
    const second = uniqueName('by-hand');
    await startDirectly(second);
    const ending = await stand.imports.ending(second);
    expect(ending).toMatchObject({ ok: false, failure: 'ImportAlreadyRunning' });
    if (!ending.ok)
      for (const words of [workflowId, application, 'daybook cancel']) expect(ending.message).toContain(words);
    await expect(start()).rejects.toThrow(/running already/);
    expect(stand.sandbox.calls.all()).toHaveLength(calls);
    expect(await countRuns(stand)).toBe(1);
    await stand.imports.resume(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  });

  test('a command that asks for a second one is refused in the same words, and nothing is started', async () => {
    const holder = uniqueName('by-hand');
    stand.sandbox.setLatency(50);
    await startDirectly(holder);
    await untilRow(stand, holder, ({ pages }) => pages >= 1);
    await stand.imports.pause(holder);
    await untilProgress(stand, holder, ({ status }) => status === 'paused');
    const refused = uniqueName('refused');
    await startDirectly(refused);
    const ending = await stand.imports.ending(refused);
    const message = ending.ok ? '' : ending.message;
    const words = ['import', 'journals', '--connection', stand.connection, '--application', application];
    for (const more of [[], ['--full']]) {
      const stderr = `${message}\n`;
      expect(await daybook([...words, ...more], stand.environment)).toEqual({ code: 2, stdout: '', stderr });
    }
    // A second one beside it, with filters, is started.
    expect(await daybook([...words, '--to', '5'], stand.environment)).toMatchObject({ code: 0 });

    // One that was refused all the same, as it was started elsewhere, is listed with the reason.
    const status = async (...args: string[]) => (await daybook(['status', ...args], stand.environment)).stdout;
    await vi.waitFor(async () => expect(await status()).toContain(refused), { timeout: 30_000, interval: 500 });
    const line = (await status()).split('\n').find((each) => each.includes(refused));
    expect(line?.replace(/ +/g, ' ')).toContain(`${refused} failed what is new ${message}`);
    const listed = JSON.parse(await status('--connection', stand.connection, '--json')) as { workflowId: string }[];
    expect(listed.filter(({ workflowId }) => workflowId === refused)).toMatchObject([
      { status: 'failed', failure: 'ImportAlreadyRunning', message, connectionName: stand.connection },
    ]);

    await client().workflow.getHandle(holder).terminate('pulled the plug');
    // Its row is open still, but it holds nothing any more.
    expect(await daybook([...words, '--follow'], stand.environment)).toMatchObject({ code: 0 });
  }, 180_000);

  test('one with filters, and the other basis, may run beside it', async () => {
    const { workflowId } = await startPaused();
    expect(await stand.importJournals({ endingAtJournalId: 700 })).toMatchObject({ ok: true });
    expect(await stand.importJournals({ basis: 'cash' })).toMatchObject({ ok: true });
    await stand.imports.resume(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await wrongNow()).toEqual([]);
  });

  test('a terminated workflow, which can free nothing itself, gives way to the next run', async () => {
    const { workflowId } = await startPaused();
    await client().workflow.getHandle(workflowId).terminate('pulled the plug');
    expect(await runRows(stand, workflowId)).toMatchObject([{ ended_at: null }]);
    const next = uniqueName('after-the-plug');
    await startDirectly(next);
    expect(await stand.imports.ending(next)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'cancelled' }]);
    expect(await wrongNow()).toEqual([]);
  });

  test('a terminated one whose workflow id is used again gives way, too', async () => {
    const { workflowId } = await startPaused();
    await client().workflow.getHandle(workflowId).terminate('pulled the plug');
    expect(await stand.importJournals()).toMatchObject({ ok: true, workflowId, result: { outcome: 'caughtUp' } });
    expect((await runRows(stand, workflowId)).map(({ status }) => status)).toEqual(['cancelled', 'caughtUp']);
  });
});

describe('A Schedule', () => {
  const scheduleId = uniqueName('nightly');
  const schedule = () => client().schedule.getHandle(scheduleId);
  beforeAll(async () => {
    await client().schedule.create({
      scheduleId,
      spec: {},
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL },
      action: {
        type: 'startWorkflow',
        workflowType: 'importJournals',
        taskQueue: stand.taskQueue,
        workflowId: scheduleId,
        args: [request()],
      },
    });
  });
  afterAll(() => schedule().delete());

  async function trigger(): Promise<unknown> {
    const before = (await schedule().describe()).info.numActionsTaken;
    await schedule().trigger();
    const started = await vi.waitFor(
      async () => {
        const { numActionsTaken, recentActions } = (await schedule().describe()).info;
        expect(numActionsTaken).toBe(before + 1);
        return recentActions.at(-1)?.action.workflow.workflowId ?? '';
      },
      { timeout: 15_000, interval: 100 },
    );
    return client().workflow.getHandle(started).result();
  }

  test('ends as skipped while another import runs, and is no failure', async () => {
    const { workflowId } = await startPaused();
    expect(await trigger()).toMatchObject({ outcome: 'skipped', message: expect.stringContaining(workflowId) });
    expect(await countRuns(stand)).toBe(1);
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
  });

  test('imports when it is alone', async () => {
    expect(await trigger()).toMatchObject({ outcome: 'caughtUp', totals: { stored: journals } });
    expect(await wrongNow()).toEqual([]);
  });
});

test('An application that is taken off the list in mid-run stops at its next page; what it stored stays', async () => {
  const { workflowId } = await startPaused();
  const found = await findConnection(stand.database.pool, stand.connection);
  await denyApplication(stand.database.pool, found?.connectionId ?? '', application);
  const calls = stand.sandbox.calls.all().length;
  await stand.imports.resume(workflowId);
  const ending = await stand.imports.ending(workflowId);
  expect(ending).toMatchObject({ ok: false, failure: 'ApplicationNotAllowed' });
  expect(stand.sandbox.calls.all()).toHaveLength(calls);
  const [row] = await runRows(stand, workflowId);
  expect(row).toMatchObject({ status: 'failed', message: ending.ok ? '' : ending.message });
  const { rows } = await stand.database.pool.query('select count(*)::int as n from xero.journal');
  expect(rows).toEqual([{ n: (row?.pages ?? 0) * 100 }]);
});
