import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { countEvents, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('A backfill gives way to imports that somebody waits for', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 12_000, invoices: 0, latencyMs: 100 } });
  });
  afterAll(() => stand.close());

  test('they make their calls within the minute while it waits, and Xero never says 429', async () => {
    const { connection, imports, sandbox } = stand;
    const others = [
      await imports.startJournals({ connection, application, startingAtJournalId: 1, endingAtJournalId: 2_000 }),
    ];
    const backfill = await imports.startJournals({ connection, application, backfill: true });
    expect(backfill.workflowId).toMatch(/^backfill-journals-/);

    const waiting = await untilProgress(stand, backfill.workflowId, ({ status }) => status === 'waiting');
    expect(waiting.waitingFor).toBe('What is left of the minute is for imports that somebody waits for');
    await untilRow(stand, backfill.workflowId, ({ status }) => status === 'waiting');
    expect((await daybook(['status'], stand.environment)).stdout).toMatch(
      new RegExp(`${backfill.workflowId} +waiting .* goes on at \\S+Z: ${waiting.waitingFor}`),
    );
    // What it leaves is enough for an import that finds little new.
    others.push(await imports.startInvoices({ connection, application }));
    for (const { workflowId, runId } of others) {
      expect(await imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
      expect(await countEvents(stand, workflowId, runId)).toMatchObject({ timers: 0, failedActivities: 0 });
    }
    expect((await imports.progress(backfill.workflowId)).status).toBe('waiting');
    expect(sandbox.calls.all().every(({ status }) => status === 200)).toBe(true);
    await imports.cancel(backfill.workflowId);
    expect(await imports.ending(backfill.workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
  });
});

describe('A backfill beside an import that has several calls in flight', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 12_000, invoices: 0, latencyMs: 2_000 } });
  });
  afterAll(() => stand.close());

  test('goes on in the calls that are not left to the other, and Xero never says 429', async () => {
    const { connection, imports, sandbox } = stand;
    const other = await imports.startJournals({ connection, application, startingAtJournalId: 1 });
    await untilRow(stand, other.workflowId, ({ pages }) => pages >= 2);
    const backfill = await imports.startJournals({ connection, application, backfill: true });
    await untilRow(stand, backfill.workflowId, ({ pages }) => pages >= 4, 100_000);
    // Of six calls one is the backfill's, more or less.
    const [beside] = await runRows(stand, other.workflowId);
    expect(beside).toMatchObject({ ended_at: null });
    expect(beside?.pages).toBeLessThan(4 * 12);
    for (const { workflowId } of [backfill, other]) {
      await imports.cancel(workflowId);
      expect(await imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
    }
    expect(sandbox.calls.all().every(({ status }) => status === 200)).toBe(true);
  }, 150_000);
});

describe('daybook backfill', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 3_000, limits: { day: 20, minute: 10_000 } } });
  });
  afterAll(() => stand.close());

  const backfill = (...args: string[]) =>
    daybook(['backfill', 'journals', '--application', application, ...args], stand.environment);

  test('leaves its reserve of the day to others, waits for the next, and is found running when it is asked for again', async () => {
    const { connection } = stand;
    const started = await backfill('--connection', connection, '--reserve', '12', '--json');
    expect(started).toMatchObject({ code: 0, stderr: '' });
    const workflowId = `backfill-journals-${connection}`;
    expect(JSON.parse(started.stdout)).toEqual([{ connection, workflowId, started: true }]);

    await untilRow(stand, workflowId, ({ status }) => status === 'waiting');
    const waiting = await stand.imports.progress(workflowId);
    expect(waiting).toMatchObject({
      dayRemaining: 12,
      waitingFor: 'What is left of Xero’s daily limit is reserved for others',
    });
    const again = await backfill('--all-connections', '--reserve', '12');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`${workflowId} is running already.`) });
    await stand.imports.cancel(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
  });

  test('a wrong request is refused with every problem named, and nothing is started', async () => {
    const wrong = await backfill('--connection', stand.connection, '--connection', 'none', '--modified-since', 'soon');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/--modified-since must be a real date/);
    expect(wrong.stderr).toMatch(/There is no connection "none"/);
    expect((await backfill()).stderr).toMatch(/--connection NAME .* or --all-connections/);
  });
});
