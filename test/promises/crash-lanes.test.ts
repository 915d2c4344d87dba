import { afterEach, beforeEach, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { mostLanes } from '../../model/lanes.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { eventually } from '../embedded/probes.ts';
import { untilPages } from '../support/crash.ts';
import { runRows } from '../support/observe.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const journals = 39_900;
/** Full pages; the empty one that says it is over comes after them. */
const pages = journals / 100;
/** From the three hundredth page on four calls are risked, from the four hundredth on five. */
const moments = [310, 320, 330];
const unlimited = { minute: 1_000_000, day: 1_000_000 };

let stand: Stand;
let worker: TestProcess;
beforeEach(async () => {
  stand = await startStand({ sandbox: { journals, seed: 36, gapRate: 0, limits: unlimited }, worker: false });
  worker = startWorker();
});
afterEach(async () => {
  await worker.kill9();
  await stand.close();
});

const startWorker = () => runProcess('bin/daybook.mjs', { args: ['worker'], env: stand.environment });
const journalCalls = () => stand.sandbox.calls.journals();

test('kill -9 while four calls are in flight costs those and what was not stored yet, and no journal', async () => {
  const { pool } = stand.database;
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  await untilPages(pool, 305);
  // Slower than a busy machine stores pages, so that all that may be in flight is; Xero's sixty a minute would ask for two.
  stand.sandbox.setLatency(1_500);
  for (const moment of moments) {
    await untilPages(pool, moment);
    await eventually(() => journalCalls().filter(({ endedAt }) => endedAt === 0).length >= mostLanes);
    await worker.kill9();
    worker = startWorker();
  }
  stand.sandbox.setLatency(0);
  const ending = await stand.imports.ending(workflowId);
  expect(ending).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { stored: journals, pages } } });

  const offsets = journalCalls().map(({ query }) => Number(new URLSearchParams(query).get('offset') ?? 0));
  const repeated = offsets.length - new Set(offsets).size;
  // Each kill met four on their way; one more page may have been under way to Postgres, and one waited for it.
  expect(repeated).toBeLessThanOrEqual(moments.length * (mostLanes + 2));
  // On dense numbers no page is asked for but where another ends; at the end all but one of those in flight meet nothing.
  expect(offsets.every((offset) => offset % 100 === 0)).toBe(true);
  expect(offsets.filter((offset) => offset >= journals).length).toBeLessThanOrEqual(mostLanes);

  expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
  const runs = await runRows(stand, workflowId);
  expect(runs).toMatchObject([{ status: 'caughtUp', pages }]);
  expect(runs[0]?.calls).toBeGreaterThanOrEqual(offsets.length);
  const { rows } = await pool.query(
    `select count(*)::int as receipts, sum(journals)::int as journals,
            count(*) filter (where after_number <> before)::int as torn
       from (select *, lag(through_number, 1, 0) over (order by after_number) as before from daybook.page_receipt) as receipt`,
  );
  expect(rows).toEqual([{ receipts: pages, journals, torn: 0 }]);
}, 300_000);
