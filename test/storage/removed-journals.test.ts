import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removalOf } from '../../model/reconciliation.ts';
import { storePage } from '../../storage/pages.ts';
import { openPool } from '../../storage/pool.ts';
import { removedJournals } from '../../storage/removed-journals.ts';
import { openAnyRun, openNextRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool(database.url, 2, () => {});
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const instant = '/Date(1539993600000+0000)/';

/** Stores a page of these numbers, which begins after `after` and was asked for with an offset there or before it. */
async function store(runId: string, tenantId: string, numbers: number[], after = 0, askedAfter = after): Promise<void> {
  const journals = numbers.map((number) => ({
    ...{ JournalID: randomUUID(), JournalNumber: number, JournalDate: instant, CreatedDateUTC: instant },
    JournalLines: [],
  }));
  const body = Buffer.from(JSON.stringify({ Journals: journals }));
  const place = { after, askedAfter, through: Math.max(...numbers), count: numbers.length };
  expect(await storePage(pool, { runId, tenantId, stream: 'journals', body, ...place })).toBe(true);
}
const remove = (tenantId: string, ...numbers: number[]) =>
  pool.query('delete from xero.journal where tenant_id = $1 and journal_number = any ($2)', [tenantId, numbers]);
const found = (tenantId: string) => removedJournals(pool, tenantId, 'accrual');
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('Journals that a receipt counts and that are not there any more', () => {
  test('a page asked for from before where it begins brings a late one: none is called gone, and each is missed once it is', async () => {
    const id = await openAnyRun(pool);
    await store(id, id, [...range(1, 4), ...range(6, 10)]);
    await store(id, id, [5, ...range(11, 20)], 10, 3);
    expect(await found(id)).toEqual([]);
    await remove(id, 12);
    expect(await found(id)).toMatchObject([{ count: 1, among: [12] }]);
    await store(await openNextRun(pool, id), id, [12]);
    await remove(id, 5, 8);
    expect(await found(id)).toMatchObject([
      { count: 1, among: [5, 8] },
      { count: 1, among: [5, 8] },
    ]);
    // Imported again: the page of each has what it counts.
    const next = await openNextRun(pool, id);
    await store(next, id, [5, 8]);
    expect(await found(id)).toEqual([]);
  });

  test('where Xero’s own gaps hide which one it was, the range to import again has it', async () => {
    const id = await openAnyRun(pool);
    await store(id, id, [10, 20, 30]);
    await remove(id, 20);
    const [removed] = await found(id);
    expect(removed && removalOf(removed, 'accrual')).toMatch(/^1 of the journals 1, 2, 3, .* `--from 1 --to 30`\.$/);
  });
});
