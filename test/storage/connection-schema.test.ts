import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NameRefused, storeConnection } from '../../storage/connections.ts';
import { removeConnection } from '../../storage/remove-connection.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { fivetranSchema } from './fivetran-schema.ts';

let stand: Stand;
let schema: string;
const rows = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const one = async (sql: string, values: unknown[] = []) => (await rows(sql, values))[0];

beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 700, invoices: 250, seed: 12, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
  schema = `xero_${stand.connection.replaceAll('-', '_')}`;
  // One account has the code of another one; the year ends in February; and a line names an account that the chart lacks.
  await rows(
    `insert into xero.account (tenant_id, account_id, code, name, type, class, status, payload, run_id)
     values ($1, gen_random_uuid(), '200', 'Sales of old', 'SALES', 'REVENUE', 'ARCHIVED', '{}', gen_random_uuid())`,
    [stand.organisation.tenantId],
  );
  await rows(`update xero.organisation set financial_year_end_day = 31, financial_year_end_month = 2`);
  await rows(`delete from xero.account where code = '477'`);
});
afterAll(() => stand.close());

/** dbt_xero's general ledger: account and its class come from the chart of accounts alone. */
const ledger = () => `
  select l.*, j.journal_date, j.source_id, j.source_type, a.account_id as known_id, a.class
    from ${schema}.journal j left join ${schema}.journal_line l using (journal_id) left join ${schema}.account a using (account_id)`;

