import { afterEach, expect, test } from 'vitest';
import type { FaultAction } from '../../sandbox/faults.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
afterEach(() => stand.close());

async function start() {
  const limits = { minute: 10_000 };
  stand = await startStand({ sandbox: { journals: 1_500, contiguous: true, limits } });
}
/** So slow that three calls are in flight. */
const slowly = () => stand.sandbox.faults.add({ match: { path: 'Journals' }, do: { kind: 'delay', ms: 2_200 } });
const stored = async () =>
  (await stand.database.pool.query('select count(distinct journal_number)::int as count from xero.journal')).rows[0]
    .count;
const bend = (offset: number, times: number, action: FaultAction) =>
  stand.sandbox.faults.add({ match: { path: 'Journals', query: { offset: String(offset) }, times }, do: action });
const nothing = { kind: 'page', rows: 0 } as const;
const caughtUp = { ok: true, result: { outcome: 'caughtUp' } };

test('an empty page before others that have come is asked for again, and is not the end', async () => {
  await start();
  slowly();
  bend(800, 1, nothing);
  expect(await stand.importJournals()).toMatchObject(caughtUp);
  expect(await stored()).toBe(1_500);
});

test('one that stays empty though Xero has sent what lies behind it ends the import with a sentence, not as caught up', async () => {
  await start();
  slowly();
  bend(800, 1_000, nothing);
  const ended = await stand.importJournals();
  expect(ended).toMatchObject({ ok: false, failure: 'RefusedByXero' });
  expect(ended).toMatchObject({ message: expect.stringMatching(/after 800 and sent none, though it sent some/) });
  // What came before it stays, and the next import reads on.
  stand.sandbox.faults.clear();
  expect(await stand.importJournals()).toMatchObject(caughtUp);
  expect(await stored()).toBe(1_500);
});

test('an empty page before what is stored already ends neither a full import nor one of a range', async () => {
  await start();
  expect(await stand.importJournals()).toMatchObject(caughtUp);
  await stand.database.pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking');
  bend(500, 1, nothing);
  expect(await stand.importJournals({ startingAtJournalId: 301, endingAtJournalId: 900 })).toMatchObject(caughtUp);
  expect(await stored()).toBe(600);
  stand.sandbox.faults.clear();
  bend(1_200, 1, nothing);
  expect(await stand.importJournals({ full: true })).toMatchObject(caughtUp);
  expect(await stored()).toBe(1_500);
});

test('an answer that calls itself an error is asked for again, whatever its status and its list are', async () => {
  await start();
  bend(500, 1, { kind: 'answer', status: 200, body: '{"Id":"x","Status":"ERROR","Journals":[]}' });
  expect(await stand.importJournals()).toMatchObject(caughtUp);
  expect(await stored()).toBe(1_500);
});
