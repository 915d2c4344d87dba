import type pg from 'pg';
import type { AccountDifference } from '../model/reconciliation.ts';
import type { Basis } from '../model/request.ts';
import { inTransaction } from './pool.ts';
import { type StoredLedger, storedLedger } from './reconciliation.ts';

/** A row of Xero's report; amounts are decimal text, which Postgres takes to the last digit. */
interface ReportRow {
  accountId: string | null;
  title: string;
  debit: string;
  credit: string;
}

/** Xero's report as at a day. */
export interface Report {
  date: string;
  rows: ReportRow[];
}

export interface Question {
  tenantId: string;
  basis: Basis;
  report: Report;
  /**
   * The report as at the day of the conversion balances, the one before the first journal or one that is known: what it shows
   * and no journal up to it carries are those. Null when it was not asked.
   */
  opening: Report | null;
}

export interface Comparison {
  /** What was stored as it was compared. */
  stored: StoredLedger;
  /** Every account of either side, whether or not they agree. */
  accounts: ComparedAccount[];
}

type ComparedAccount = Omit<AccountDifference, 'sentence'> & {
  /** It is retained earnings, where the profits of earlier years stand. */
  isRetained: boolean;
};

/**
 * The stored ledger against Xero's report, account by account and exactly, in one statement: the difference of each account,
 * and which parts of it are explained. A part counts as explained only where its other side is found, too.
 */
export async function compareLedger(
  pool: pg.Pool,
  { tenantId, basis, report, opening }: Question,
): Promise<Comparison> {
  return inTransaction(pool, async (client) => {
    // An import may go on beside it: both statements see the ledger of one instant.
    await client.query('set transaction isolation level repeatable read, read only');
    const stored = await storedLedger(client, tenantId, basis);
    if (stored === null) throw new Error(`The journals of the organisation ${tenantId} were removed meanwhile.`);
    const { rows } = await client.query<ComparedAccount>(compare, [
      tenantId,
      basis,
      report.date,
      asJson(report),
      opening?.date ?? null,
      asJson(opening),
    ]);
    return { stored, accounts: rows };
  });
}

/** Without what no text of Postgres can hold: such a journal or account is in quarantine, but the report has its title. */
function asJson(report: Report | null): string {
  const rows = report?.rows ?? [];
  return JSON.stringify(rows.map((row) => ({ ...row, title: row.title.replaceAll(/\0|\p{Surrogate}/gu, '\ufffd') })));
}

const columnsOfReport = '("accountId" uuid, title text, debit numeric, credit numeric)';

/** Two decimals at least, as money is written, and all there are. */
const amount = (column: string) =>
  `(case when scale(trim_scale(${column})) < 2 then round(${column}, 2) else trim_scale(${column}) end)::text`;

