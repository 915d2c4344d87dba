import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareLedger } from '../../storage/compare-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

type Amounts = Record<string, string>;

const chart: [code: string, name: string, type: string, cls: string, system?: string, currency?: string][] = [
  ['090', 'Bank', 'BANK', 'ASSET', '', 'NZD'],
  ['091', 'Bank in dollars', 'BANK', 'ASSET', '', 'USD'],
  ['200', 'Sales', 'REVENUE', 'REVENUE'],
  ['400', 'Rent', 'EXPENSE', 'EXPENSE'],
  ['497', 'Bank Revaluations', 'EXPENSE', 'EXPENSE', 'BANKCURRENCYGAIN'],
  ['498', 'Unrealised Currency Gains', 'EXPENSE', 'EXPENSE', 'UNREALISEDCURRENCYGAIN'],
  ['610', 'Accounts Receivable', 'CURRENT', 'ASSET', 'DEBTORS'],
  ['800', 'Accounts Payable', 'CURRLIAB', 'LIABILITY', 'CREDITORS'],
  ['840', 'Historical Adjustment', 'CURRLIAB', 'LIABILITY', 'HISTORICAL'],
  ['860', 'Rounding', 'CURRLIAB', 'LIABILITY', 'ROUNDING'],
  ['960', 'Retained Earnings', 'EQUITY', 'EQUITY', 'RETAINEDEARNINGS'],
];

/** $1 is its tenant; its year ends on 30 June. */
const organisation = `
  insert into xero.organisation (tenant_id, organisation_id, name, base_currency, financial_year_end_day, financial_year_end_month,
                                 payload, run_id)
  values ($1, $1, 'Acme', 'NZD', 30, 6, '{}', $1)`;

