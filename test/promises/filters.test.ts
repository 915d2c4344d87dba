import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { type Stand, startStand } from '../support/stand.ts';

describe('An import stores exactly what was asked for', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 1_500, seed: 11 } });
  });
  afterAll(() => stand.close());

  const storedNumbers = async () => {
    const { rows } = await stand.database.pool.query<{ n: string }>(
      'select journal_number as n from xero.journal where tenant_id = $1 order by 1',
      [stand.organisation.tenantId],
    );
    return rows.map(({ n }) => Number(n));
  };
  const forget = () =>
    stand.database.pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking');
  const numbers = () => [...stand.organisation.books.numbers()];

  test('both bounds are inclusive, and one call reads past none of them in vain', async () => {
    await forget();
    const ending = await stand.importJournals({ startingAtJournalId: 101, endingAtJournalId: 250 });
    expect(ending).toMatchObject({ ok: true, result: { outcome: 'caughtUp', readThrough: 250 } });
    expect(await storedNumbers()).toEqual(numbers().filter((n) => n >= 101 && n <= 250));
  });

  test('a start alone, an end alone', async () => {
    const last = stand.organisation.books.lastNumber;
    await forget();
    await stand.importJournals({ startingAtJournalId: last - 40 });
    expect(await storedNumbers()).toEqual(numbers().filter((n) => n >= last - 40));
    await forget();
    await stand.importJournals({ endingAtJournalId: 7 });
    expect(await storedNumbers()).toEqual(numbers().filter((n) => n <= 7));
  });

  test('modified since is "on or after", found by one call, and goes with the bounds', async () => {
    const journals = [...stand.organisation.books.journals()];
    const pivot = journals[1_200];
    if (!pivot) throw new Error('no such journal');
    const since = new Date(Math.ceil(pivot.created / 1_000) * 1_000);
    const wanted = journals.filter(({ created }) => created >= since.getTime()).map(({ number }) => number);
    await forget();
    stand.sandbox.calls.reset();
    await stand.importJournals({ modifiedSince: since.toISOString() });
    expect(await storedNumbers()).toEqual(wanted);
    expect(stand.sandbox.calls.journals().length).toBeLessThanOrEqual(Math.ceil(wanted.length / 100) + 4);
    await forget();
    const ending = wanted[50] ?? 0;
    await stand.importJournals({
      modifiedSince: since.toISOString(),
      startingAtJournalId: 300,
      endingAtJournalId: ending,
    });
    expect(await storedNumbers()).toEqual(wanted.filter((n) => n <= ending));
  });

  test('a filtered run leaves the watermark alone; a run without filters moves it to the end', async () => {
    const watermark = async () =>
      (await stand.database.pool.query('select watermark from daybook.stream_position')).rows;
    expect(await watermark()).toEqual([]);
    await forget();
    await stand.importJournals();
    expect(await watermark()).toEqual([{ watermark: stand.organisation.books.lastNumber }]);
    expect(
      differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation),
    ).toEqual([]);
  });

  test('an up-to-date import makes two calls at most: the overlap’s page and the empty one', async () => {
    stand.sandbox.calls.reset();
    const ending = await stand.importJournals();
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: 0, calls: 2 } } });
    expect(stand.sandbox.calls.journals()).toHaveLength(2);
  });

  test('what was posted since is imported by the next run, and nothing else is stored again', async () => {
    const number = stand.organisation.books.append();
    const ending = await stand.importJournals();
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: 1 }, readThrough: number } });
  });

  test('cash journals are a series of their own and never mix with the accrual ones', async () => {
    const before = await summariseLedger(stand.database.pool, stand.organisation.tenantId);
    const ending = await stand.importJournals({ basis: 'cash' });
    expect(ending).toMatchObject({ ok: true, result: { totals: { stored: stand.organisation.books.cash.count } } });
    expect(await summariseLedger(stand.database.pool, stand.organisation.tenantId)).toEqual(before);
  });
});
