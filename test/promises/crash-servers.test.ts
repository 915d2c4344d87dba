import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import type { Ending } from '../../client/imports.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { eventually } from '../embedded/probes.ts';
import { drawMoments, type Moment, seededRandom, untilMoment } from '../support/crash.ts';
import { type OwnServers, startOwnServers } from '../support/own-servers.ts';

const journals = 20_000;
/** Full pages, and the empty one that says it is over. */
const pages = journals / 100;
const ideal = pages + 1;
/** What a kill may cost: two were on their way in the second half, where one is lost at the end, and one waited to be stored. */
const lostByAKill = 3;
/** Beside these, commits that came right behind each other: Postgres writes its log at the latest after a megabyte of it. */
const forgottenByAKill = 12;
const unlimited = { minute: 1_000_000, day: 1_000_000 };

describe('No journal is lost or doubled, whichever server dies', () => {
  let own: OwnServers;
  beforeEach(async () => {
    own = await startOwnServers({ journals, seed: 21, gapRate: 0, limits: unlimited, latencyMs: 15 });
  }, 120_000);
  afterEach(() => own.close());

  /** What was killed a moment ago may not be back yet, while the import has gone on without it. */
  const kill9 = async (victim: { pid(): number | undefined }) =>
    process.kill(await eventually(() => victim.pid(), 60_000), 'SIGKILL');

  /** Runs a whole import and breaks something at each of these moments. */
  async function importThrough(moments: Moment[], breakIt: (index: number) => unknown): Promise<Ending> {
    const { workflowId } = await own.imports.startJournals({ connection: 'acme', application: 'planning' });
    for (const [index, moment] of moments.entries()) {
      await untilMoment(own.pool, moment);
      await breakIt(index);
    }
    // Asking for the end fails while Temporal is away; the import does not.
    return eventually(() => own.imports.ending(workflowId), 240_000);
  }

  async function expectEverythingOnce(ending: Ending, callsLost: number): Promise<void> {
    expect(ending).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { stored: journals, pages } } });
    expect(differences(await summariseLedger(own.pool, own.organisation.tenantId), own.organisation)).toEqual([]);
    expect((await own.pool.query('select * from daybook.quarantine')).rows).toEqual([]);
    const runs = await own.pool.query('select status, pages, stored from daybook.import_run');
    expect(runs.rows).toEqual([{ status: 'caughtUp', pages, stored: journals }]);
    expect(own.sandbox.calls.journals().length).toBeLessThanOrEqual(ideal + 1 + callsLost);
  }

  test.each([15, 0])(
    'Postgres, kill -9 in mid-import, with answers that take %i ms',
    async (latencyMs) => {
      own.sandbox.setLatency(latencyMs);
      const moments = drawMoments(seededRandom('moments of the kills'), 3, pages);
      const ending = await importThrough(moments, () => kill9(own.postgres));
      await expectEverythingOnce(ending, (lostByAKill + forgottenByAKill) * moments.length);
    },
    300_000,
  );

  test('Postgres, away when an import begins: it waits as an activity that can be seen, and writes no history', async () => {
    const start = (endingAtJournalId: number) =>
      own.imports.startJournals({ connection: 'acme', application: 'planning', endingAtJournalId });
    // A worker begins only with Postgres there.
    await own.imports.ending((await start(100)).workflowId);
    own.wire.refuse();
    const { workflowId } = await start(250);
    const pending = async () => {
      const { raw, historyLength } = await own.client.workflow.getHandle(workflowId).describe();
      const [activity] = raw.pendingActivities ?? [];
      const said = activity?.lastFailure?.message ?? '';
      return { historyLength, type: activity?.activityType?.name, attempt: activity?.attempt ?? 0, said };
    };
    await expect.poll(pending, { timeout: 20_000 }).toMatchObject({ type: 'beginImport' });
    await expect
      .poll(async () => (await pending()).said, { timeout: 20_000 })
      .toMatch(/^Postgres does not answer \(.+\)/);
    const before = await pending();
    await expect.poll(async () => (await pending()).attempt, { timeout: 20_000 }).toBeGreaterThan(before.attempt + 1);
    expect((await pending()).historyLength).toBe(before.historyLength);
    own.wire.heal();
    expect(await own.imports.ending(workflowId)).toMatchObject({ ok: true, result: { readThrough: 250 } });
  }, 120_000);

  test('Temporal, kill -9 in mid-import', async () => {
    const moments = drawMoments(seededRandom('moments of the kills'), 3, pages);
    const ending = await importThrough(moments, () => kill9(own.temporal));
    await expectEverythingOnce(ending, lostByAKill * moments.length);
  }, 300_000);

  test('both at once, and the worker with them', async () => {
    const moments = drawMoments(seededRandom('moments of the kills'), 2, pages);
    const ending = await importThrough(moments, () => Promise.all([own.postgres, own.temporal, own.worker].map(kill9)));
    await expectEverythingOnce(ending, (lostByAKill + forgottenByAKill) * moments.length);
  }, 300_000);

  test('connections to Postgres cut and refused, and answers lost in the middle of commits', async () => {
    const random = seededRandom('moments of the faults');
    const moments = drawMoments(random, 9, pages);
    const { wire } = own;
    const faults = [
      () => wire.cut(),
      async () => {
        // The commit arrives, its answer does not: nobody knows whether the page is stored.
        wire.loseAnswers();
        await sleep(50 + random() * 200);
        wire.heal();
      },
      async () => {
        wire.refuse();
        await sleep(500 + random() * 1_500);
        wire.heal();
      },
    ];
    const ending = await importThrough(moments, (index) => faults[index % faults.length]?.());
    await expectEverythingOnce(ending, lostByAKill * moments.length);
  }, 300_000);
});
