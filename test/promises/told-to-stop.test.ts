import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { cancelRequested, type Handle, outage, startAlone } from '../support/workflows-alone.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());

const started = (workflowType: string, activities: Record<string, () => Promise<unknown>>) =>
  startAlone(temporal, workflowType, activities);

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
