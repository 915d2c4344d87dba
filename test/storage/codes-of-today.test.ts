import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeInvoices } from '../support/made-invoices.ts';

let database: TestDatabase;
let tenantId: string;
let schema: string;
const rows = async (sql: string, values: unknown[] = []) => (await database.pool.query(sql, values)).rows;

/** Today's chart: `services` had the code 210 when the invoice was read, which is `other`'s now. */
const chart: [name: string, code: string | null, status: string][] = [
  ['services', '211', 'ACTIVE'],
  ['other', '210', 'ACTIVE'],
  ['old rent', '400', 'ARCHIVED'],
  ['rent', '400', 'ACTIVE'],
  ['bank', '', 'ACTIVE'],
  ['second bank', '', 'ACTIVE'],
];
const ids = Object.fromEntries([...chart.map(([name]) => [name, randomUUID()]), ['gone', randomUUID()]]);
const lines: [account: string | null, storedCode: string, now: string | null, called: string | null][] = [
  ['services', '210', '211', 'services'],
  ['other', '270', '210', 'other'],
  ['old rent', '400', '400', 'old rent'],
  ['rent', '400', '400', 'rent'],
  ['gone', '999', '999', null],
  [null, '210', '210', 'other'],
  ['bank', '', null, null],
];

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  tenantId = await openAnyRun(pool, 'invoices');
  schema = `xero_c${tenantId.replaceAll('-', '_')}`;
  for (const [name, code, status] of chart)
    await pool.query(
      `insert into xero.account (tenant_id, account_id, code, name, type, class, status, payload, run_id)
       values ($1, $2, $3, $4, 'REVENUE', 'REVENUE', $5, '{}', $1)`,
      [tenantId, ids[name], code, name, status],
    );
  await pool.query(
    `insert into xero.organisation (tenant_id, organisation_id, name, base_currency, financial_year_end_day, financial_year_end_month,
                                    payload, run_id) values ($1, $1, 'Acme', 'NZD', 31, 3, '{}', $1)`,
    [tenantId],
  );
  const LineItems = lines.map(([account, AccountCode]) => ({
    ...{ LineItemID: randomUUID(), AccountCode, LineAmount: 1 },
    ...(account ? { AccountID: ids[account] } : {}),
  }));
  const invoice = { Type: 'ACCREC', Status: 'DRAFT', UpdatedDateUTC: '/Date(1767225600000+0000)/' };
  const taxed = (LineAmountTypes: string, amounts: object) => ({
    ...{ ...invoice, InvoiceID: randomUUID(), LineAmountTypes, InvoiceNumber: LineAmountTypes },
    LineItems: [{ LineItemID: randomUUID(), ...amounts }],
  });
  await storeInvoices(pool, tenantId, [
    { ...invoice, InvoiceID: randomUUID(), InvoiceNumber: 'codes', LineItems },
    taxed('Inclusive', { LineAmount: 115, TaxAmount: 15.0001 }),
    taxed('Exclusive', { LineAmount: 100, TaxAmount: 15 }),
    taxed('NoTax', { LineAmount: 7, TaxAmount: null }),
  ]);
  await pool.query(
    `insert into xero.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, payload, run_id)
     values ($1, 'accrual', $1, 1, '2026-01-01', '2026-01-01', '{}', $1)`,
    [tenantId],
  );
  for (const [place, [account, code]] of lines.entries())
    await pool.query(
      `insert into xero.journal_line (tenant_id, basis, journal_id, line_index, account_id, account_code, account_type, net_amount)
       values ($1, 'accrual', $1, $2, $3, $4, 'REVENUE', $5)`,
      [tenantId, place + 1, account && ids[account], code, place - 3],
    );
});
afterAll(() => database.drop());

const now = lines.map(([, , code]) => ({ code }));

test('a line of an invoice is called by the code that its account has now, as the ledger’s lines are', async () => {
  expect(
    await rows(
      `select account_code as code from xero.invoice_register where invoice_number = 'codes' order by line_index`,
    ),
  ).toEqual(now);
  expect(await rows(`select account_code as code from xero.general_ledger order by line_index`)).toEqual(now);
});

test('joined by its code, as dbt_xero does, a line of an invoice meets its own account and no other', async () => {
  const joined = await rows(
    `select a.name from ${schema}.invoice_line_item l
       join xero.invoice_line_item stored on stored.line_item_id::text = l.line_item_id
       join xero.invoice i on i.invoice_id = stored.invoice_id and i.invoice_number = 'codes'
       left join ${schema}.account a on a.code = l.account_code order by stored.line_index`,
  );
  expect(joined).toEqual(lines.map(([, , , name]) => ({ name })));
  const codes = await rows(`select code from ${schema}.account where code is not null order by code`);
  expect(codes.map(({ code }) => code)).toEqual(
    ['210', '211', '400', `400 ${ids['old rent']?.slice(0, 8)}`, '999'].toSorted(),
  );
});

test('accounts without a code have none in any view, not an empty one', async () => {
  const sources = [
    `select account_code as code from xero.general_ledger where account_id = $1`,
    `select account_code as code from xero.trial_balance($2, '2026-03-31') where account_id = $1`,
    `select code from ${schema}.account where account_id = $1::uuid::text and $2::uuid is not null`,
  ];
  for (const sql of sources) {
    const values = sql.includes('$2') ? [ids.bank, tenantId] : [ids.bank];
    expect(await rows(sql, values)).toEqual([{ code: null }]);
  }
});

test('each line of the ledger tells its currency', async () => {
  expect(await rows('select distinct base_currency from xero.general_ledger')).toEqual([{ base_currency: 'NZD' }]);
  const known = `select distinct base_currency, stands from xero.general_ledger_as_known('2026-02-01')`;
  expect(await rows(known)).toEqual([{ base_currency: 'NZD', stands: true }]);
});

test('the net amount of an invoice’s line has no tax in it, to the last digit', async () => {
  const nets = await rows(
    `select invoice_number as types, line_net_amount::text as net from xero.invoice_register where invoice_number <> 'codes' order by 1`,
  );
  expect(nets).toEqual([
    { types: 'Exclusive', net: '100' },
    { types: 'Inclusive', net: '99.9999' },
    { types: 'NoTax', net: '7' },
  ]);
});

test('who may not read an organisation is told so, where its financial year is asked for', async () => {
  const ask = rows(`select xero.financial_year_start(gen_random_uuid(), '2026-03-31')`);
  await expect(ask).rejects.toThrow(/is not imported yet, or the role ".+" may not read it/);
});
