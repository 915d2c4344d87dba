-- Up Migration

-- What people ask of the books. All views run with the rights of who asks, so row-level security holds through them.

-- Xero's fixed table of account types, for an account that the chart does not have (any more).
-- Source: https://developer.xero.com/documentation/api/accounting/types#account-types
create function xero.class_of_account_type(type text) returns text
  language sql immutable parallel safe
  return case
    when upper(type) in ('BANK', 'CURRENT', 'FIXED', 'INVENTORY', 'NONCURRENT', 'PREPAYMENT') then 'ASSET'
    when upper(type) = 'EQUITY' then 'EQUITY'
    when upper(type) in ('DEPRECIATN', 'DIRECTCOSTS', 'EXPENSE', 'OVERHEADS', 'SUPERANNUATIONEXPENSE', 'WAGESEXPENSE')
      then 'EXPENSE'
    when upper(type) in ('CURRLIAB', 'LIABILITY', 'PAYGLIABILITY', 'PAYG', 'SUPERANNUATIONLIABILITY', 'TERMLIAB',
                         'WAGESPAYABLELIABILITY') then 'LIABILITY'
    when upper(type) in ('OTHERINCOME', 'REVENUE', 'SALES') then 'REVENUE'
  end;

-- An edit or a void in Xero posts the opposite of what was posted, without a link to it: the two have one source, and
-- the same lines with every sign turned. The first journal of a kind is undone by the first of its opposite, and so on.
-- Materialized, because a planner without statistics would find the pairs anew for every line.
create view xero.journal_reversal with (security_invoker = true) as
with repeated as (
  select tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, source_type, source_id
    from (select j.*, count(*) over (partition by tenant_id, basis, source_id) as journals
            from xero.journal j where source_id is not null) j
   where journals > 1
), line as (
  select l.tenant_id, l.basis, l.journal_id, l.net_amount,
         concat_ws(' ', coalesce(l.account_id::text, l.account_code),
                   (select string_agg(t.tracking_option_id::text, ' ' order by t.tracking_option_id)
                      from xero.journal_line_tracking t
                     where (t.tenant_id, t.basis, t.journal_id, t.line_index)
                         = (l.tenant_id, l.basis, l.journal_id, l.line_index))) as place
    from xero.journal_line l
), effect as (
  select r.tenant_id, r.basis, r.journal_id, r.journal_number, r.journal_date, r.created_date_utc, r.source_type, r.source_id,
         md5(string_agg(l.place || ' ' || trim_scale(l.net_amount), '|' order by l.place, l.net_amount)) as effect,
         md5(string_agg(l.place || ' ' || trim_scale(-l.net_amount), '|' order by l.place, -l.net_amount)) as opposite
    from repeated r join line l using (tenant_id, basis, journal_id)
   group by r.tenant_id, r.basis, r.journal_id, r.journal_number, r.journal_date, r.created_date_utc, r.source_type, r.source_id
), counted as (
  select e.*, least(effect, opposite) as kind,
         row_number() over (partition by tenant_id, basis, source_id, source_type, effect order by journal_number) as nth
    from effect e where effect <> opposite
), paired as materialized (
  select c.tenant_id, c.basis, c.journal_id, c.journal_number, c.journal_date, c.created_date_utc,
         count(*) over pair as members,
         first_value(c.journal_id) over in_order as first_id, first_value(c.journal_date) over in_order as first_date,
         last_value(c.journal_id) over in_order as last_id, last_value(c.journal_date) over in_order as last_date,
         last_value(c.created_date_utc) over in_order as last_created
    from counted c
  window pair as (partition by tenant_id, basis, source_id, source_type, kind, nth),
         in_order as (partition by tenant_id, basis, source_id, source_type, kind, nth order by journal_number
                      rows between unbounded preceding and unbounded following)
)
-- Grouped by its own key, which proves to the planner that it can be left out where nobody asks for it.
select tenant_id, basis, journal_id,
       (array_agg(first_id))[1] as first_journal_id, (array_agg(last_id))[1] as last_journal_id,
       bool_and(first_date = last_date) as same_date, max(last_created) as reversed_at
  from paired where members = 2
 group by tenant_id, basis, journal_id;
comment on view xero.journal_reversal is
  'Pairs of a journal and the later one of the same source that undoes it exactly; one row for each of the two.';

create view xero.settled_document with (security_invoker = true) as
select s.tenant_id, s.settlement_id,
       case when count(distinct i.contact_id) = 1 then min(i.contact_id::text)::uuid end as contact_id,
       case when count(distinct i.contact_id) = 1 then max(i.contact_name) end as contact_name,
       case when count(distinct i.invoice_id) = 1 then min(i.invoice_id::text)::uuid end as invoice_id,
       case when count(distinct i.invoice_id) = 1 then min(i.invoice_number) end as invoice_number,
       case when count(distinct i.invoice_id) = 1 then min(i.due_date) end as due_date
  from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id)
 where s.settlement_id is not null
 group by s.tenant_id, s.settlement_id;
