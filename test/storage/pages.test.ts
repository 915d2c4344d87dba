import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InvoicePlace } from '../../model/invoice-cursor.ts';
import { firstSecondOf, storeInvoicePage } from '../../storage/invoice-pages.ts';
import { type JournalPage, storePage } from '../../storage/pages.ts';
import { openAnyRun } from '../support/any-run.ts';
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

/** Three journals, from the begin of the feed. */
const firstPage = (id: string, body: Buffer): JournalPage => ({
  ...{ runId: id, tenantId: id, stream: 'journals', after: 0, askedAfter: 0, through: 3, body, count: 3 },
});

test('a page with bytes that are no UTF-8 is stored, each such byte as the sign that stands for it', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool);
  const text = JSON.stringify({ Journals: [journal(1, 'ok'), journal(2, 'a~b'), journal(3, 'ü')] });
  const body = Buffer.from(text);
  body[body.indexOf('~')] = 0xff;
  const page = firstPage(id, body);
  expect(await storePage(pool, page)).toBe(true);
  const { rows } = await pool.query('select reference from xero.journal where tenant_id = $1 order by journal_number', [
    id,
  ]);
  expect(rows.map(({ reference }) => reference)).toEqual(['ok', 'a\ufffdb', 'ü']);
  const receipt = await pool.query('select stored, quarantined from daybook.page_receipt where run_id = $1', [id]);
  expect(receipt.rows).toEqual([{ stored: 3, quarantined: 0 }]);
  // Another attempt, whose page begins where the run no longer stands, changes nothing.
  expect(await storePage(pool, page)).toBe(false);
});

test('a key that a journal has twice keeps no page from being stored, also beside a journal that cannot be', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool);
  const texts = [journal(1, 'ok'), journal(2, 'no\u0000text'), journal(3, 'first')].map((each) => JSON.stringify(each));
  const body = Buffer.from(`{"Journals":[${texts.join(',')}]}`.replace('"first"', '"first","Reference":"last"'));
  const page = firstPage(id, body);
  expect(await storePage(pool, page)).toBe(true);
  const { rows } = await pool.query('select reference from xero.journal where tenant_id = $1 order by journal_number', [
    id,
  ]);
  expect(rows.map(({ reference }) => reference)).toEqual(['ok', 'last']);
  const receipt = await pool.query('select stored, quarantined from daybook.page_receipt where run_id = $1', [id]);
  expect(receipt.rows).toEqual([{ stored: 2, quarantined: 1 }]);
});

test('invoices with bytes that are no UTF-8, or a text that Postgres cannot hold, keep no page from being stored', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool, 'invoices');
  await pool.query('update daybook.import_run set next_page = 1 where run_id = $1', [id]);
  const invoice = (reference: string) => ({
    ...{ InvoiceID: randomUUID(), Type: 'ACCREC', Status: 'DRAFT', Reference: reference },
    UpdatedDateUTC: '/Date(1539993600000+0000)/',
  });
  const body = Buffer.from(JSON.stringify({ Invoices: [invoice('ok'), invoice('a~b'), invoice('no\u0000text')] }));
  body[body.indexOf('~')] = 0xff;
  const place = { second: 0, page: 1, beyond: null, closing: 0 };
  const page = { runId: id, tenantId: id, place, next: place, body, count: 3, askedAt: new Date() };
  expect(await storeInvoicePage(pool, page)).toBe(true);
  const { rows } = await pool.query('select reference from xero.invoice where tenant_id = $1 order by reference', [id]);
  expect(rows.map(({ reference }) => reference)).toEqual(['a\ufffdb', 'ok']);
  const run = await pool.query('select stored, quarantined from daybook.import_run where run_id = $1', [id]);
  expect(run.rows).toEqual([{ stored: 2, quarantined: 1 }]);
});

