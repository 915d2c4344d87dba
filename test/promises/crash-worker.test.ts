import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { eventually } from '../embedded/probes.ts';
import { drawMoments, seededRandom, untilMoment, untilPages } from '../support/crash.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { runRows } from '../support/observe.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, startStand } from '../support/stand.ts';

const journals = 20_000;
/** Full pages, and the empty one that says it is over. */
const pages = journals / 100;
const ideal = pages + 1;
/** PENDING_ACTIVITY_STATE_STARTED */
const startedState = 2;
const unlimited = { minute: 1_000_000, day: 1_000_000 };

/** A stand without a worker, to which workers in processes of their own are added. */
async function begin(onTestFinished: TestContext['onTestFinished']) {
  const stand = await startStand({
    sandbox: { journals, seed: 20, gapRate: 0, limits: unlimited, latencyMs: 15 },
    worker: false,
  });
  const workers: TestProcess[] = [];
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.kill9()));
    await stand.close();
  });
  const { pool } = stand.database;
  const journalCalls = () => stand.sandbox.calls.journals();
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  return {
    stand,
    workflowId,
    journalCalls,
    startWorker(env: Record<string, string> = {}): TestProcess {
      const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: { ...stand.environment, ...env } });
      workers.push(worker);
      return worker;
    },
    async expectEverythingOnce(): Promise<void> {
      expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
      expect((await pool.query('select * from daybook.quarantine')).rows).toEqual([]);
      const runs = await runRows(stand, workflowId);
      expect(runs).toMatchObject([{ status: 'caughtUp', pages }]);
      // A call is counted before it is made: a crash in between counts one too many, never one too few.
      expect(runs[0]?.calls).toBeGreaterThanOrEqual(journalCalls().length);
      const { rows } = await pool.query(
        'select sum(journals)::int as journals, count(*)::int as pages from daybook.page_receipt',
      );
      expect(rows).toEqual([{ journals, pages }]);
    },
  };
}

// Each waits for heartbeats to be missed most of its time.
describe.concurrent('No journal is lost or doubled, whenever a worker dies', () => {
  test('kill -9 at any moment costs three pages fetched again at most, and the import ends by itself', async ({
    onTestFinished,
  }) => {
    const moments = drawMoments(seededRandom('moments of the kills'), 4, pages);
    const { stand, workflowId, startWorker, journalCalls, expectEverythingOnce } = await begin(onTestFinished);
    let worker = startWorker();
    for (const moment of moments) {
      await untilMoment(stand.database.pool, moment);
      await worker.kill9();
      worker = startWorker();
    }
    const ending = await stand.imports.ending(workflowId);
    expect(ending).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { stored: journals, pages } } });
    // Two were on their way in the second half, where one is lost at the end, and one waited to be stored.
    expect(journalCalls().length).toBeLessThanOrEqual(ideal + 1 + 3 * moments.length);
    await expectEverythingOnce();
  }, 300_000);

  test('a worker frozen in the middle of a page, and thawed when another has long gone on, changes nothing', async ({
    onTestFinished,
  }) => {
    const { stand, workflowId, startWorker, journalCalls, expectEverythingOnce } = await begin(onTestFinished);
    const [host = '', port] = stand.temporal.address.split(':');
    const wire = await startFaultProxy({ host, port: Number(port) });
    onTestFinished(() => wire.close());
    const frozen = startWorker({ TEMPORAL_ADDRESS: wire.address });
    await untilPages(stand.database.pool, 20);
    // Frozen while Xero's answer is on its way, so that it wakes with a page in its hands.
    stand.sandbox.setLatency(500);
    const asked = journalCalls().length;
    await eventually(() => journalCalls().length > asked);
    process.kill(frozen.pid, 'SIGSTOP');
    stand.sandbox.setLatency(15);
    // After the heartbeat timeout the page is given to it again, as it still has polls open: an attempt it will wake to.
    await eventually(async () => {
      const { raw } = await stand.temporal.client.workflow.getHandle(workflowId).describe();
      return raw.pendingActivities?.some(({ attempt, state }) => attempt === 2 && state === startedState);
    }, 30_000);
    // Each of its polls would swallow another one, for ten seconds and more. They go with its connection, as when a machine
    // is gone for long; what was sent to it waits in its socket.
    wire.hangUp();
    startWorker();
    await untilPages(stand.database.pool, 60);
    process.kill(frozen.pid, 'SIGCONT');
    const ending = await stand.imports.ending(workflowId);
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: journals, pages } } });
    // It did hold a page, and the other fetched it. An older attempt makes no new call, whatever it was handed while frozen.
    const again = journalCalls().length - ideal;
    expect(again).toBeGreaterThanOrEqual(1);
    expect(again).toBeLessThanOrEqual(5);
    // The thawed one is well again: it takes its share of what comes.
    await sleep(1_000);
    expect(frozen.output()).not.toMatch(/"level":(50|60)/);
    await expectEverythingOnce();
  }, 300_000);
});