comment on view xero.settled_document is
  'What a payment, credit note, prepayment or overpayment settles, as far as it is one invoice or one contact.';

create view xero.ledger_line with (security_invoker = true) as
select l.tenant_id,
       concat_ws('/', l.tenant_id, l.journal_id, l.line_index, nullif(l.basis, 'accrual')) as line_key,
       l.basis, j.journal_id, j.journal_number, l.line_index, l.journal_line_id, j.journal_date, j.created_date_utc,
       j.reference, j.source_type, j.source_id,
       l.account_id, coalesce(a.code, l.account_code) as account_code, coalesce(a.name, l.account_name) as account_name,
       coalesce(a.class, xero.class_of_account_type(coalesce(a.type, l.account_type))) as account_class,
       coalesce(a.type, l.account_type) as account_type,
       l.description, l.net_amount, l.gross_amount, l.tax_amount, l.tax_type, l.tax_name,
       coalesce(i.contact_id, s.contact_id) as contact_id,
       coalesce(c.name, i.contact_name, s.contact_name) as contact_name,
       coalesce(i.invoice_id, s.invoice_id) as invoice_id,
       coalesce(i.invoice_number, s.invoice_number) as invoice_number,
       coalesce(i.due_date, s.due_date) as due_date,
       coalesce(c1.name, t1.name) as tracking_category_1, coalesce(o1.name, t1.option) as tracking_option_1,
       coalesce(c2.name, t2.name) as tracking_category_2, coalesce(o2.name, t2.option) as tracking_option_2,
       case when r.last_journal_id = l.journal_id then r.first_journal_id end as reversal_of_journal_id,
       case when r.first_journal_id = l.journal_id then r.last_journal_id end as reversed_by_journal_id,
       r.reversed_at,
       -- A pair over two dates does not cancel in either, so both of it stand.
       not coalesce(r.same_date, false) as stands
  from xero.journal_line l
  join xero.journal j using (tenant_id, basis, journal_id)
  left join xero.account a on (a.tenant_id, a.account_id) = (l.tenant_id, l.account_id)
  left join xero.invoice i on (i.tenant_id, i.invoice_id) = (j.tenant_id, j.source_id)
  left join xero.settled_document s on (s.tenant_id, s.settlement_id) = (j.tenant_id, j.source_id)
  left join xero.contact c on c.tenant_id = j.tenant_id and c.contact_id = coalesce(i.contact_id, s.contact_id)
  left join xero.journal_line_tracking t1
         on (t1.tenant_id, t1.basis, t1.journal_id, t1.line_index, t1.tracking_index)
          = (l.tenant_id, l.basis, l.journal_id, l.line_index, 1)
  left join xero.tracking_category c1
         on (c1.tenant_id, c1.tracking_category_id) = (t1.tenant_id, t1.tracking_category_id)
  left join xero.tracking_category_option o1
         on (o1.tenant_id, o1.tracking_category_id, o1.tracking_option_id)
          = (t1.tenant_id, t1.tracking_category_id, t1.tracking_option_id)
  left join xero.journal_line_tracking t2
         on (t2.tenant_id, t2.basis, t2.journal_id, t2.line_index, t2.tracking_index)
          = (l.tenant_id, l.basis, l.journal_id, l.line_index, 2)
  left join xero.tracking_category c2
         on (c2.tenant_id, c2.tracking_category_id) = (t2.tenant_id, t2.tracking_category_id)
  left join xero.tracking_category_option o2
         on (o2.tenant_id, o2.tracking_category_id, o2.tracking_option_id)
          = (t2.tenant_id, t2.tracking_category_id, t2.tracking_option_id)
  left join xero.journal_reversal r
         on (r.tenant_id, r.basis, r.journal_id) = (l.tenant_id, l.basis, l.journal_id);
comment on view xero.ledger_line is 'A journal line of either basis with all that is known of it; mixing the two counts twice.';

create view xero.general_ledger with (security_invoker = true) as
select * from xero.ledger_line where basis = 'accrual';
comment on view xero.general_ledger is
  'The general ledger: one row a journal line, net_amount in base currency, positive is debit. Balances are its sums.';

create view xero.cash_general_ledger with (security_invoker = true) as
select * from xero.ledger_line where basis = 'cash';
comment on view xero.cash_general_ledger is 'The cash-basis ledger, a series of its own: never add it to the accrual one.';

create view xero.general_ledger_net with (security_invoker = true) as
select * from xero.general_ledger where stands;
comment on view xero.general_ledger_net is
  'The general ledger without what was undone on its own date: the same sums for every account and date, fewer rows.';