describe('Of a difference between Xero’s report and the stored ledger', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** An organisation whose year ends on 30 June, with these journals; answers what its comparison with a report says. */
  async function ledger(journals: [date: string, lines: Amounts][]) {
    const tenantId = randomUUID();
    const ids = Object.fromEntries(chart.map(([code]) => [code, randomUUID()]));
    const { pool } = database;
    await pool.query(organisation, [tenantId]);
    for (const [code, name, type, cls, system = '', currency = null] of chart) {
      await pool.query(
        `insert into xero.account (tenant_id, account_id, code, name, type, class, system_account, currency_code, payload, run_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, '{}', $1)`,
        [tenantId, ids[code], code, name, type, cls, system, currency],
      );
    }
    for (const [index, [date, lines]] of journals.entries()) {
      const sent = Object.entries(lines).map(([code, NetAmount]) => ({ AccountID: ids[code], NetAmount }));
      await pool.query(
        `with journal as (
           insert into xero.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, payload, run_id)
           values ($1, 'accrual', gen_random_uuid(), $2, $3::date, $3::date, $4::jsonb, $1) returning journal_id)
         insert into xero.journal_line (tenant_id, basis, journal_id, line_index, account_id, net_amount)
         select $1, 'accrual', journal_id, l.place, (l.line->>'AccountID')::uuid, (l.line->>'NetAmount')::numeric
           from journal, jsonb_array_elements($4::jsonb->'JournalLines') with ordinality as l (line, place)`,
        [tenantId, index + 1, date, JSON.stringify({ JournalLines: sent })],
      );
    }
    const report = (date: string, shown: Amounts, named = true) => ({
      date,
      rows: Object.entries(shown).map(([code, net]) => ({
        accountId: named ? (ids[code] ?? null) : null,
        title: `${chart.find(([each]) => each === code)?.[1]} (${code})`,
        debit: net.startsWith('-') ? '0' : net,
        credit: net.startsWith('-') ? net.slice(1) : '0',
      })),
    });
    /** The accounts that differ, each with the parts of its difference that are not zero. */
    return async (shown: Amounts, opening: Amounts | null = null, named = true) => {
      const { accounts } = await compareLedger(pool, {
        tenantId,
        basis: 'accrual',
        report: report('2026-03-31', shown, named),
        opening: opening && report('2025-06-30', opening),
      });
      const parts = [
        'conversionBalance',
        'currencyRevaluation',
        'retainedEarnings',
        'rounding',
        'unexplained',
      ] as const;
      return Object.fromEntries(
        accounts.flatMap((account) => {
          const left = parts.flatMap((part) => (account[part] === '0.00' ? [] : [[part, account[part]]]));
          return left.length === 0 ? [] : [[account.code, Object.fromEntries(left)]];
        }),
      );
    };
  }
  const sale: [string, Amounts] = ['2026-01-15', { 610: '100.00', 200: '-100.00' }];
  const sold: Amounts = { 610: '100.00', 200: '-100.00' };

  test('nothing is left where they agree, also by codes where the report names no ids, to any digit', async () => {
    const compare = await ledger([sale]);
    expect(await compare(sold)).toEqual({});
    expect(await compare(sold, null, false)).toEqual({});
    const large = await ledger([['2026-01-15', { 610: '90071992547409.93', 200: '-90071992547409.93' }]]);
    expect(await large({ 610: '90071992547409.94', 200: '-90071992547409.93' })).toEqual({
      610: { unexplained: '0.01' },
    });
  });

  test('a title that no text of Postgres can hold is compared as any other', async () => {
    const { pool } = database;
    const tenantId = randomUUID();
    await pool.query(organisation, [tenantId]);
    await pool.query(
      `insert into xero.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, payload, run_id)
       values ($1, 'accrual', $1, 1, '2026-01-15', now(), '{}', $1)`,
      [tenantId],
    );
    const rows = ['nul\0here', 'half \ud83d emoji', 'whole \ud83d\ude00 emoji'].map((title) => ({
      accountId: null,
      title,
      debit: '1.00',
      credit: '0',
    }));
    const question = { tenantId, basis: 'accrual' as const, report: { date: '2026-03-31', rows } };
    const { accounts } = await compareLedger(pool, { ...question, opening: { date: '2026-01-14', rows } });
    const names = accounts.map(({ name, conversionBalance }) => [name, conversionBalance]);
    expect(names.toSorted()).toEqual([
      ['half \ufffd emoji', '1.00'],
      ['nul\ufffdhere', '1.00'],
      ['whole 😀 emoji', '1.00'],
    ]);
  });

  test('unrealised gains are what both sides cover, and what is certain where a third account differs', async () => {
    const compare = await ledger([sale]);
    expect(await compare({ ...sold, 610: '107.00', 498: '-7.00' })).toEqual({
      610: { currencyRevaluation: '7.00' },
      498: { currencyRevaluation: '-7.00' },
    });
    // Two sides, then one of them and something else on the other, then nothing that tells which is which.
    const gain = { 498: { currencyRevaluation: '-4.00' } };
    expect(await compare({ ...sold, 610: '107.00', 800: '-3.00', 498: '-4.00' })).toEqual({
      ...gain,
      610: { currencyRevaluation: '7.00' },
      800: { currencyRevaluation: '-3.00' },
    });
    expect(await compare({ ...sold, 610: '104.00', 800: '-3.00', 498: '-4.00' })).toEqual({
      ...gain,
      610: { currencyRevaluation: '4.00' },
      800: { unexplained: '-3.00' },
    });
    expect(await compare({ ...sold, 610: '107.00', 800: '-5.00', 498: '-4.00' })).toEqual({
      498: { unexplained: '-4.00' },
      610: { unexplained: '7.00' },
      800: { unexplained: '-5.00' },
    });
    // A gain without another side is none, and a bank account in the organisation's own currency is never revalued.
    expect(await compare({ ...sold, 498: '-4.00' })).toEqual({ 498: { unexplained: '-4.00' } });
    expect(await compare({ ...sold, '091': '9.00', 497: '-9.00' })).toEqual({
      '091': { currencyRevaluation: '9.00' },
      497: { currencyRevaluation: '-9.00' },
    });
    expect(await compare({ ...sold, '090': '9.00', 497: '-9.00' })).toEqual({
      '090': { unexplained: '9.00' },
      497: { unexplained: '-9.00' },
    });
  });

  test('conversion balances are what the report had before the first journal; income of that year has aged', async () => {
    const compare = await ledger([sale]);
    const before = { '090': '500.00', 200: '-300.00', 840: '-200.00' };
    const now = { ...sold, '090': '500.00', 960: '-300.00', 840: '-200.00' };
    expect(await compare(now, before)).toEqual({
      '090': { conversionBalance: '500.00' },
      840: { conversionBalance: '-200.00' },
      960: { conversionBalance: '-300.00' },
    });
    expect(await compare({ ...now, 840: '-201.00' }, before)).toMatchObject({
      840: { conversionBalance: '-200.00', unexplained: '-1.00' },
    });
  });

  test('profits of earlier years belong into retained earnings; a report without them is told apart', async () => {
    const compare = await ledger([
      ['2025-06-30', { 610: '40.00', 200: '-40.00' }],
      ['2025-07-01', { 610: '2.00', 200: '-2.00' }],
    ]);
    expect(await compare({ 610: '42.00', 200: '-2.00', 960: '-40.00' })).toEqual({});
    expect(await compare({ 610: '42.00', 200: '-2.00' })).toEqual({ 960: { retainedEarnings: '40.00' } });
    expect(await compare({ 610: '42.00', 200: '-2.00', 960: '-39.00' })).toEqual({ 960: { unexplained: '1.00' } });
  });

  test('rounding is what the report’s decimals cannot show, and no more', async () => {
    const compare = await ledger([['2026-01-15', { 610: '10.0033', 200: '-10.0033' }]]);
    expect(await compare({ 610: '10.00', 200: '-10.00' })).toEqual({
      610: { rounding: '-0.0033' },
      200: { rounding: '0.0033' },
    });
    expect(await compare({ 610: '10.01', 200: '-10.0033', 860: '-0.0067' })).toMatchObject({
      610: { unexplained: '0.0067' },
    });
    const uneven = await ledger([['2026-01-15', { 610: '10.0050', 200: '-10.0025', 400: '-0.0025' }]]);
    expect(await uneven({ 610: '10.01', 200: '-10.00', 860: '-0.01' })).toEqual({
      610: { rounding: '0.005' },
      200: { rounding: '0.0025' },
      400: { rounding: '0.0025' },
      860: { rounding: '-0.01' },
    });
  });
});
