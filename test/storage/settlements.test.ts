import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeInvoices } from '../support/made-invoices.ts';

let database: TestDatabase;
let tenantId: string;
const rows = async (sql: string, values: unknown[] = []) => (await database.pool.query(sql, values)).rows;

const [debtors, contact] = [randomUUID(), randomUUID()];
const ids = Object.fromEntries(
  ['whole', 'part', 'unknown', 'refund', 'prepaid', 'payment'].map((name) => [name, randomUUID()]),
);
const date = '/Date(1767225600000+0000)/';
/** A sale of 100 with what settles it. */
const sale = (number: string, settled: object) => ({
  ...{ InvoiceID: randomUUID(), InvoiceNumber: number, Type: 'ACCREC', Status: 'AUTHORISED', UpdatedDateUTC: date },
  ...{
    Date: date,
    DueDate: date,
    Total: 100,
    CurrencyCode: 'NZD',
    CurrencyRate: 1,
    Contact: { ContactID: contact, Name: 'Alpha' },
  },
  ...settled,
});
const creditNote = (id = '', more: object = {}) => ({
  CreditNoteID: id,
  CreditNoteNumber: 'CN-1',
  Date: date,
  ...more,
});

beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = await openAnyRun(database.pool, 'invoices');
  await storeInvoices(database.pool, tenantId, [
    sale('A', {
      CreditNotes: [creditNote(ids.whole, { Total: 80, AppliedAmount: 80, RemainingCredit: 0, Status: 'PAID' })],
    }),
    sale('B', { CreditNotes: [creditNote(ids.part, { Total: 80, AppliedAmount: 30, RemainingCredit: 50 })] }),
    sale('C', { CreditNotes: [creditNote(ids.unknown, { AppliedAmount: 20 })] }),
    sale('D', {
      Prepayments: [
        { PrepaymentID: ids.prepaid, InvoiceNumber: 'PRE-1', Date: date, Total: '55.50', AppliedAmount: '55.50' },
      ],
    }),
    sale('E', { Payments: [{ PaymentID: ids.payment, Date: date, Amount: 10, CurrencyRate: 1 }] }),
  ]);
  for (const [place, id] of [ids.whole, ids.part, ids.unknown, ids.prepaid, ids.payment].entries())
    await database.pool.query(
      `with journal as (
         insert into xero.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, source_id, payload, run_id)
         values ($1, 'accrual', gen_random_uuid(), $2, '2026-01-01', '2026-01-01', $3, '{}', $1) returning journal_id)
       insert into xero.journal_line (tenant_id, basis, journal_id, line_index, account_id, net_amount)
       select $1, 'accrual', journal_id, 1, $4, -10 from journal`,
      [tenantId, place + 1, id, debtors],
    );
});
afterAll(() => database.drop());

test('a document’s lines are an invoice’s only where all of it settles that one; the contact is known of each', async () => {
  const lines = await rows(
    `select source_id, contact_name, invoice_number, due_date is not null as dated from xero.general_ledger order by journal_number`,
  );
  const told = lines.map(({ source_id, contact_name, invoice_number, dated }) => [
    Object.keys(ids).find((name) => ids[name] === source_id),
    contact_name,
    invoice_number,
    dated,
  ]);
  expect(told).toEqual([
    ['whole', 'Alpha', 'A', true],
    ['part', 'Alpha', null, false],
    ['unknown', 'Alpha', null, false],
    ['prepaid', 'Alpha', 'D', true],
    ['payment', 'Alpha', 'E', true],
  ]);
});

test('a settlement has its document’s number, total, remaining credit and status, as far as the invoice tells', async () => {
  const columns = 's.kind, s.amount, s.number, s.total, s.remaining_credit as remaining, s.status';
  const settled = () =>
    rows(
      `select ${columns} from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id) order by invoice_number`,
    );
  const expected = [
    { kind: 'creditNote', amount: '80', number: 'CN-1', total: '80', remaining: '0', status: 'PAID' },
    { kind: 'creditNote', amount: '30', number: 'CN-1', total: '80', remaining: '50', status: null },
    { kind: 'creditNote', amount: '20', number: 'CN-1', total: null, remaining: null, status: null },
    { kind: 'prepayment', amount: '55.50', number: 'PRE-1', total: '55.50', remaining: null, status: null },
    { kind: 'payment', amount: '10', number: null, total: null, remaining: null, status: null },
  ];
  expect(await settled()).toEqual(expected);
  // What was stored before the columns were there gets them from its payload by the migration.
  await rows('update xero.invoice_settlement set number = null, total = null, remaining_credit = null, status = null');
  const migration = readFileSync(resolve(import.meta.dirname, '../../migrations/0048_settlements.sql'), 'utf8');
  await rows(migration.slice(migration.indexOf('with sent as'), migration.indexOf('-- A text "NaN"')));
  expect(await settled()).toEqual(expected);
});

test('a settlement whose amount is no number goes to quarantine with its invoice', async () => {
  await storeInvoices(database.pool, tenantId, [
    sale('F', { Payments: [{ PaymentID: randomUUID(), Date: date, Amount: 'NaN' }] }),
  ]);
  expect(await rows(`select from xero.invoice where invoice_number = 'F'`)).toEqual([]);
  expect(await rows('select from daybook.quarantine')).toHaveLength(1);
});