test('an invoice dated ahead of the clock moves the watermark no further than what has settled when it was asked for', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool, 'invoices');
  const askedAt = new Date();
  const now = Math.floor(askedAt.getTime() / 1_000);
  const at = (second: number) => ({ second, page: 1, beyond: null, closing: 0 });
  const store = (place: number, next: number, asked = askedAt) =>
    storeInvoicePage(pool, {
      ...{ runId: id, tenantId: id, body: Buffer.from('{"Invoices":[]}'), count: 0, askedAt: asked },
      ...{ place: at(place), next: at(next) },
    });
  const watermark = async () =>
    (await pool.query('select watermark from daybook.stream_position where tenant_id = $1', [id])).rows[0].watermark;
  await pool.query('update daybook.import_run set next_page = 1 where run_id = $1', [id]);
  expect(await store(0, now - 400)).toBe(true);
  expect(await watermark()).toBe(now - 400);
  // The last five minutes are looked at again, as some of it may be seen late.
  expect(await store(now - 400, now + 100)).toBe(true);
  expect(await watermark()).toBe(now - 300);
  // What begins ahead of the clock says nothing of the present, however long it takes until then.
  expect(await store(now + 100, 4_070_908_800, new Date((now + 700) * 1_000))).toBe(true);
  expect(await watermark()).toBe(now - 300);
  // One that a wrong clock has put there is brought back.
  await pool.query('update daybook.stream_position set watermark = 4070908800 where tenant_id = $1', [id]);
  await pool.query('update daybook.import_run set next_offset = 7 where run_id = $1', [id]);
  expect(await store(7, now - 350)).toBe(true);
  expect(await watermark()).toBe(now - 350);
});

test('a list read by page number takes the watermark back to its begin, and to what had settled when it is read', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool, 'invoices');
  await pool.query('update daybook.import_run set next_page = 1, moves_watermark = true where run_id = $1', [id]);
  const keyset = (second: number) => ({ second, page: 1, beyond: null, closing: 0 });
  const listed = (page: number) => ({ second: 0, page, beyond: 5_000, closing: -1 });
  const store = (place: InvoicePlace, next: InvoicePlace) =>
    storeInvoicePage(pool, {
      ...{ runId: id, tenantId: id, body: Buffer.from('{"Invoices":[]}'), count: 0, askedAt: new Date() },
      ...{ place, next },
    });
  const watermark = async () =>
    (await pool.query('select watermark from daybook.stream_position where tenant_id = $1', [id])).rows[0].watermark;
  expect(await store(keyset(0), keyset(4_000))).toBe(true);
  expect(await firstSecondOf(pool, id)).toBe(0);
  expect(await watermark()).toBe(4_000);
  expect(await store(keyset(4_000), listed(1))).toBe(true);
  expect(await watermark()).toBe(0);
  // A late attempt's page from where the run stood at its begin.
  expect(await store(keyset(0), keyset(4_000))).toBe(false);
  expect(await store(listed(1), listed(-1))).toBe(true);
  expect(await watermark()).toBe(0);
  expect(await store(listed(-1), { second: 5_000, page: 1, beyond: 5_000, closing: -2 })).toBe(true);
  expect(await watermark()).toBe(5_000);
});

test('an invoice dated ahead of the clock is replaced by what Xero says later, whatever date that has', async () => {
  const { pool } = database;
  const id = await openAnyRun(pool, 'invoices');
  const first = { second: 0, page: 1, beyond: null, closing: 0 };
  await pool.query('update daybook.import_run set next_page = 1 where run_id = $1', [id]);
  const store = (status: string, updated: number, askedAt: Date) => {
    const invoice = { InvoiceID: id, Type: 'ACCREC', Status: status, UpdatedDateUTC: `/Date(${updated}+0000)/` };
    const body = Buffer.from(JSON.stringify({ Invoices: [invoice] }));
    return storeInvoicePage(pool, { runId: id, tenantId: id, place: first, next: first, body, count: 1, askedAt });
  };
  const status = async () =>
    (await pool.query('select status from xero.invoice where tenant_id = $1', [id])).rows.map((row) => row.status);
  const now = Date.now();
  const soon = new Date(now + 10_000);
  expect(await store('DRAFT', now + 3_600_000, new Date(now))).toBe(true);
  // On its way when that was stored: it may be the older one.
  expect(await store('SUBMITTED', now - 1_000, new Date(now - 5_000))).toBe(true);
  expect(await status()).toEqual(['DRAFT']);
  expect(await store('PAID', now + 5_000, soon)).toBe(true);
  expect(await status()).toEqual(['PAID']);
  // Its date is behind the clock now, and counts again.
  expect(await store('SUBMITTED', now - 1_000, new Date(now + 20_000))).toBe(true);
  expect(await status()).toEqual(['PAID']);
});
