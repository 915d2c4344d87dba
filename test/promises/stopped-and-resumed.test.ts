import { setTimeout as sleep } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { cancelRequested, outage, startAlone, totals } from '../support/workflows-alone.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());

/** An activity whose first attempt hangs, beating, until it hears that it is given up, and the test lets it say so; the next ends well. */
function hanging(outcome: unknown) {
  let attempts = 0;
  let mayAnswer = false;
  return {
    activity: async () => {
      attempts++;
      if (attempts > 1) return outcome;
      const { cancellationSignal } = Context.current();
      while (!cancellationSignal.aborted || !mayAnswer) {
        heartbeat();
        await sleep(100);
      }
      throw cancellationSignal.reason;
    },
    untilTried: () => vi.waitFor(() => expect(attempts).toBe(1), { timeout: 20_000 }),
    answer: () => {
      mayAnswer = true;
    },
  };
}

describe('Who is resumed before the attempt that is given up has ended goes on, and has not failed', {
  timeout: 90_000,
}, () => {
  test.each([
    ['reconcileLedger', 'reconcile', { kind: 'reconciled', result: { outcome: 'agrees', message: 'All agrees.' } }],
    ['importJournals', 'importPages', { kind: 'caughtUp', readThrough: 1, dayRemaining: null, totals }],
  ])('%s', async (type, activity, outcome) => {
    const work = hanging(outcome);
    const { handle, stop } = await startAlone(temporal, type, { [activity]: work.activity });
    try {
      await work.untilTried();
      await handle.signal('pause');
      // An import waits half a minute for its page in flight, a reconciliation has none.
      await vi.waitFor(async () => expect((await handle.fetchHistory()).events).toContainEqual(cancelRequested), {
        timeout: 50_000,
      });
      await handle.signal('resume');
      work.answer();
      expect(await handle.result()).toMatchObject({ outcome: type === 'importJournals' ? 'caughtUp' : 'agrees' });
    } finally {
      work.answer();
      await stop();
    }
  });
});

describe('Who has been resumed runs again, and is told to stop a second time as well as the first', {
  timeout: 90_000,
}, () => {
  /** An import whose next attempt is an hour away, paused and resumed. */
  async function pausedAndResumed() {
    let attempts = 0;
    const importPages = async () => {
      attempts++;
      throw outage(3_600_000);
    };
    const { handle, marked, ended, stop } = await startAlone(temporal, 'importJournals', { importPages });
    const untilMarked = (...wanted: string[]) =>
      vi.waitFor(() => expect(marked).toEqual(wanted), { timeout: 50_000, interval: 50 });
    try {
      await vi.waitFor(() => expect(attempts).toBe(1), { timeout: 20_000 });
      await handle.signal('pause');
      await untilMarked('stopping');
      await handle.signal('resume');
      await untilMarked('stopping', 'running');
    } catch (failure) {
      await stop();
      throw failure;
    }
    return { handle, ended, untilMarked, stop };
  }

  test('its row says so, and `cancel` ends it within half a minute', async () => {
    const { handle, ended, untilMarked, stop } = await pausedAndResumed();
    try {
      await handle.signal('cancel');
      await untilMarked('stopping', 'running', 'stopping');
      expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
      expect(ended).toEqual(['cancelled']);
    } finally {
      await stop();
    }
  });

  test('Temporal’s cancellation ends it at once', async () => {
    const { handle, ended, stop } = await pausedAndResumed();
    try {
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow('cancelled');
      expect(ended).toEqual(['cancelled']);
    } finally {
      await stop();
    }
  });
});
