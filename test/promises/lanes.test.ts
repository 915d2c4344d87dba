import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { strideFor } from '../../model/lanes.ts';
import { concurrentCalls } from '../../model/minute.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { eventually } from '../embedded/probes.ts';
import { drawSeed } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

// These wait for a slow Xero nearly all of their time, each for one of its own: together they take no longer than the longest.
describe.concurrent('Where Xero answers slowly, several pages are in flight and none is lost, doubled or asked for in vain', () => {
  const seed = drawSeed('books read in lanes');
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({
      sandbox: { journals: 1_600, seed, gapRate: 0.03, latencyMs: 3_200, limits: { minute: 10_000 } },
    });
    // A legal page that is shorter than pages are: the one asked for beyond it leaves a hole, which is filled.
    stand.sandbox.faults.add({ match: { path: 'Journals', nth: 6 }, do: { kind: 'page', rows: 40 } });
  });
  afterAll(() => stand.close());

  test.sequential('the ledger is that of the books, and the receipts are an unbroken chain', async () => {
    const ending = await stand.importJournals();
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: 1_600, quarantined: 0 } } });
    const { pool } = stand.database;
    expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
    const { rows } = await pool.query<{ after_number: string; through_number: string }>(
      'select after_number, through_number from daybook.page_receipt order by after_number',
    );
    expect(rows[0]?.after_number).toBe(0);
    for (const [index, { after_number }] of rows.entries()) {
      if (index > 0) expect(after_number).toBe(rows[index - 1]?.through_number);
    }
  }, 90_000);

  test.sequential('four were in flight, never more than Xero allows, and few calls met nothing new', () => {
    const calls = stand.sandbox.calls.journals();
    const most = Math.max(...calls.map(({ inFlight }) => inFlight));
    expect(most).toBeGreaterThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(concurrentCalls);
    expect(calls.every(({ status }) => status === 200)).toBe(true);
    // 16 full pages with numbers 3 % apart, one short, the empty one; at the end of the feed the other lanes find nothing.
    expect(calls.length).toBeLessThanOrEqual(16 + 2 + 1 + 4);
  });
});

test.concurrent('an import that finds nothing new makes two calls, also where answers are slow and numbers have no gaps', async () => {
  const stand = await startStand({
    sandbox: { journals: 250, gapRate: 0, latencyMs: 2_200, limits: { minute: 10_000 } },
  });
  try {
    await stand.importJournals();
    stand.sandbox.calls.reset();
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { totals: { stored: 0 } } });
    expect(stand.sandbox.calls.journals().length).toBe(2);
  } finally {
    await stand.close();
  }
}, 60_000);

test.concurrent('a page that was asked for beyond the last journal wanted, before that was known, is no trouble', async () => {
  const stand = await startStand({
    sandbox: { journals: 600, seed: 5, gapRate: 0.3, latencyMs: 2_200, limits: { minute: 10_000 } },
  });
  try {
    const numbers = [...stand.organisation.books.numbers()];
    // Where the second page begins, and with it the first two in flight together; the nearer of them reaches the end.
    const second = numbers[99] ?? 0;
    const third = second + strideFor([second]);
    const endingAtJournalId = third + 2;
    expect(numbers[199]).toBeGreaterThan(endingAtJournalId);
    const { workflowId, ...ending } = await stand.importJournals({ endingAtJournalId });
    const stored = numbers.filter((number) => number <= endingAtJournalId).length;
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored } } });
    expect(stand.sandbox.calls.journals().some(({ query }) => query === `offset=${third}`)).toBe(true);
    const { events } = await stand.temporal.client.workflow.getHandle(workflowId).fetchHistory();
    expect(
      events?.map((event) => event.activityTaskStartedEventAttributes?.lastFailure?.message).filter(Boolean),
    ).toEqual([]);
  } finally {
    await stand.close();
  }
}, 60_000);

test.concurrent('where nine of ten numbers are missing pages in flight bring hardly anything twice', async () => {
  const stand = await startStand({
    sandbox: { journals: 2_000, seed: 3, gapRate: 0.9, latencyMs: 2_200, limits: { minute: 10_000 } },
  });
  try {
    const ending = await stand.importJournals();
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: 2_000 } } });
    const calls = stand.sandbox.calls.journals();
    expect(Math.max(...calls.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(3);
    // 20 pages and the empty one; overlaps, holes and the lanes that find nothing at the end cost some. 100 apart it took 50.
    expect(calls.length).toBeLessThanOrEqual(21 + 11);
    // Nor do they when all of it is read again; each slice goes on with what the one before knew.
    stand.sandbox.calls.reset();
    expect(await stand.importJournals({ full: true })).toMatchObject({ ok: true, result: { totals: { stored: 0 } } });
    expect(stand.sandbox.calls.journals().length).toBeLessThanOrEqual(21 + 11);
  } finally {
    await stand.close();
  }
}, 180_000);

test('Where more calls are allowed than sixty a minute, several are in flight, and under one in a hundred is wasted', async () => {
  const journals = 15_000;
  const stand = await startStand({ sandbox: { journals, gapRate: 0, latencyMs: 30, limits: { minute: 10_000 } } });
  try {
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { totals: { stored: journals } } });
    const { pool } = stand.database;
    expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
    const calls = stand.sandbox.calls.journals();
    // A second one for the second hundred pages.
    expect(Math.max(...calls.slice(100).map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(2);
    expect(calls.length).toBeLessThanOrEqual(150 + 1 + 1);
  } finally {
    await stand.close();
  }
}, 60_000);

test('while Postgres takes its time over a page the next is at hand and one more on its way, but no further', async () => {
  const stand = await startStand({ sandbox: { journals: 600, gapRate: 0, limits: { minute: 10_000 } } });
  const locker = await stand.database.pool.connect();
  try {
    const offsets = () => stand.sandbox.calls.journals().map(({ query }) => query);
    await locker.query('begin');
    await locker.query('lock table xero.journal in exclusive mode');
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await eventually(() => offsets().length >= 3);
    await sleep(1_000);
    expect(offsets()).toEqual(['offset=0', 'offset=100', 'offset=200']);
    await locker.query('rollback');
    const ending = await stand.imports.ending(workflowId);
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: 600, pages: 6 } } });
    expect(offsets().length).toBe(7);
  } finally {
    locker.release();
    await stand.close();
  }
}, 60_000);
