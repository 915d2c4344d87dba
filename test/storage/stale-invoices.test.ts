import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeInvoices } from '../support/made-invoices.ts';

let database: TestDatabase;
let runId: string;
let invoiceId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  runId = await openAnyRun(database.pool, 'invoices');
  invoiceId = randomUUID();
  await store('AUTHORISED', 10);
});

const soon = () => new Date(Date.now() + 60_000);
const copy = (status: string, second: number, more: object) => ({
  ...{
    Contact: { ContactID: '', UpdatedDateUTC: '/Date(1000+0000)/' },
    InvoiceID: invoiceId.toUpperCase(),
    Type: 'ACCREC',
  },
  ...{ Status: status, UpdatedDateUTC: `/Date(${1_767_225_600_000 + second * 1000}+0000)/`, ...more },
});
const store = (status: string, second: number, more: object = {}, askedAt = soon()) =>
  storeInvoices(database.pool, runId, [copy(status, second, more)], { askedAt });
const unstorable = { Reference: 'nul\u0000' };

async function stored(): Promise<[string, boolean]> {
  const { rows } = await database.pool.query<{ status: string; stale: boolean }>(
    'select status, stale_since is not null as stale from xero.invoice where tenant_id = $1',
    [runId],
  );
  expect(rows).toHaveLength(1);
  return [rows[0]?.status ?? '', rows[0]?.stale ?? false];
}

test('an invoice is stale from when a newer copy went to quarantine until one is stored', async () => {
  expect(await stored()).toEqual(['AUTHORISED', false]);
  await store('PAID', 20, unstorable);
  expect(await stored()).toEqual(['AUTHORISED', true]);
  await store('PAID', 20);
  expect(await stored()).toEqual(['PAID', false]);
  await store('VOIDED', 30, { UpdatedDateUTC: 'soon' });
  expect(await stored()).toEqual(['PAID', true]);
});

test('an older copy that cannot be stored makes nothing stale', async () => {
  await store('DRAFT', 5, unstorable);
  expect(await stored()).toEqual(['AUTHORISED', false]);
});

test('an edit that did not move the date and was taken back: the same copy again is what Xero has', async () => {
  await store('AUTHORISED', 10, unstorable);
  expect(await stored()).toEqual(['AUTHORISED', true]);
  // An answer asked for before that knows nothing of it.
  await store('AUTHORISED', 10, {}, new Date(0));
  expect(await stored()).toEqual(['AUTHORISED', true]);
  await store('AUTHORISED', 10);
  expect(await stored()).toEqual(['AUTHORISED', false]);
});

test('what went to quarantine before there was the mark gets it by the migration', async () => {
  await store('PAID', 20, unstorable);
  await database.pool.query('update xero.invoice set stale_since = null');
  const migration = readFileSync(resolve(import.meta.dirname, '../../migrations/0049_stale_invoices.sql'), 'utf8');
  await database.pool.query(migration.slice(migration.indexOf('update xero.invoice')));
  expect(await stored()).toEqual(['AUTHORISED', true]);
});
