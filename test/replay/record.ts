import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fault } from '../../sandbox/server.ts';
import { untilProgress, untilRow } from '../support/observe.ts';
import { type Stand, startStand } from '../support/stand.ts';

// Records the golden paths of the workflows as histories. When a workflow gets a new shape, name a new folder here and keep
// the old ones: workflows that were begun by an older version must go on with a newer one.
const folder = join(import.meta.dirname, 'second-stop');

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({
    sliceMs: 0,
    sandbox: { journals: 900, limits: { minute: 10_000, dayAnchor: 'firstCall' } },
  });
});
afterAll(() => stand.close());

async function record(name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await stand.temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const json = JSON.parse(historyToJSON(history), (key, value) => {
    // Where it was recorded is nobody's business.
    if (key === 'identity' || key === 'stackTrace') return '';
    // Sticky task queues are named after process and host.
    return typeof value === 'string' ? value.replace(/\d+@[\w.-]+/, '1@recorder') : value;
  });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(json)}\n`);
}

const request = () => ({ connection: stand.connection, application: 'planning' });

test('plain: pages until the empty one', async () => {
  const { workflowId } = await stand.importJournals({ full: true });
  await record('plain', workflowId);
});

test('bounded and filtered: the last number is the end', async () => {
  const { workflowId } = await stand.importJournals({
    startingAtJournalId: 50,
    endingAtJournalId: 350,
    modifiedSince: '2000-01-01',
  });
  await record('filtered', workflowId);
});

test('refused: a wrong request', async () => {
  const handle = await stand.temporal.client.workflow.start('importJournals', {
    taskQueue: stand.taskQueue,
    workflowId: `${stand.connection}-refused`,
    args: [{ ...request(), startingAtJournalId: 'abc' }],
  });
  await expect(handle.result()).rejects.toThrow();
  await record('refused', handle.workflowId);
});

test('suspended: the day’s quota is spent, a timer, and on', async () => {
  stand.sandbox.limits.set({ day: 3, dayWindowSeconds: 5 });
  const { workflowId } = await stand.importJournals({ startingAtJournalId: 1, endingAtJournalId: 650 });
  await record('suspended', workflowId);
  stand.sandbox.limits.set({ day: 5_000 });
});

test('paused, resumed, cancelled', async () => {
  stand.sandbox.setLatency(150);
  const { workflowId } = await stand.imports.startJournals({ ...request(), startingAtJournalId: 2 });
  await stand.imports.pause(workflowId);
  await expect.poll(async () => (await stand.imports.progress(workflowId)).status).toBe('paused');
  await stand.imports.resume(workflowId);
  await expect.poll(async () => (await stand.imports.progress(workflowId)).totals.pages).toBeGreaterThan(1);
  await stand.imports.cancel(workflowId);
  await stand.imports.ending(workflowId);
  await record('paused-resumed-cancelled', workflowId);
});

test('cancelled from Temporal’s side', async () => {
  const { workflowId } = await stand.imports.startJournals({ ...request(), startingAtJournalId: 3 });
  await expect.poll(async () => (await stand.imports.progress(workflowId)).totals.pages).toBeGreaterThan(0);
  await stand.temporal.client.workflow.getHandle(workflowId).cancel();
  await stand.imports.ending(workflowId);
  await record('cancelled', workflowId);
  stand.sandbox.setLatency(0);
});

test('continued: a long wait begins on a fresh history', async () => {
  stand.sandbox.limits.reset();
  stand.sandbox.limits.set({ day: 6, dayWindowSeconds: 66 });
  const { workflowId, runId } = await stand.imports.startJournals({ ...request(), startingAtJournalId: 4 });
  await stand.imports.ending(workflowId);
  await record('continued-first', workflowId, runId);
  await record('continued-last', workflowId);
}, 120_000);

test('kept alive: the daily look at idle authorisations', async () => {
  const handle = await stand.temporal.client.workflow.start('keepAuthorisationsAlive', {
    taskQueue: stand.taskQueue,
    workflowId: `${stand.connection}-kept-alive`,
  });
  await handle.result();
  await record('kept-alive', handle.workflowId);
});

test('reconciled: compared at once, and after a spent day', async () => {
  stand.sandbox.limits.reset();
  stand.sandbox.limits.set({ day: 5_000 });
  await stand.importJournals();
  const reconcile = async (name: string) => {
    const handle = await stand.temporal.client.workflow.start('reconcileLedger', {
      taskQueue: stand.taskQueue,
      workflowId: `${stand.connection}-${name}`,
      args: [request()],
    });
    await handle.result();
    await record(name, handle.workflowId);
  };
  await reconcile('reconciled');
  stand.sandbox.limits.set({ day: 1, dayWindowSeconds: 5 });
  await reconcile('reconciled-suspended');
});

test('invoices: pages, a sweep, and on over a spent day', async () => {
  stand.sandbox.limits.reset();
  stand.sandbox.limits.set({ day: 5_000 });
  const { workflowId } = await stand.importInvoices();
  await record('invoices', workflowId);
  stand.sandbox.limits.set({ day: 3, dayWindowSeconds: 5 });
  const suspended = await stand.importInvoices({ full: true });
  await record('invoices-suspended', suspended.workflowId);
});

describe('in trouble', () => {
  const down = (headers = {}): Fault => ({
    match: { path: '/api.xro/' },
    do: { kind: 'answer', status: 503, headers, body: 'Down' },
  });
  const handle = (workflowId: string) => stand.temporal.client.workflow.getHandle(workflowId);
  /** Waits until an activity has failed and is tried again no sooner than in so many seconds. */
  const untilPauses = (workflowId: string, seconds: number) =>
    vi.waitFor(
      async () => {
        const { pendingActivities } = (await handle(workflowId).describe()).raw;
        expect(Number(pendingActivities?.[0]?.currentRetryInterval?.seconds ?? 0)).toBeGreaterThan(seconds);
      },
      { timeout: 90_000, interval: 100 },
    );
  const begin = async (startingAtJournalId: number) =>
    (await stand.imports.startJournals({ ...request(), startingAtJournalId })).workflowId;
  beforeEach(() => {
    stand.sandbox.faults.clear();
    stand.sandbox.limits.reset();
    stand.sandbox.limits.set({ day: 5_000 });
  });

  test('an outage that says how long it lasts', async () => {
    stand.sandbox.faults.add({ ...down({ 'retry-after': '25' }), match: { path: 'Journals', nth: 2 } });
    const workflowId = await begin(5);
    await stand.imports.ending(workflowId);
    await record('outage', workflowId);
  });

  test('under way: cut in the midst of its pages', async () => {
    stand.sandbox.setLatency(150);
    const workflowId = await begin(6);
    await untilProgress(stand, workflowId, ({ totals }) => totals.pages > 2);
    await record('under-way', workflowId);
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
    stand.sandbox.setLatency(0);
  });

  test('cancelled from Temporal’s side while each attempt fails', async () => {
    stand.sandbox.faults.add(down());
    const workflowId = await begin(7);
    await untilPauses(workflowId, 2);
    await handle(workflowId).cancel();
    await stand.imports.ending(workflowId);
    await record('cancelled-while-failing', workflowId);
  });

  test('paused while each attempt fails, and given up; resumed, and cancelled', async () => {
    stand.sandbox.faults.add(down());
    const workflowId = await begin(8);
    await untilPauses(workflowId, 31);
    await stand.imports.pause(workflowId);
    await untilProgress(stand, workflowId, ({ status }) => status === 'paused', 60_000);
    stand.sandbox.faults.clear();
    stand.sandbox.setLatency(150);
    await stand.imports.resume(workflowId);
    await untilProgress(stand, workflowId, ({ totals }) => totals.pages > 1);
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
    await record('paused-while-failing', workflowId);
    stand.sandbox.setLatency(0);
  }, 180_000);

  test('paused and resumed while each attempt fails, and cancelled', async () => {
    stand.sandbox.faults.add(down());
    const workflowId = await begin(10);
    await untilPauses(workflowId, 63);
    await stand.imports.pause(workflowId);
    await untilRow(stand, workflowId, ({ status }) => status === 'stopping');
    await stand.imports.resume(workflowId);
    await untilRow(stand, workflowId, ({ status }) => status === 'running');
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
    await record('resumed-and-cancelled-while-failing', workflowId);
  }, 180_000);

  test('a reconciliation that is paused while each attempt fails, and resumed', async () => {
    stand.sandbox.faults.add(down());
    const { workflowId } = await stand.temporal.client.workflow.start('reconcileLedger', {
      taskQueue: stand.taskQueue,
      workflowId: `${stand.connection}-reconciled-paused`,
      args: [request()],
    });
    await untilPauses(workflowId, 2);
    await handle(workflowId).signal('pause');
    await sleep(1_000);
    stand.sandbox.faults.clear();
    await handle(workflowId).signal('resume');
    await handle(workflowId).result();
    await record('reconciled-paused-while-failing', workflowId);
  });

  test('a lost consent is waited for, and cancelled', async () => {
    stand.sandbox.tokens.revoke();
    stand.sandbox.tokens.expireAccessTokens();
    const workflowId = await begin(9);
    await untilProgress(stand, workflowId, ({ status }) => status === 'needsReconnect');
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
    await record('needs-reconnect', workflowId);
  });
});
