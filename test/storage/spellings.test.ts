import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReferenceEndpoint } from '../../model/reference.ts';
import { storeInvoicePage } from '../../storage/invoice-pages.ts';
import { storePage } from '../../storage/pages.ts';
import { storeReference } from '../../storage/reference.ts';
import { countedBy, openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: TestDatabase['pool'];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.drop());

const none = (...fields: string[]) => Object.fromEntries(fields.map((field) => [field, '']));
const isoformat = '2024-01-01T10:11:12.567000+00:00';
const tracking = [{ ...none('TrackingCategoryID', 'TrackingOptionID'), Name: 'Region', Option: 'North' }];

async function storeJournals(journals: object[]) {
  const id = await openAnyRun(pool);
  const body = Buffer.from(JSON.stringify({ Journals: journals }));
  const page = { runId: id, tenantId: id, stream: 'journals', after: 0, askedAfter: 0, through: 9, body } as const;
  expect(await storePage(pool, { ...page, count: journals.length })).toBe(true);
  return id;
}

async function storeInvoice(invoice: object) {
  const id = await openAnyRun(pool, 'invoices');
  await pool.query('update daybook.import_run set next_page = 1 where run_id = $1', [id]);
  const place = { second: 0, page: 1, beyond: null, closing: 0 };
  const body = Buffer.from(JSON.stringify({ Invoices: [invoice] }));
  const page = { runId: id, tenantId: id, place, next: place, body, count: 1, askedAt: new Date() };
  expect(await storeInvoicePage(pool, page)).toBe(true);
  return id;
}

const allStored = (count: number) => ({ stored: count, admitted: count, quarantined: 0 });

test('journals whose optional fields are empty texts are stored as if those were absent', async () => {
  const dates = [
    { CreatedDateUTC: isoformat, JournalDate: '2024-01-01' },
    { CreatedDateUTC: '2024-01-01 10:11:12', JournalDate: '2024-01-01 00:00:00' },
  ];
  const journals = dates.map((each, place) => ({
    ...{ JournalID: randomUUID(), JournalNumber: place + 1, ...each, ...none('SourceID', 'SourceType') },
    JournalLines: [{ NetAmount: '1.10', TrackingCategories: tracking }],
  }));
  const id = await storeJournals(journals);
  expect(await countedBy(pool, id)).toEqual(allStored(2));
  const { rows } = await pool.query(
    `select journal_date::text, source_id, source_type, net_amount, t.option, t.tracking_option_id
       from xero.journal join xero.journal_line using (tenant_id, basis, journal_id)
       join xero.journal_line_tracking t using (tenant_id, basis, journal_id, line_index) where tenant_id = $1`,
    [id],
  );
  const stored = { journal_date: '2024-01-01', source_id: null, source_type: '', net_amount: '1.10' };
  expect(rows).toEqual(Array(2).fill({ ...stored, option: 'North', tracking_option_id: null }));
});

test.each([{ NetAmount: '' }, { JournalID: '' }, { CreatedDateUTC: '' }, { JournalDate: '' }, { SourceID: 'none' }])(
  'a journal that lacks what it must have, or has nonsense, is in quarantine: %j',
  async ({ NetAmount = '1.10', ...wrong }) => {
    const good = { JournalID: randomUUID(), JournalNumber: 1, CreatedDateUTC: isoformat, JournalDate: '2024-01-01' };
    const id = await storeJournals([{ ...good, ...wrong, JournalLines: [{ NetAmount }] }]);
    expect(await countedBy(pool, id)).toEqual({ stored: 0, admitted: 1, quarantined: 1 });
  },
);

test('an invoice whose optional fields are empty texts is stored as if those were absent', async () => {
  const invoice = {
    ...{ InvoiceID: randomUUID(), Type: 'ACCREC', Status: 'PAID', UpdatedDateUTC: isoformat, Date: '2024-01-01' },
    ...none('DueDate', 'ExpectedPaymentDate', 'PlannedPaymentDate', 'FullyPaidOnDate', 'BrandingThemeID'),
    ...none('RepeatingInvoiceID', 'CISDeduction', 'CurrencyRate', 'TotalDiscount', 'SubTotal', 'TotalTax', 'Total'),
    ...none(
      'AmountDue',
      'AmountPaid',
      'AmountCredited',
      'SentToContact',
      'HasAttachments',
      'HasErrors',
      'IsDiscounted',
    ),
    Contact: none('ContactID'),
    LineItems: [
      {
        ...none('LineItemID', 'Quantity', 'UnitAmount', 'LineAmount', 'TaxAmount', 'AccountID', 'DiscountRate'),
        ...{ ...none('DiscountAmount'), Item: none('ItemID'), Tracking: tracking },
      },
    ],
    Payments: [{ ...none('PaymentID', 'Date', 'CurrencyRate', 'Amount') }],
    Overpayments: [{ ...none('OverpaymentID', 'Amount'), AppliedAmount: '2.20' }],
  };
  const id = await storeInvoice(invoice);
  expect(await countedBy(pool, id)).toEqual(allStored(1));
  const { rows } = await pool.query(
    `select i.date::text, due_date, cisdeduction, repeating_invoice_id, s.kind, s.amount
       from xero.invoice i join xero.invoice_settlement s using (tenant_id, invoice_id) where tenant_id = $1 order by s.kind`,
    [id],
  );
  const stored = { date: '2024-01-01', due_date: null, cisdeduction: null, repeating_invoice_id: null };
  expect(rows).toEqual([
    { ...stored, kind: 'overpayment', amount: '2.20' },
    { ...stored, kind: 'payment', amount: null },
  ]);
  const unknown = await storeInvoice({ ...invoice, UpdatedDateUTC: '' });
  expect(await countedBy(pool, unknown)).toEqual({ stored: 0, admitted: 1, quarantined: 1 });
});

test.each<[ReferenceEndpoint, string, object]>([
  [
    'organisation',
    'Organisations',
    {
      ...{ OrganisationID: randomUUID(), Name: 'Acme', CreatedDateUTC: isoformat, PeriodLockDate: '2024-01-01' },
      ...none('FinancialYearEndDay', 'FinancialYearEndMonth', 'EndOfYearLockDate', 'IsDemoCompany'),
    },
  ],
  [
    'accounts',
    'Accounts',
    {
      ...{ AccountID: randomUUID(), UpdatedDateUTC: isoformat },
      ...none('EnablePaymentsToAccount', 'ShowInExpenseClaims', 'HasAttachments'),
    },
  ],
  [
    'trackingCategories',
    'TrackingCategories',
    {
      TrackingCategoryID: randomUUID(),
      Options: [
        {
          TrackingOptionID: randomUUID(),
          ...none('IsActive', 'IsArchived', 'IsDeleted', 'HasValidationErrors'),
        },
      ],
    },
  ],
  [
    'contacts',
    'Contacts',
    { ContactID: randomUUID(), UpdatedDateUTC: isoformat, ...none('IsCustomer', 'IsSupplier', 'MergedToContactID') },
  ],
])('reference data whose optional fields are empty texts is stored: %s', async (endpoint, array, row) => {
  const tenantId = randomUUID();
  const page = { runId: tenantId, tenantId, endpoint, text: JSON.stringify({ [array]: [row] }) };
  await storeReference(pool, page);
  const { rows } = await pool.query('select reason from daybook.quarantine where tenant_id = $1', [tenantId]);
  expect(rows).toEqual([]);
});
