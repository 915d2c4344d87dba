import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storePage } from '../../storage/pages.ts';
import { openPool } from '../../storage/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const journal = (number: number, reference: string) => ({
  ...{ JournalID: randomUUID(), JournalNumber: number, Reference: reference, JournalLines: [] },
  ...{ JournalDate: '/Date(1539993600000+0000)/', CreatedDateUTC: '/Date(1539993600000+0000)/' },
});

test('a page with bytes that are no UTF-8 is stored, each such byte as the sign that stands for it', async () => {
  const pool = openPool(database.url, 2, () => {});
  const [runId, id] = [randomUUID(), randomUUID()];
  await pool.query(
    `with a as (insert into daybook.authorisation (authorisation_id, kind, client_id) values ($1, 'custom', 'c')),
          c as (insert into daybook.connection (connection_id, name, tenant_id, tenant_name, authorisation_id)
                values ($1, 'x', $1, 'x', $1))
     select`,
    [id],
  );
  await pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request,
                                     starting_at, moves_watermark, next_offset)
     values ($1, 'w', $2, 'x', 'a', $2, 'journals', '{}', 0, true, 0)`,
    [runId, id],
  );
  const text = JSON.stringify({ Journals: [journal(1, 'ok'), journal(2, 'a~b'), journal(3, 'ü')] });
  const body = Buffer.from(text);
  body[body.indexOf('~')] = 0xff;
  const page = { runId, tenantId: id, stream: 'journals' as const, after: 0, through: 3, body, count: 3 };
  expect(await storePage(pool, page)).toBe(true);
  const { rows } = await pool.query('select reference from xero.journal where tenant_id = $1 order by journal_number', [
    id,
  ]);
  expect(rows.map(({ reference }) => reference)).toEqual(['ok', 'a\ufffdb', 'ü']);
  const receipt = await pool.query('select stored, quarantined from daybook.page_receipt where run_id = $1', [runId]);
  expect(receipt.rows).toEqual([{ stored: 3, quarantined: 0 }]);
  // Another attempt, whose page begins where the run no longer stands, changes nothing.
  expect(await storePage(pool, page)).toBe(false);
  await pool.end();
});
