import { afterAll, beforeAll, expect, test } from 'vitest';
import { pagesRemembered } from '../../model/lanes.ts';
import { inTransaction } from '../../storage/pool.ts';
import { type RunAtWork, runAtWork } from '../../storage/runs.ts';
import { openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Where a run stands, and how many receipts were read to know it. */
function standing(runId: string): Promise<RunAtWork & { receiptsRead: number }> {
  return inTransaction(database.pool, async (db) => {
    const run = await runAtWork(db, runId);
    const { rows } = await db.query<{ read: number }>(
      `select seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables where relid = 'daybook.page_receipt'::regclass`,
    );
    if (run === null) throw new Error('There is no such run.');
    return { ...run, receiptsRead: rows[0]?.read ?? 0 };
  });
}

test('where a long import of journals stands is read from its last receipts only', async () => {
  const { pool } = database;
  const runId = await openAnyRun(pool);
  expect(await standing(runId)).toMatchObject({ dense: false, reaches: [], largestPage: 0, receiptsRead: 0 });
  await pool.query(
    `insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored)
     select $1, g * 100, g * 100 + 100, 100, 100 from generate_series(0, 4999) g`,
    [runId],
  );
  await pool.query(`update daybook.import_run set next_offset = 500000 where run_id = $1`, [runId]);
  await pool.query('analyze daybook.page_receipt');
  const run = await standing(runId);
  expect(run).toMatchObject({ dense: true, reaches: Array(pagesRemembered).fill(100) });
  expect(run.receiptsRead).toBeLessThanOrEqual(pagesRemembered + 1);

  // It brought no news, as where others have stored it before.
  await pool.query(`update daybook.page_receipt set stored = 0 where run_id = $1 and after_number = 499900`, [runId]);
  expect(await standing(runId)).toMatchObject({ dense: false });
});

test('an import of invoices knows the largest page that it has stored', async () => {
  const { pool } = database;
  const runId = await openAnyRun(pool, 'invoices');
  expect(await standing(runId)).toMatchObject({ largestPage: 0 });
  await pool.query(
    `insert into daybook.page_receipt (run_id, after_number, page, through_number, journals, stored)
     values ($1, 0, 1, 10, 200, 200), ($1, 10, 1, 10, 120, 0), ($1, 10, 2, 20, 7, 7)`,
    [runId],
  );
  expect(await standing(runId)).toMatchObject({ largestPage: 200 });
});
