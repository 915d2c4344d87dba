import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { drawSeed } from '../support/observe.ts';
import { type Stand, startStand } from '../support/stand.ts';

const old = 5_600;
const young = 400;
const late = 25;
const seed = drawSeed('late journals');

let stand: Stand;
beforeAll(async () => {
  // Natural gaps among the old ones, which nobody reads twice for.
  stand = await startStand({ sandbox: { journals: old, seed, limits: { minute: 10_000 } } });
});
afterAll(() => stand.close());

const wrongNow = async () =>
  differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation);
async function journalCalls(filters = {}) {
  stand.sandbox.calls.reset();
  const ended = await stand.importJournals(filters);
  expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  return { ended, calls: stand.sandbox.calls.journals().length };
}
/** Posts a number in the two hours before now. */
function post(number: number, first: number) {
  const created = Date.now() - 2 * 3_600_000 + ((number - first) / young) * 7_000_000;
  stand.organisation.books.put(number, { created: Math.floor(created) });
}

test('journals that become visible after higher ones were read are stored by the next run, for a few calls', async () => {
  const { books } = stand.organisation;
  const first = books.lastNumber + 1;
  const numbers = Array.from({ length: young }, (_, index) => first + index);
  // Spread by lot; the last one of all is there, or the late ones behind it would just be new.
  const hidden = new Set<number>();
  for (let draw = seed; hidden.size < late; draw = (draw * 48_271) % 2_147_483_647)
    hidden.add(first + (draw % (young - 1)));
  for (const number of numbers) if (!hidden.has(number)) post(number, first);
  await journalCalls();
  expect(await wrongNow()).toEqual([]);
  for (const number of hidden) post(number, first);
  expect(await wrongNow()).not.toEqual([]);

  const { ended, calls } = await journalCalls();
  expect(ended).toMatchObject({ result: { totals: { stored: late } } });
  expect(calls).toBeLessThanOrEqual(young / 100 + 2);
  expect(await wrongNow()).toEqual([]);
});

test('once the head is whole there is nothing to look at again: two calls', async () => {
  expect((await journalCalls()).calls).toBe(2);
});

test('a gap that stays is looked at until what lies behind it has aged, then never again', async () => {
  const { books } = stand.organisation;
  const gap = books.lastNumber + 1;
  for (let n = 1; n <= 250; n++) books.put(gap + n, { created: Date.now() - 3_600_000 });
  await journalCalls();
  expect((await journalCalls()).calls).toBe(4);
  expect((await journalCalls()).calls).toBe(4);
  // As though three hours had passed since it was posted and read.
  await stand.database.pool.query(
    `update xero.journal set created_date_utc = created_date_utc - interval '3 hours', stored_at = stored_at - interval '3 hours'
      where journal_number > $1`,
    [gap],
  );
  await stand.database.pool.query(`update daybook.page_receipt set stored_at = stored_at - interval '3 hours'`);
  expect((await journalCalls()).calls).toBe(4);
  expect((await journalCalls()).calls).toBe(2);
});

test('also before the first one that is stored', async () => {
  const fresh = await startStand({ sandbox: { journals: 0 } });
  try {
    const { books } = fresh.organisation;
    for (let number = 3; number <= 150; number++) books.put(number, { created: Date.now() - 60_000 });
    expect(await fresh.importJournals()).toMatchObject({ ok: true, result: { totals: { stored: 148 } } });
    for (const number of [1, 2]) books.put(number, { created: Date.now() - 60_000 });
    expect(await fresh.importJournals()).toMatchObject({ ok: true, result: { totals: { stored: 2 } } });
  } finally {
    await fresh.close();
  }
});
