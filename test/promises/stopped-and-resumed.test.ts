import { setTimeout as sleep } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { cancelRequested, startAlone, totals } from '../support/workflows-alone.ts';

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
