import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trialBalance } from '../../sandbox/books/trial-balance.ts';
import { type Money, money } from '../../sandbox/money.ts';
import { drawSeed } from '../support/observe.ts';
import { type Stand, startStand } from '../support/stand.ts';

const day = 86_400_000;
const on = (date: string) => Date.parse(`${date}T00:00:00Z`);
/** Without what is zero, and by key: sums of two sides that should be one. */
const told = (sums: Map<string, Money>) =>
  [...sums].filter(([, sum]) => sum !== 0n).toSorted(([a], [b]) => (a < b ? -1 : 1));

describe('What docs/tables.md asks of the tables is answered as the books have it', () => {
  let stand: Stand;
  const yearEnd = { day: 5, month: 4 };
  beforeAll(async () => {
    const now = new Date('2026-11-22T00:00:00Z');
    const organisations = [{ journals: 1500, seed: drawSeed('documented questions'), yearEnd }];
    stand = await startStand({ sandbox: { organisations, now, limits: { minute: 10_000 } } });
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    expect(await stand.importInvoices()).toMatchObject({ ok: true });
  });
  afterAll(() => stand.close());

  const query = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
  /** The one sample that has this text in it, asked of this organisation. */
  async function ask(text: string, change: (sql: string) => string = (sql) => sql) {
    const docs = readFileSync(resolve(import.meta.dirname, '../../docs/tables.md'), 'utf8');
    const samples = [...docs.matchAll(/```sql\n(.*?)```/gs)]
      .map(([, sql = '']) => sql)
      .filter((sql) => sql.includes(text));
    expect(samples).toHaveLength(1);
    const name = stand.sandbox.organisations[0]?.name.replaceAll("'", "''");
    return query(change(samples[0] ?? '').replaceAll('Acme Ltd', name ?? ''));
  }
  /** What the journals of some days come to, each line under the keys that it has. */
  function summed(
    from: string,
    to: string,
    keysOf: (line: ReturnType<typeof linesOf>[number]) => (readonly [string, Money])[],
  ): Map<string, Money> {
    const sums = new Map<string, Money>();
    for (const line of linesOf(from, to))
      for (const [key, amount] of keysOf(line)) sums.set(key, (sums.get(key) ?? 0n) + amount);
    return sums;
  }
  const linesOf = (from: string, to: string) =>
    [...stand.organisation.books.journals()]
      .filter(({ date }) => date >= on(from) && date <= on(to))
      .flatMap(({ date, sourceId, lines }) => (lines ?? []).map((line) => ({ ...line, date, sourceId })));
  const both = (
    rows: Record<string, string | null>[],
    keyOf: (row: Record<string, string | null>) => string,
    amount: string,
  ) => {
    const sums = new Map<string, Money>();
    for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0n) + money(row[amount] ?? '0'));
    return told(sums);
  };

  test('a trial balance has the month’s movement and the balance of Xero’s report, also where a year begins within the month', async () => {
    const { books, tenantId } = stand.organisation;
    for (const date of ['2025-04-05', '2025-04-06', '2026-04-20', '2026-04-30', '2026-06-30']) {
      const report = trialBalance(books, books.chart, on(date), yearEnd);
      const rows = await query('select * from xero.trial_balance($1, $2)', [tenantId, date]);
      for (const [column, of] of [
        ['month_movement', 'month'],
        ['balance', 'ytd'],
      ] as const) {
        const expected = told(new Map(report.map((row) => [row.account.id, row[of]])));
        expect(both(rows, (row) => row.account_id ?? '', column)).toEqual(expected);
        expect(expected.reduce((all, [, sum]) => all + sum, 0n)).toBe(0n);
      }
    }
    expect((await ask('of_basis =>', (sql) => sql.replace("'cash'", "'accrual'"))).length).toBeGreaterThan(10);
  });

  test('profit and loss by month', async () => {
    const rows = await ask('-sum(net_amount) as amount', (sql) =>
      sql.replace('::date as month', '::date::text as month'),
    );
    const expected = summed('2026-04-01', '2026-06-30', ({ account, net, date }) => {
      const month = `${new Date(date).toISOString().slice(0, 7)}-01`;
      return ['REVENUE', 'EXPENSE'].includes(account.class) ? [[`${month} ${account.id}`, -net]] : [];
    });
    expect(both(rows, (row) => `${row.month} ${row.account_id}`, 'amount')).toEqual(told(expected));
    expect(expected.size).toBeGreaterThan(20);
  });

  test.each([
    ['DEBTORS', '610'],
    ['CREDITORS', '800'],
  ])(
    'what is owed by age, of %s: all of it is the account’s balance, and each bucket holds its invoices',
    async (system, code) => {
      const rows = await ask('days_1_to_30', (sql) => sql.replace('DEBTORS', system));
      const { books } = stand.organisation;
      const due = new Map(books.invoices.entries().map((each) => [each.id, each.full().dueDate]));
      const expected = summed('2000-01-01', '2026-06-30', ({ account, net, sourceId = '' }) => {
        if (account.code !== code) return [];
        const dueDate = due.get(sourceId);
        const late = dueDate === undefined ? 0 : (on('2026-06-30') - dueDate) / day;
        const bucket =
          dueDate === undefined
            ? 'of_no_one_invoice'
            : late <= 0
              ? 'not_due'
              : late <= 30
                ? 'days_1_to_30'
                : late <= 60
                  ? 'days_31_to_60'
                  : 'older';
        return [
          ['total', net],
          [bucket, net],
        ];
      });
      const report = trialBalance(books, books.chart, on('2026-06-30'), yearEnd).find(
        ({ account }) => account.code === code,
      );
      expect(expected.get('total')).toBe(report?.ytd);
      expect(expected.size).toBeGreaterThan(4);
      for (const [bucket, sum] of expected)
        expect(both(rows, () => bucket, bucket)).toEqual(told(new Map([[bucket, sum]])));
    },
  );

  test('tax by rate', async () => {
    const rows = await ask('sum(tax_amount) as tax');
    for (const [column, of] of [
      ['net', 'net'],
      ['tax', 'tax'],
    ] as const) {
      const expected = summed('2026-04-01', '2026-06-30', (line) =>
        line.taxType === undefined ? [] : [[`${line.taxType} ${line.taxName} ${line.account.class}`, line[of]]],
      );
      expect(both(rows, (row) => `${row.tax_type} ${row.tax_name} ${row.account_class}`, column)).toEqual(
        told(expected),
      );
    }
  });

  test('what moved in each bank account', async () => {
    const rows = await ask('as opening');
    const banks = (from: string, to: string) =>
      told(summed(from, to, ({ account, net }) => (account.type === 'BANK' ? [[account.id, net]] : [])));
    const of = (column: string) => both(rows, (row) => row.account_id ?? '', column);
    expect(of('opening')).toEqual(banks('2000-01-01', '2026-05-31'));
    expect(of('movement')).toEqual(banks('2026-06-01', '2026-06-30'));
    expect(of('closing')).toEqual(banks('2000-01-01', '2026-06-30'));
  });

  test('costs by the options of one tracking category, whichever place it has on a line', async () => {
    const rows = await ask('as region');
    const expected = summed('2026-04-01', '2026-06-30', ({ account, net, tracking }) => {
      const region = tracking.find(({ category }) => category.name === 'Region')?.option.name;
      return account.class === 'EXPENSE' ? [[`${region ?? null} ${account.id}`, net]] : [];
    });
    expect(both(rows, (row) => `${row.region} ${row.account_id}`, 'amount')).toEqual(told(expected));
  });

  test('which invoices are stale', async () => {
    const {
      rows: [one],
    } = await stand.database.pool.query('select tenant_id, invoice_id from xero.invoice limit 1');
    const row = [one.tenant_id, one.invoice_id.toUpperCase()];
    await query(
      `insert into daybook.quarantine (tenant_id, stream, run_id, invoice_id, reason, payload) values
         ($1, 'invoices', gen_random_uuid(), $2, 'a NUL', '1'), ($1, 'invoices', gen_random_uuid(), 'never stored', 'a NUL', '2')`,
      row,
    );
    expect(await ask('i.stale_since')).toMatchObject([{ invoice_id: 'never stored', status: null }]);
    await query('update xero.invoice set stale_since = now() where invoice_id = $1', [one.invoice_id]);
    expect(await ask('i.stale_since')).toHaveLength(2);
  });
});
