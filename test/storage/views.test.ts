import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
const rows = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const one = async (sql: string, values: unknown[] = []) => (await rows(sql, values))[0];

beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 900, invoices: 300, seed: 11, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
  // Stated here, whatever the run brought: the year's end, and what an account is called.
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
       from xero.journal_line where account_code = '200' and tenant_id = $1
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
    expect(stored.lines).not.toBe(0);
    expect(await one(`select distinct account_name from xero.general_ledger where account_code = '200'`)).toEqual({
      account_name: 'Chart: Sales',
    });
  });

  test('names the contact and the invoice wherever an imported invoice is the source, or is what the source settles', async () => {
    const known = `select count(*) as lines, count(contact_id) as contacts, count(contact_name) as names, count(invoice_id) as invoices,
                          count(due_date) as dates from xero.general_ledger`;
    const invoiced = await one(
      `${known} where source_type in ('ACCREC', 'ACCPAY') and source_id in (select invoice_id from xero.invoice)`,
    );
    expect(Number(invoiced.lines)).toBeGreaterThan(300);
    const { lines } = invoiced;
    expect(invoiced).toEqual({ lines, contacts: lines, names: lines, invoices: lines, dates: lines });
    // The sandbox's payments and its payment journals know nothing of each other: one of each is made the same here.
    const { source_id } = await one(`select source_id from xero.journal where source_type = 'ACCRECPAYMENT' limit 1`);
    const paid = await one(
      `update xero.invoice_settlement set settlement_id = $1
        where ctid = (select ctid from xero.invoice_settlement where kind = 'payment' limit 1) returning invoice_id`,
      [source_id],
    );
    const settled = await rows(
      `select distinct l.invoice_id, l.contact_name = i.contact_name as named, l.due_date = i.due_date as dated
         from xero.general_ledger l join xero.invoice i using (tenant_id, invoice_id) where source_id = $1`,
      [source_id],
    );
    expect(settled).toEqual([{ invoice_id: paid.invoice_id, named: true, dated: true }]);
  });

  test('names the two journals of an edit, and leaves them out of what stands with the same sums', async () => {
    const { pairs, apart } = await one(
      `select count(distinct (a.journal_id)) as pairs, count(*) filter (where a.net_amount <> -b.net_amount or a.source_id <> b.source_id) as apart
         from xero.general_ledger a join xero.general_ledger b
           on b.journal_id = a.reversed_by_journal_id and b.line_index = a.line_index and b.reversal_of_journal_id = a.journal_id`,
    );
    expect(Number(pairs)).toBeGreaterThan(5);
    expect(apart).toBe(0);
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

  test('has the same pairs whether they are found among all organisations or in one', async () => {
    const pairs = 'journal_id, first_journal_id, last_journal_id, same_date, reversed_at';
    const ofAll = await rows(`select ${pairs} from xero.journal_reversal where basis = 'accrual' order by journal_id`);
    const { tenantId } = stand.organisation;
    const ofOne = await rows(`select ${pairs} from xero.reversals_of($1, 'accrual') order by journal_id`, [tenantId]);
    expect(ofAll.length).toBeGreaterThan(1);
    expect(ofOne).toEqual(ofAll);
    expect(await rows(`select from xero.reversals_of($1, 'cash')`, [tenantId])).toEqual([]);
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
    expect(later).toEqual({ count: 0 });
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
