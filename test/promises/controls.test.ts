import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { countRuns, forgetImports, historiesOf, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const journals = 1_000;
let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals, seed: 31, limits: { minute: 100_000, day: 100_000 } } });
});
beforeEach(() => forgetImports(stand));
afterAll(() => stand.close());

const start = () => stand.imports.startJournals({ connection: stand.connection, application });
const handle = (workflowId: string) => stand.temporal.client.workflow.getHandle(workflowId);
const wrongNow = async () =>
  differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation);
const counted = async () => {
  const { rows } = await stand.database.pool.query<{ stored: number; pages: number; watermark: number | null }>(
    `select (select count(*)::int from xero.journal) as stored, (select count(*)::int from daybook.page_receipt) as pages,
            (select watermark::int from daybook.stream_position) as watermark`,
  );
  return rows[0] ?? { stored: -1, pages: -1, watermark: null };
};
const answered = () => stand.sandbox.calls.journals().filter(({ status }) => status === 200).length;

/** Starts an import and stops it somehow in mid-run; answers its workflow id once it has ended. */
async function stopInMidRun(stop: (workflowId: string) => Promise<unknown>) {
  stand.sandbox.setLatency(150);
  const run = await start();
  await untilRow(stand, run.workflowId, ({ pages }) => pages >= 2);
  await stop(run.workflowId);
  const ending = await stand.imports.ending(run.workflowId);
  return { ...run, ending };
}

/** What was begun is whole, the row says so, and a new run goes on from there without reading it all again. */
async function expectStoppedCleanly(workflowId: string) {
  const { stored, pages, watermark } = await counted();
  expect(stored).toBe(pages * 100);
  expect(stored).toBeLessThan(journals);
  expect(pages).toBe(answered());
  expect([...stand.organisation.books.numbers()].filter((n) => n <= (watermark ?? 0))).toHaveLength(stored);
  expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'cancelled', waiting_until: null, pages }]);
  stand.sandbox.setLatency(0);
  stand.sandbox.calls.reset();
  const next = await stand.importJournals();
  expect(next).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { stored: journals - stored } } });
  // The overlap costs a page or two, the end an empty one.
  expect(stand.sandbox.calls.journals().length).toBeLessThanOrEqual((journals - stored) / 100 + 3);
  expect(await wrongNow()).toEqual([]);
}

test('an import says of itself what can be said to it and asked of it', async () => {
  const { workflowId } = await stand.importJournals();
  const { definition } = await handle(workflowId).query<{
    definition: Record<'signalDefinitions' | 'queryDefinitions', { name: string; description?: string }[]>;
  }>('__temporal_workflow_metadata');
  const told = [...definition.signalDefinitions, ...definition.queryDefinitions]
    .filter(({ name }) => !name.startsWith('__'))
    .map(({ name, description }) => [name, description]);
  // The whole of it: a person has only this to choose by, in Temporal's UI.
  expect(Object.fromEntries(told)).toEqual({
    pause: expect.stringMatching(/^Stops after the page in flight and waits for resume/),
    resume: expect.stringMatching(/^Goes on after pause/),
    lookAgain: expect.stringMatching(/^Ends a wait .* what is paused stays so/),
    cancel: expect.stringMatching(/^Stops after the page in flight and ends as cancelled/),
    progress: expect.stringMatching(/^Where the import stands/),
  });
});

