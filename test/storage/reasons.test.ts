import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAboutData, reasonOf } from '../../storage/data-errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const line = (column: string, value: string) =>
  `insert into xero.journal_line (tenant_id, basis, journal_id, line_index, journal_line_id, account_id, ${column})
   values (gen_random_uuid(), 'accrual', gen_random_uuid(), 1, gen_random_uuid(), gen_random_uuid(), ${value})`;
const field = (value: string, type: string) => `select ('{"a":${value}}'::jsonb->>'a')::${type}`;

test.each([
  [line('net_amount', 'null'), "Xero's field NetAmount is missing in a line of the journal (SQLSTATE 23502)"],
  [
    `insert into xero.invoice (tenant_id, invoice_id, payload) values (gen_random_uuid(), gen_random_uuid(), '{}')`,
    /^Xero's field \w+ is missing \(SQLSTATE 23502\)$/,
  ],
  [field('"abc"', 'numeric'), '"abc" cannot be read as a number (SQLSTATE 22P02)'],
  [field('"1.5"', 'bigint'), '"1.5" cannot be read as a whole number (SQLSTATE 22P02)'],
  [field('""', 'uuid'), 'A field that must be an identifier of Xero’s (UUID) is empty (SQLSTATE 22P02)'],
  [field('"maybe"', 'boolean'), '"maybe" cannot be read as true or false (SQLSTATE 22P02)'],
  [
    field('"9999999999999999999"', 'bigint'),
    'The number 9999999999999999999 is too large to be stored (SQLSTATE 22003)',
  ],
  [field('"1e400000"', 'numeric'), 'A number has more digits than can be stored (SQLSTATE 22003)'],
  [`select daybook.xero_date('gestern')`, '"gestern" cannot be read as a date (SQLSTATE 22007)'],
  [`select daybook.xero_date('2026-13-45')`, /^"2026-13-45.*" cannot be read as a date \(SQLSTATE 22008\)$/],
  [field('"\\u0000"', 'text'), 'A text holds a character that Postgres cannot store, such as NUL (SQLSTATE 22P05)'],
  [`select jsonb_array_elements('{"a":1}')`, 'Where Xero has a list there is something else (SQLSTATE 22023)'],
  ['select 1 / 0', 'division by zero (SQLSTATE 22012)'],
])('what cannot be stored is told by Xero’s words: %s', async (sql, reason) => {
  const error = await database.pool.query(sql).catch((each: unknown) => each);
  if (!isAboutData(error)) throw error;
  expect(reasonOf(error)).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
});