-- The ledger as it stood when Xero's clock showed known_at: what was posted later is not there, nor is its undoing.
create function xero.general_ledger_as_known(known_at timestamptz) returns setof xero.general_ledger
  language sql stable security invoker parallel safe
begin atomic
  select tenant_id, line_key, basis, journal_id, journal_number, line_index, journal_line_id, journal_date, created_date_utc,
         reference, source_type, source_id, account_id, account_code, account_name, account_class, account_type,
         description, net_amount, gross_amount, tax_amount, tax_type, tax_name, contact_id, contact_name, invoice_id,
         invoice_number, due_date, tracking_category_1, tracking_option_1, tracking_category_2, tracking_option_2,
         reversal_of_journal_id,
         case when reversed_at <= known_at then reversed_by_journal_id end,
         case when reversed_at <= known_at then reversed_at end,
         stands or reversed_at > known_at
    from xero.general_ledger where created_date_utc <= known_at;
end;

-- The first day of the financial year that a date lies in.
create function xero.financial_year_start(tenant uuid, on_date date) returns date
  language plpgsql stable security invoker as $$
declare
  end_month int;
  end_day int;
  year_end date;
begin
  select financial_year_end_month, financial_year_end_day into end_month, end_day
    from xero.organisation where tenant_id = tenant;
  if end_month is null or end_day is null then
    raise exception 'The financial year of the organisation % is not known: its reference data is not imported yet.', tenant
      using hint = 'An import of its journals brings it.';
  end if;
  for year in reverse extract(year from on_date)::int .. extract(year from on_date)::int - 1 loop
    -- 30 February and its like mean the last day of the month.
    year_end := least(make_date(year, end_month, 1) + end_day - 1,
                      (make_date(year, end_month, 1) + interval '1 month - 1 day')::date);
    if year_end < on_date then
      return year_end + 1;
    end if;
  end loop;
end $$;

-- The trial balance of one organisation: income and costs since the financial year began, all else since ever, and the
-- profits of earlier years in retained earnings, as Xero's own report has it. balance: positive is debit.
create function xero.trial_balance(tenant uuid, on_date date, known_at timestamptz default 'infinity')
  returns table (account_id uuid, account_code text, account_name text, account_class text, account_type text,
                 system_account text, month_movement numeric, balance numeric, debit numeric, credit numeric)
  language sql stable security invoker
begin atomic
  with line as (
    select l.account_id, l.account_code, l.account_name, l.account_type, l.net_amount, j.journal_date
      from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
     where l.tenant_id = tenant and l.basis = 'accrual' and j.journal_date <= on_date and j.created_date_utc <= known_at
  ), period as (
    select xero.financial_year_start(tenant, on_date) as year_start, date_trunc('month', on_date)::date as month_start
  ), summed as (
    select l.account_id, case when l.account_id is null then l.account_code end as code_alone,
           max(l.account_code) as line_code, max(l.account_name) as line_name, max(l.account_type) as line_type,
           sum(l.net_amount) as ever,
           coalesce(sum(l.net_amount) filter (where l.journal_date >= p.year_start), 0) as this_year,
           coalesce(sum(l.net_amount) filter (where l.journal_date >= p.month_start), 0) as this_month
      from line l cross join period p group by 1, 2
  ), placed as (
    select s.account_id, coalesce(a.code, s.line_code) as account_code, coalesce(a.name, s.line_name) as account_name,
           coalesce(a.class, xero.class_of_account_type(coalesce(a.type, s.line_type))) as account_class,
           coalesce(a.type, s.line_type) as account_type, nullif(a.system_account, '') as system_account,
           s.this_month, s.this_year, s.ever
      from summed s left join xero.account a on a.tenant_id = tenant and a.account_id = s.account_id
  ), carried as (
    select coalesce(sum(ever - this_year), 0) as amount from placed where account_class in ('REVENUE', 'EXPENSE')
  ), retained as (
    select a.account_id, a.code, coalesce(a.name, 'Retained Earnings') as name, coalesce(a.type, 'EQUITY') as type, c.amount
      from carried c left join lateral (
        select a.account_id, a.code, a.name, a.type from xero.account a
         where a.tenant_id = tenant and a.system_account = 'RETAINEDEARNINGS' order by a.account_id limit 1) a on true
     where c.amount <> 0
  ), together as (
    select account_id, account_code, account_name, account_class, account_type, system_account, this_month as month_movement,
           case when account_class in ('REVENUE', 'EXPENSE') then this_year else ever end as balance
      from placed
    union all
    select account_id, code, name, 'EQUITY', type, 'RETAINEDEARNINGS', 0, amount from retained
  )
  select account_id, account_code, account_name, account_class, account_type, max(system_account), sum(month_movement),
         sum(balance), greatest(sum(balance), 0), greatest(-sum(balance), 0)
    from together
   group by account_id, account_code, account_name, account_class, account_type
   order by account_code nulls last, account_name;
end;