/** $1 tenant, $2 basis, $3 date and $4 rows of the report, $5 date and $6 rows of the opening one. */
const compare = `
  with chart as materialized (
    select a.account_id::text as key, a.account_id, a.code, a.name, a.currency_code, nullif(a.system_account, '') as system_account,
           a.type, coalesce(a.class, xero.class_of_account_type(a.type)) as class
      from xero.account a where a.tenant_id = $1
  ),
  -- What names no account's id is found by its code, else it is known by its title.
  told as (
    select is_opening, t.title, t.debit - t.credit as balance,
           coalesce(t."accountId"::text,
                    (select c.key from chart c where c.code = substring(t.title from '\\(([^()]+)\\)$') order by c.key limit 1),
                    t.title) as key
      from (select false as is_opening, * from jsonb_to_recordset($4::jsonb) as r ${columnsOfReport}
            union all
            select true, * from jsonb_to_recordset($6::jsonb) as r ${columnsOfReport}) as t
  ), reported as (
    select key, max(title) as title, sum(balance) as balance from told where not is_opening group by key
  ), retained as (
    select coalesce((select min(key) from chart where system_account = 'RETAINEDEARNINGS'),
                    (select min(key) from reported where title ilike 'retained earnings%')) as key
  ), held as (
    select d.is_opening, b.account_code as code, b.account_name as name, b.account_class as class, b.balance, b.brought_forward,
           coalesce(b.account_id::text,
                    case when b.system_account = 'RETAINEDEARNINGS' then r.key end,
                    (select c.key from chart c where c.code = b.account_code order by c.key limit 1),
                    concat(b.account_name, ' (' || b.account_code || ')')) as key
      from (values (false, $3::date), (true, $5::date)) as d (is_opening, as_at)
      cross join lateral xero.trial_balance($1, d.as_at, 'infinity', $2) b cross join retained r
     where d.as_at is not null
  ), opened as (
    -- Income and costs of a year that is over are in retained earnings by now.
    select coalesce(case when c.class in ('REVENUE', 'EXPENSE') and $5::date < xero.financial_year_start($1, $3::date)
                         then r.key end, t.key) as key,
           sum(t.balance) as balance
      from (select key, balance from told where is_opening
            union all
            select key, -balance from held where is_opening
            union all
            -- As Xero sent it: what was changed by hand on that day is no conversion balance.
            select l.account_id::text, l.net_amount - s.amount from xero.journal j
              join xero.journal_line l using (tenant_id, basis, journal_id)
              cross join lateral (select (j.payload #>> array['JournalLines', (l.line_index - 1)::text, 'NetAmount'])::numeric as amount) s
             where j.tenant_id = $1 and j.basis = $2 and j.journal_date = $5::date and l.net_amount <> s.amount) t
      cross join retained r left join chart c on c.key = t.key group by 1
  ), stored as (
    select key, max(code) as code, max(name) as name, max(class) as class, sum(balance) as balance,
           sum(brought_forward) as brought_forward
      from held where not is_opening group by key
  ), compared as (
    select key, c.account_id, coalesce(c.code, s.code, substring(r.title from '\\(([^()]+)\\)$')) as code,
           coalesce(c.name, s.name, r.title) as name, coalesce(c.class, s.class) as class, c.system_account,
           coalesce(r.balance, 0) as xero, coalesce(s.balance, 0) as ledger, coalesce(o.balance, 0) as conversion,
           coalesce(s.brought_forward, 0) as brought_forward, key = (select key from retained) as is_retained,
           greatest(scale(coalesce(r.balance, 0)), 2) as decimals,
           -- What Xero revalues when it makes the report, and the account that takes the gain: no journal has either.
           case when c.system_account in ('UNREALISEDCURRENCYGAIN', 'DEBTORS', 'CREDITORS') then 'unrealised'
                when c.system_account = 'BANKCURRENCYGAIN' or c.type = 'BANK' and c.currency_code <> (
                  select base_currency from xero.organisation where tenant_id = $1) then 'bank' end as revalued_as,
           coalesce(c.system_account in ('UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'), false) as is_gain
      from reported r full join stored s using (key) full join opened o using (key) left join chart c using (key)
  ), without_conversion as (
    select c.*, xero - ledger - conversion as rest,
           -- What of a gain's difference is a line that is not as Xero sent it is no revaluation.
           case when is_gain and xero - ledger - conversion <> 0 then coalesce((
             select sum(l.net_amount - (j.payload #>> array['JournalLines', (l.line_index - 1)::text, 'NetAmount'])::numeric)
               from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
              where l.tenant_id = $1 and l.basis = $2 and l.account_id = c.account_id
                and j.journal_date between xero.financial_year_start($1, $3::date) and $3::date), 0) else 0 end as altered
      from compared c
  ), gained as (
    select *, coalesce(sum(rest + altered) filter (where is_gain) over same, 0) as gain,
           coalesce(sum(rest) filter (where not is_gain) over same, 0) as value,
           count(*) filter (where not is_gain and rest <> 0) over same as valued
      from without_conversion window same as (partition by revalued_as)
  ), matched as (
    select *, count(*) filter (where not is_gain and rest = -gain) over (partition by revalued_as) as matching from gained
  ), currency as (
    -- The two sides cover each other; where something else differs, too, only as far as it is certain on which account.
    select *, case when revalued_as is null or gain = 0 or valued = 0 then 0
                   when is_gain then case when gain + value = 0 or matching = 1 or valued = 1 then gain else 0 end
                   when gain + value = 0 or matching = 1 and rest = -gain then rest
                   when matching <> 1 and valued = 1 and rest <> 0 then -gain
                   else 0 end as revaluation
      from matched
  ), years as (
    select *, case when is_retained and brought_forward <> 0 and rest - revaluation = -brought_forward
                   then -brought_forward else 0 end as retained_earnings
      from currency
  ), shown as (
    select *, case when round(xero - (rest - revaluation - retained_earnings), decimals) = xero
                    and scale(trim_scale(ledger)) > decimals
                   then rest - revaluation - retained_earnings else 0 end as shown_short
      from years
  ), rounded as (
    -- The report's own rounding account takes what its rounding of the others amounts to.
    select *, case when system_account = 'ROUNDING' and shown_short = 0
                    and rest - revaluation - retained_earnings = -(sum(shown_short) over ())
                   then rest - revaluation - retained_earnings else shown_short end as rounding
      from shown
  )
  select key, account_id as "accountId", code, name, class, coalesce(is_retained, false) as "isRetained",
         ${amount('xero')} as xero, ${amount('ledger')} as ledger, ${amount('(xero - ledger)')} as difference, ${amount('conversion')} as "conversionBalance",
         ${amount('revaluation')} as "currencyRevaluation", ${amount('retained_earnings')} as "retainedEarnings",
         ${amount('rounding')} as rounding, ${amount('(rest - revaluation - retained_earnings - rounding)')} as unexplained
    from rounded order by code nulls last, name, key`;
