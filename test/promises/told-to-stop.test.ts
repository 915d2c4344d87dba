import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { testBundle } from '../support/data-folder.ts';
import { connectTemporal, type TestTemporal, uniqueName } from '../support/temporal.ts';

// The workflows as they are; activities that fail at the instant that matters, which no server can be made to do so exactly.

Runtime.install({ logger: new DefaultLogger('ERROR') });
let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());

const run = { runId: 'r', connection: 'c', organisation: 'o', application: 'a', stream: 'journals', wanted: 'all' };
const totals = { pages: 0, stored: 0, admitted: 0, quarantined: 0, calls: 0 };

/** Starts a workflow on a worker with these activities; bookkeeping is written down as it would be in Postgres. */
async function started(workflowType: string, activities: Record<string, () => Promise<unknown>>) {
  const taskQueue = uniqueName('stops');
  const ended: string[] = [];
  const bookkeeping = {
    beginImport: async () => ({ kind: 'begun', run: { ...run, startingAt: 1, endingAt: null } }),
    markRun: async () => ({ isOver: false }),
    finishImport: async ({ status }: { status: string }) => {
      ended.push(status);
      return totals;
    },
  };
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    activities: { ...bookkeeping, ...activities },
    workflowBundle: { codePath: await testBundle() },
  });
  const ran = worker.run();
  const handle = await temporal.client.workflow.start(workflowType, {
    taskQueue,
    workflowId: uniqueName('stops'),
    args: [{}],
  });
  const status = async () => (await handle.describe()).status.name;
  return {
    handle,
    ended,
    status,
    stop: async () => {
      if ((await status()) === 'RUNNING') await handle.terminate();
      worker.shutdown();
      await ran;
    },
  };
}

const outage = (nextRetryDelay: number) =>
  ApplicationFailure.create({ type: 'XeroUnavailable', message: 'Xero had a fault of its own (503).', nextRetryDelay });

/** An activity whose attempts fail each at the test's word, and are tried again at once. */
function failing() {
  let attempts = 0;
  const held: (() => void)[] = [];
  const activity = async () => {
    attempts++;
    await new Promise<void>((resolve) => {
      held.push(resolve);
    });
    throw outage(1);
  };
  return {
    activity,
    untilTried: (times = 1) => vi.waitFor(() => expect(attempts).toBeGreaterThanOrEqual(times), { timeout: 20_000 }),
    fail: () => {
      for (const release of held.splice(0)) release();
    },
  };
}

describe('Who is told to stop while its attempt fails has stopped, and has not failed', { timeout: 60_000 }, () => {
  test('a reconciliation: `pause` rests it, `resume` does it anew, `cancel` ends it as cancelled', async () => {
    const report = failing();
    const { handle, stop } = await started('reconcileLedger', { reconcile: report.activity });
    try {
      await report.untilTried();
      await handle.signal('pause');
      // The signal is heard, and so is what it asks of the activity, before the attempt fails.
      await vi.waitFor(async () => expect((await handle.fetchHistory()).events).toContainEqual(cancelRequested));
      report.fail();
      await vi.waitFor(async () => expect(await handle.query('waitingFor')).toMatch(/resume/), { timeout: 20_000 });
      await handle.signal('resume');
      await report.untilTried(2);
      await handle.signal('cancel');
      await sleep(500);
      report.fail();
      expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    } finally {
      report.fail();
      await stop();
    }
  });

  test.each([
    ['importJournals', 'importPages', ['cancelled']],
    ['reconcileLedger', 'reconcile', []],
  ])('%s: Temporal’s cancellation ends it as cancelled, and its row', async (type, activity, ends) => {
    const work = failing();
    const { handle, ended, status, stop } = await started(type, { [activity]: work.activity });
    try {
      await work.untilTried();
      await handle.cancel();
      await vi.waitFor(async () => expect((await handle.fetchHistory()).events).toContainEqual(cancelRequested));
      work.fail();
      await expect(handle.result()).rejects.toThrow('cancelled');
      expect(await status()).toBe('CANCELLED');
      expect(ended).toEqual(ends);
    } finally {
      work.fail();
      await stop();
    }
  });

  test.each([
    [
      '`cancel`',
      'cancel',
      async (handle: Handle) => expect(await handle.result()).toMatchObject({ outcome: 'cancelled' }),
    ],
    [
      '`pause`',
      'pause',
      (handle: Handle) =>
        vi.waitFor(async () => expect(await handle.query('progress')).toMatchObject({ status: 'paused' }), {
          timeout: 50_000,
        }),
    ],
  ])('%s is heard by an import whose next attempt is an hour away', async (_, signal, heard) => {
    let attempts = 0;
    const importPages = async () => {
      attempts++;
      throw outage(3_600_000);
    };
    const { handle, stop } = await started('importJournals', { importPages });
    try {
      await vi.waitFor(() => expect(attempts).toBe(1), { timeout: 20_000 });
      await handle.signal(signal);
      await heard(handle);
      expect(attempts).toBe(1);
    } finally {
      await stop();
    }
  });
});

type Handle = Awaited<ReturnType<typeof started>>['handle'];
const cancelRequested = expect.objectContaining({
  activityTaskCancelRequestedEventAttributes: expect.anything(),
});

test('a bug of the workflow’s own ends neither the run’s row nor the workflow, which a mended worker goes on with', async () => {
  // An answer that it does not expect: without totals.
  const importPages = async () => ({ kind: 'imported', readThrough: 1, dayRemaining: null });
  const { handle, ended, status, stop } = await started('importJournals', { importPages });
  try {
    await vi.waitFor(async () => expect((await handle.fetchHistory()).events).toContainEqual(taskFailed), {
      timeout: 30_000,
    });
    expect(ended).toEqual([]);
    expect(await status()).toBe('RUNNING');
  } finally {
    await stop();
  }
}, 60_000);

const taskFailed = expect.objectContaining({ workflowTaskFailedEventAttributes: expect.anything() });
