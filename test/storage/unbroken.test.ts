import { afterAll, beforeAll, expect, test } from 'vitest';
import { lowerWatermark, unbrokenUpTo } from '../../storage/unbroken.ts';
import { openAnyRun, openNextRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const receipt = (runId: string, after: number, through: number) =>
  database.pool.query(
    'insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored) values ($1, $2, $3, 1, 1)',
    [runId, after, through],
  );
async function standAt(runId: string, tenantId: string, nextOffset: number, watermark: number) {
  await database.pool.query('update daybook.import_run set next_offset = $2 where run_id = $1', [runId, nextOffset]);
  await database.pool.query(
    `insert into daybook.stream_position (tenant_id, stream, watermark) values ($1, 'journals', $2)
     on conflict (tenant_id, stream) do update set watermark = $2`,
    [tenantId, watermark],
  );
}
const told = async (runId: string) =>
  (
    await database.pool.query(
      'select next_offset as "nextOffset", watermark from daybook.import_run join daybook.stream_position using (tenant_id, stream) where run_id = $1',
      [runId],
    )
  ).rows[0];

test('what is stored without a hole is what the receipts of unfiltered runs hold from the first journal on, up to a number', async () => {
  const { pool } = database;
  const tenantId = await openAnyRun(pool);
  const upTo = (number: number) => unbrokenUpTo(pool, tenantId, 'journals', number);
  expect(await upTo(1_000)).toBe(0);
  await receipt(tenantId, 0, 100);
  await receipt(tenantId, 100, 230);
  const later = await openNextRun(pool, tenantId);
  await receipt(later, 130, 300);
  await receipt(later, 300, 3_000_000_000);
  // Behind a hole.
  await receipt(later, 350, 400);
  const filtered = await openNextRun(pool, tenantId);
  await receipt(filtered, 300, 350);
  await pool.query('update daybook.import_run set moves_watermark = false where run_id = $1', [filtered]);
  expect([await upTo(1_000), await upTo(250), await upTo(50)]).toEqual([300, 230, 0]);
});

test('a watermark beyond where the journals end is lowered, and the run set back, only where something was passed over', async () => {
  const { pool } = database;
  const tenantId = await openAnyRun(pool);
  await receipt(tenantId, 0, 300);
  const runId = await openNextRun(pool, tenantId);
  await standAt(runId, tenantId, 1_000, 900);
  expect(await lowerWatermark(pool, runId)).toBeNull();
  await standAt(runId, tenantId, 4_900, 5_000);
  expect(await lowerWatermark(pool, runId)).toEqual({ from: 5_000, to: 300, isSetBack: true });
  expect(await told(runId)).toEqual({ nextOffset: 200, watermark: 300 });
  // All there is was read by the run itself.
  await receipt(runId, 200, 1_000);
  await standAt(runId, tenantId, 1_000, 5_000);
  expect(await lowerWatermark(pool, runId)).toEqual({ from: 5_000, to: 1_000, isSetBack: false });
  expect(await told(runId)).toEqual({ nextOffset: 1_000, watermark: 1_000 });
  // Another run has ended meanwhile, or this one.
  await pool.query(`update daybook.import_run set status = 'caughtUp', ended_at = now() where run_id = $1`, [runId]);
  await standAt(runId, tenantId, 1_000, 5_000);
  expect(await lowerWatermark(pool, runId)).toBeNull();
});