describe('A running import does what it is told', () => {
  test('`pause` stops it after the page in flight until `resume`; no call is made meanwhile', async () => {
    stand.sandbox.setLatency(100);
    const { workflowId } = await start();
    await untilRow(stand, workflowId, ({ pages }) => pages >= 2);
    await stand.imports.pause(workflowId);
    const paused = await untilProgress(stand, workflowId, ({ status }) => status === 'paused');
    expect(paused).toMatchObject({ waitingFor: 'somebody to resume it', waitingUntil: null });
    await expect.poll(async () => (await runRows(stand, workflowId))[0]?.status).toBe('paused');
    const calls = stand.sandbox.calls.all().length;
    expect((await counted()).pages).toBe(answered());
    await sleep(500);
    expect(stand.sandbox.calls.all()).toHaveLength(calls);
    await stand.imports.resume(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await wrongNow()).toEqual([]);
    expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'caughtUp' }]);
  });

  test('`cancel` finishes the page in flight, ends the row and frees the lease', async () => {
    const { workflowId, ending } = await stopInMidRun((id) => stand.imports.cancel(id));
    expect(ending).toMatchObject({
      ok: true,
      result: { outcome: 'cancelled', message: expect.stringContaining('a new run goes on') },
    });
    await expectStoppedCleanly(workflowId);
  });

  test('Temporal’s own cancellation does the same, and the workflow counts as cancelled', async () => {
    const { workflowId, ending } = await stopInMidRun((id) => handle(id).cancel());
    expect(ending).toMatchObject({ ok: false, failure: 'CancelledFailure' });
    expect((await handle(workflowId).describe()).status.name).toBe('CANCELLED');
    await expectStoppedCleanly(workflowId);
  });

  test.each([
    ['`cancel`', (id: string) => stand.imports.cancel(id)],
    ['Temporal’s cancellation', (id: string) => handle(id).cancel()],
  ])('%s ends a paused import', async (_, stop) => {
    const { workflowId } = await stopInMidRun(async (id) => {
      await stand.imports.pause(id);
      await untilRow(stand, id, ({ status }) => status === 'paused');
      await stop(id);
    });
    await expectStoppedCleanly(workflowId);
  });

  test('cancelled in the moment it begins, it leaves no open row', async () => {
    for (const delay of [0, 5, 15, 30, 60]) {
      const { workflowId } = await start();
      await sleep(delay);
      await handle(workflowId).cancel();
      await stand.imports.ending(workflowId);
    }
    const { rows } = await stand.database.pool.query('select 1 from daybook.import_run where ended_at is null');
    expect(rows).toEqual([]);
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  });
});

describe('What is said while a page is in flight that Xero refuses for long is not slept over', () => {
  /** The third page takes a while and is then refused for so many seconds. */
  async function speakBeforeTheWait(seconds: number, speak: (workflowId: string) => Promise<unknown>) {
    const match = { path: 'Journals', nth: 3 };
    stand.sandbox.faults.add(
      { match, do: { kind: 'delay', ms: 700 } },
      { match, do: { kind: 'rateLimited', problem: 'day', retryAfter: seconds } },
    );
    const { workflowId } = await start();
    await vi.waitFor(() => expect(stand.sandbox.calls.journals()).toHaveLength(3), 10_000);
    await speak(workflowId);
    return workflowId;
  }

  test.each([40, 3_600])(
    '`cancel`, before a wait of %i s',
    async (seconds) => {
      const workflowId = await speakBeforeTheWait(seconds, (id) => stand.imports.cancel(id));
      expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
      expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'cancelled', pages: 2 }]);
    },
    30_000,
  );

  test.each([40, 3_600])(
    'Temporal’s cancellation, before a wait of %i s',
    async (seconds) => {
      const workflowId = await speakBeforeTheWait(seconds, (id) => handle(id).cancel());
      expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: false, failure: 'CancelledFailure' });
      expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'cancelled', pages: 2 }]);
    },
    30_000,
  );

  test.each([40, 3_600])(
    '`pause`, before a wait of %i s: it rests, and waits only when resumed',
    async (seconds) => {
      const workflowId = await speakBeforeTheWait(seconds, (id) => stand.imports.pause(id));
      await untilProgress(stand, workflowId, ({ status }) => status === 'paused');
      await stand.imports.resume(workflowId);
      await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
      await stand.imports.cancel(workflowId);
      expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
      expect(stand.sandbox.calls.journals()).toHaveLength(3);
    },
    30_000,
  );
});

describe('An import longer than a history goes on in a fresh one', () => {
  let long: Stand;
  beforeAll(async () => {
    long = await startStand({
      sliceMs: 0,
      sandbox: { journals: 260 * 99, seed: 33, limits: { minute: 100_000, day: 100_000 } },
    });
    // Behind a page that is not full none is asked for before it has come, however slow the machine: each page is a turn.
    long.sandbox.faults.add({ match: { path: 'Journals' }, do: { kind: 'page', rows: 99 } });
  });
  afterAll(() => long.close());

  test('with its totals right, its row one, and the query answering all along', async () => {
    const run = await long.imports.startJournals({ connection: long.connection, application });
    await untilProgress(long, run.workflowId, ({ totals }) => totals.pages > 250, 90_000);
    const ending = await long.imports.ending(run.workflowId);
    expect(ending).toMatchObject({
      ok: true,
      result: { outcome: 'caughtUp', runId: run.runId, totals: { pages: 260, stored: 260 * 99, calls: 261 + 4 } },
    });
    expect((await historiesOf(long, run.workflowId, run.runId)).length).toBe(2);
    expect(await long.imports.progress(run.workflowId)).toMatchObject({ status: 'caughtUp', totals: { pages: 260 } });
    expect(await countRuns(long)).toBe(1);
    expect(
      differences(await summariseLedger(long.database.pool, long.organisation.tenantId), long.organisation),
    ).toEqual([]);
  }, 180_000);
});
