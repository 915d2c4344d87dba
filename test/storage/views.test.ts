import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NameRefused, removeConnection, storeConnection } from '../../storage/connections.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
let schema: string;
const rows = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const one = async (sql: string, values: unknown[] = []) => (await rows(sql, values))[0];

beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 900, seed: 11, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  schema = `xero_${stand.connection.replaceAll('-', '_')}`;
  // Stated here, whatever the run brought: the year's end, and one account whose code another one has too.
  const { tenantId } = stand.organisation;
  await stand.database.pool.query(
    `insert into xero.organisation (tenant_id, organisation_id, name, financial_year_end_day, financial_year_end_month, payload, run_id)
     values ($1, $1, 'Acme', 31, 3, '{}', gen_random_uuid())
     on conflict (tenant_id) do update set financial_year_end_day = 31, financial_year_end_month = 3`,
    [tenantId],
  );
  await stand.database.pool.query(
    `insert into xero.account (tenant_id, account_id, code, name, type, class, status, payload, run_id)
     select distinct on (account_id) tenant_id, account_id, account_code, 'Chart: ' || account_name, account_type,
            xero.class_of_account_type(account_type), 'ACTIVE', '{}'::jsonb, gen_random_uuid()
       from xero.journal_line where account_code = '200'
     union all
     values ($1::uuid, gen_random_uuid(), '200', 'Sales of old', 'SALES', 'REVENUE', 'ARCHIVED', '{}'::jsonb, gen_random_uuid())
     on conflict (tenant_id, account_id) do update set name = excluded.name`,
    [tenantId],
  );
});
afterAll(() => stand.close());

describe('The general ledger', () => {
  test('has every accrual line once, under a key of its own, with a class', async () => {
    const stored = await one(
      `select count(*) as lines, sum(net_amount) as net from xero.journal_line where basis = 'accrual'`,
    );
    const flat = await one(
      `select count(*) as lines, sum(net_amount) as net, count(distinct line_key) as keys, count(account_class) as classed
         from xero.general_ledger`,
    );
    expect(flat).toEqual({ ...stored, keys: stored.lines, classed: stored.lines });
    expect(stored.lines).not.toBe('0');
    expect(await one(`select distinct account_name from xero.general_ledger where account_code = '200'`)).toEqual({
      account_name: 'Chart: Sales',
    });
  });

  test('names the two journals of an edit, and leaves them out of what stands with the same sums', async () => {
    const { pairs, apart } = await one(
      `select count(distinct (a.journal_id)) as pairs, count(*) filter (where a.net_amount <> -b.net_amount or a.source_id <> b.source_id) as apart
         from xero.general_ledger a join xero.general_ledger b
           on b.journal_id = a.reversed_by_journal_id and b.line_index = a.line_index and b.reversal_of_journal_id = a.journal_id`,
    );
    expect(Number(pairs)).toBeGreaterThan(5);
    expect(apart).toBe('0');
    const sums = (view: string) =>
      rows(
        `select account_id, journal_date::text, trim_scale(sum(net_amount)) as net from ${view}
          group by 1, 2 having sum(net_amount) <> 0 order by 1, 2`,
      );
    expect(await sums('xero.general_ledger_net')).toEqual(await sums('xero.general_ledger'));
    const { fewer } = await one(
      'select (select count(*) from xero.general_ledger) - (select count(*) from xero.general_ledger_net) as fewer',
    );
    expect(Number(fewer)).toBeGreaterThan(10);
  });

  test('stands again as it was known before an edit', async () => {
    const { id, before } = await one(
      `select journal_id as id, reversed_at - interval '1 millisecond' as before from xero.general_ledger
        where reversed_by_journal_id is not null and reversed_at > created_date_utc and not stands limit 1`,
    );
    const then = await one(
      `select distinct stands, reversed_by_journal_id from xero.general_ledger_as_known($1) where journal_id = $2`,
      [before, id],
    );
    expect(then).toEqual({ stands: true, reversed_by_journal_id: null });
    const later = await one('select count(*) from xero.general_ledger_as_known($1) where created_date_utc > $1', [
      before,
    ]);
    expect(later).toEqual({ count: '0' });
  });

  test('makes a trial balance that balances, with the year’s profit alone in income and costs', async () => {
    const { tenantId } = stand.organisation;
    const { on } = await one(`select (max(journal_date) - 20)::text as on from xero.general_ledger`);
    const balance = await rows('select * from xero.trial_balance($1, $2)', [tenantId, on]);
    const cents = (text: string) => BigInt(Math.round(Number(text) * 10_000));
    expect(balance.reduce((sum, { balance: net }) => sum + cents(net), 0n)).toBe(0n);
    const { start } = await one('select xero.financial_year_start($1, $2)::text as start', [tenantId, on]);
    expect(start).toMatch(/-04-01$/);
    const sales = await one(
      `select trim_scale(sum(net_amount)) as net from xero.general_ledger where account_code = '200' and journal_date between $1 and $2`,
      [start, on],
    );
    expect(Number(balance.find(({ account_code }) => account_code === '200').balance)).toBe(Number(sales.net));
    expect(balance.some(({ system_account }) => system_account === 'RETAINEDEARNINGS')).toBe(true);
  });
});

describe('A connection’s schema, as dbt_xero joins it', () => {
  test('loses no line and doubles none; ids are texts, dates are dates', async () => {
    const flat = await one(`
      select count(*) as lines, trim_scale(sum(l.net_amount)) as net, count(a.class) as classed, count(distinct (l.journal_id, l.journal_line_id)) as keys,
             min(pg_typeof(l.account_id)::text) as id, min(pg_typeof(j.journal_date)::text) as date
        from ${schema}.journal j left join ${schema}.journal_line l using (journal_id) left join ${schema}.account a using (account_id)`);
    const stored = await one(
      `select count(*) as lines, trim_scale(sum(net_amount)) as net from xero.general_ledger where tenant_id = $1`,
      [stand.organisation.tenantId],
    );
    expect(flat).toEqual({ ...stored, classed: stored.lines, keys: stored.lines, id: 'text', date: 'date' });
    expect(await one(`select count(*) from ${schema}.organization`)).toEqual({ count: '1' });
    expect(
      await rows(`select code from ${schema}.account where code is not null group by code having count(*) > 1`),
    ).toEqual([]);
    expect(await one(`select count(*) from ${schema}.account where name = 'Sales of old'`)).toEqual({ count: '1' });
  });

  test('gives categories names that can be columns, and keeps the attribution of archived options', async () => {
    const { tenantId } = stand.organisation;
    for (const [index, name] of ['Plant', 'plant', '部門', 'Order', 'x'.repeat(90)].entries()) {
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
    const attributed = await one(`
      select count(*) as tags, count(o.name) as kept from ${schema}.journal_line_has_tracking_category t
        left join ${schema}.tracking_category_option o on o.tracking_option_id = t.tracking_category_option_id and o.status = 'ACTIVE'`);
    expect(attributed.kept).toBe(attributed.tags);
    expect(attributed.tags).not.toBe('0');
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