describe('A connection’s schema, as dbt_xero joins it', () => {
  test('has each table and column of Fivetran’s that the package reads, with its type', async () => {
    const expected = Object.entries(fivetranSchema).flatMap(([table, byType]) =>
      Object.entries(byType).flatMap(([type, columns]) =>
        columns.split(' ').map((column) => ({ table, column, type })),
      ),
    );
    const cash = expected
      .filter(({ table }) => table.startsWith('journal'))
      .map((each) => ({ ...each, table: each.table.replace('journal', 'journal_cash') }));
    const found = await rows(
      `select table_name as table, column_name as column, data_type as type from information_schema.columns where table_schema = $1`,
      [schema],
    );
    expect(found).toEqual(expect.arrayContaining([...expected, ...cash]));
    expect(new Set(found.map(({ table }) => table)).size).toBe(17);
  });

  test('loses no line and doubles none; the organisation is one row, a code is one account’s', async () => {
    const flat = await one(
      `select count(*) as lines, trim_scale(sum(net_amount)) as net, count(class) as classed,
              count(distinct (journal_id, journal_line_id)) as keys from (${ledger()}) l`,
    );
    const stored = await one(
      `select count(*) as lines, trim_scale(sum(net_amount)) as net from xero.general_ledger where tenant_id = $1`,
      [stand.organisation.tenantId],
    );
    expect(flat).toEqual({ ...stored, classed: stored.lines, keys: stored.lines });
    expect(
      await one(`select count(*) as lines from ${schema}.account where code = '477' and class = 'EXPENSE'`),
    ).toEqual({
      lines: 1,
    });
    // No date can be made of 31 February; the 29th is what the package reads as that month's last day.
    expect(
      await rows(`select financial_year_end_day as day, financial_year_end_month as month from ${schema}.organization`),
    ).toEqual([{ day: 29, month: 2 }]);
    expect(
      await rows(`select code from ${schema}.account where code is not null group by code having count(*) > 1`),
    ).toEqual([]);
    expect(await one(`select count(*) from ${schema}.account where name = 'Sales of old'`)).toEqual({ count: 1 });
  });

  test('makes a balance sheet and a profit and loss that balance, and are the trial balance’s to the last digit', async () => {
    const { tenantId } = stand.organisation;
    const months = `select generate_series(date_trunc('month', min(journal_date)), max(journal_date), '1 month')::date as month from xero.journal`;
    const sheet = `
      select m.month, coalesce(l.known_id, 'earnings') as account, sum(l.net_amount) as net
        from (${months}) m join (select case when class in ('REVENUE', 'EXPENSE') then null else known_id end as known_id,
                                        class, journal_date, net_amount from (${ledger()}) l) l on l.journal_date < m.month + interval '1 month'
       group by 1, 2`;
    const sums = await rows(`select month, sum(net) as net from (${sheet}) s group by 1`);
    expect(sums.length).toBeGreaterThan(12);
    expect(sums.filter(({ net }) => Number(net) !== 0)).toEqual([]);
    const trial = `
      select m.month, t.account_id::text, t.account_class as class, t.balance, t.month_movement
        from (${months}) m cross join lateral xero.trial_balance($1, (m.month + interval '1 month - 1 day')::date) t`;
    // Earlier years' profits, which the package counts as earnings, are retained earnings there.
    const sheets = await one(
      `select count(*) as compared, count(*) filter (where s.net is distinct from t.balance) as apart
         from (select * from (${sheet}) s where account <> 'earnings') s
         full join (${trial}) t on (t.month, t.account_id) = (s.month, s.account)
        where t.class is distinct from 'REVENUE' and t.class is distinct from 'EXPENSE'
          and coalesce(s.account, t.account_id) is distinct from
              (select account_id::text from xero.account where system_account = 'RETAINEDEARNINGS' and tenant_id = $1)`,
      [tenantId],
    );
    expect(sheets.apart).toBe(0);
    expect(Number(sheets.compared)).toBeGreaterThan(100);
    const profits = await one(
      `select count(*) as compared, count(*) filter (where p.net is distinct from t.month_movement) as apart
         from (select date_trunc('month', journal_date)::date as month, known_id, sum(net_amount) as net from (${ledger()}) l
                where class in ('REVENUE', 'EXPENSE') group by 1, 2) p
         full join (select * from (${trial}) t where class in ('REVENUE', 'EXPENSE') and month_movement <> 0) t
           on (t.month, t.account_id) = (p.month, p.known_id)
        where coalesce(p.net, 0) <> 0 or t.month is not null`,
      [tenantId],
    );
    expect(profits.apart).toBe(0);
    expect(Number(profits.compared)).toBeGreaterThan(100);
  });

  test('gives each invoice line once with its account and its contact, and ledger lines the contact of their invoice', async () => {
    const lines = await one(
      `select count(*) as lines, count(distinct (l.invoice_id, l.line_item_id)) as keys, sum(l.line_amount) as net,
              count(c.name) as named, count(l.account_code) = count(a.class) as accounts
         from ${schema}.invoice_line_item l left join ${schema}.invoice i using (invoice_id)
         left join ${schema}.account a on a.code = l.account_code
         left join ${schema}.contact c on c.contact_id = i.contact_id and c._fivetran_deleted = false`,
    );
    const stored = await one('select count(*) as lines, sum(line_amount) as net from xero.invoice_line_item');
    expect(Number(stored.lines)).toBeGreaterThan(200);
    expect(lines).toEqual({ ...stored, keys: stored.lines, named: stored.lines, accounts: true });
    const contacts = await one(
      `select count(i.invoice_id) as invoiced, count(c.name) as named from (${ledger()}) l
         left join ${schema}.invoice i on i.invoice_id = l.source_id left join ${schema}.contact c using (contact_id)
        where l.source_type in ('ACCREC', 'ACCPAY')`,
    );
    expect(contacts.named).toBe(contacts.invoiced);
    expect(Number(contacts.named)).toBeGreaterThan(200);
  });

  test('gives categories names that can be columns, and keeps the attribution of archived options', async () => {
    const { tenantId } = stand.organisation;
    for (const [index, name] of ['Plant', 'plant', '部門', 'Order', 'x'.repeat(90), 'Contact name'].entries()) {
      await stand.database.pool.query(
        `insert into xero.tracking_category (tenant_id, tracking_category_id, name, status, payload, run_id)
         values ($1, ('0000000' || $2 || '-0000-4000-8000-000000000000')::uuid, $3, 'ACTIVE', '{}', gen_random_uuid())`,
        [tenantId, index, name],
      );
    }
    const names = (await rows(`select name from ${schema}.tracking_category order by tracking_category_id`)).map(
      ({ name }) => name,
    );
    const columns = names.map((name) =>
      name
        .toLowerCase()
        .replace(/[ -]+/g, '_')
        .replace(/[^a-z0-9_]+/g, ''),
    );
    expect(new Set(columns).size).toBe(columns.length);
    await stand.database.pool.query(
      `select ${columns.map((column) => `1 as ${/^\d/.test(column) ? '_' : ''}${column}`).join(', ')}`,
    );
    expect(names.slice(0, 2)).toEqual(['Plant', 'plant 00000001']);
    expect(columns).not.toContain('contact_name');
    const attributed = await one(`
      select count(*) as tags, count(o.name) as kept from ${schema}.journal_line_has_tracking_category t
        left join ${schema}.tracking_category_option o on o.tracking_option_id = t.tracking_category_option_id and o.status = 'ACTIVE'`);
    expect(attributed.kept).toBe(attributed.tags);
    expect(attributed.tags).not.toBe(0);
  });

  test('comes and goes with its connection; a name that would share it is refused with a sentence', async () => {
    const { pool } = stand.database;
    const connection = (name: string) => ({
      name,
      authorisationId: randomUUID(),
      tenantId: randomUUID(),
      tenantName: 'Other',
      xeroConnectionId: null,
      applications: [],
    });
    const id = await storeConnection(pool, connection('two-names'));
    await expect(storeConnection(pool, connection('two_names'))).rejects.toThrow(NameRefused);
    const schemas = () => rows(`select from pg_namespace where nspname = 'xero_two_names'`);
    expect(await schemas()).toHaveLength(1);
    await pool.query(`select daybook.create_connection_schema('two-names', gen_random_uuid())`);
    await removeConnection(pool, id ?? '');
    expect(await schemas()).toHaveLength(0);
    await pool.query('create schema xero_theirs');
    await expect(storeConnection(pool, connection('theirs'))).rejects.toThrow(/not Daybook's/);
  });
});
