-- Up Migration

-- An account is called by the code it has now, as by its name; by a line's own only where the chart lacks the account: that code may be
-- another account's by now. An empty code is none. And each line tells its currency.
create or replace view xero.ledger_line with (security_invoker = true) as
select l.tenant_id,
       concat_ws('/', l.tenant_id, l.journal_id, l.line_index, nullif(l.basis, 'accrual')) as line_key,
       l.basis, j.journal_id, j.journal_number, l.line_index, l.journal_line_id, j.journal_date, j.created_date_utc,
       j.reference, j.source_type, j.source_id,
       l.account_id,
       case when a.account_id is null then nullif(l.account_code, '') else nullif(a.code, '') end as account_code,
       coalesce(a.name, l.account_name) as account_name,
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
       not coalesce(r.same_date, false) as stands,
       o.base_currency
  from xero.journal_line l
  join xero.journal j using (tenant_id, basis, journal_id)
  left join xero.organisation o on o.tenant_id = l.tenant_id
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
  -- Where an organisation or a basis is asked for, the planner would take it for this join's too: then it would no longer
  -- see that the join adds no row and can be left out, and it would expect a handful of pairs and look through all of them
  -- for each line. An expression hides it.
  left join xero.journal_reversal r
         on (r.tenant_id, r.basis, r.journal_id)
          = (nullif(l.tenant_id, '00000000-0000-0000-0000-000000000000'), l.basis || '', l.journal_id);

create or replace view xero.general_ledger with (security_invoker = true) as
select * from xero.ledger_line where basis = 'accrual';

create or replace view xero.cash_general_ledger with (security_invoker = true) as
select * from xero.ledger_line where basis = 'cash';

create or replace view xero.general_ledger_net with (security_invoker = true) as
select * from xero.general_ledger where stands;

-- The ledger as it stood when Xero's clock showed known_at: what was posted later is not there, nor is its undoing.
create or replace function xero.general_ledger_as_known(known_at timestamptz) returns setof xero.general_ledger
  language sql stable security invoker parallel safe
begin atomic
  select tenant_id, line_key, basis, journal_id, journal_number, line_index, journal_line_id, journal_date, created_date_utc,
         reference, source_type, source_id, account_id, account_code, account_name, account_class, account_type,
         description, net_amount, gross_amount, tax_amount, tax_type, tax_name, contact_id, contact_name, invoice_id,
         invoice_number, due_date, tracking_category_1, tracking_option_1, tracking_category_2, tracking_option_2,
         reversal_of_journal_id,
         case when reversed_at <= known_at then reversed_by_journal_id end,
         case when reversed_at <= known_at then reversed_at end,
         stands or reversed_at > known_at, base_currency
    from xero.general_ledger where created_date_utc <= known_at;
end;

-- As before, but for the codes.
create or replace function xero.trial_balance(tenant uuid, on_date date, known_at timestamptz default 'infinity',
                                   of_basis text default 'accrual')
  returns table (account_id uuid, account_code text, account_name text, account_class text, account_type text,
                 system_account text, month_movement numeric, balance numeric, debit numeric, credit numeric,
                 brought_forward numeric)
  language sql stable security invoker
begin atomic
  with line as (
    select l.account_id, l.account_code, l.account_name, l.account_type, l.net_amount, j.journal_date
      from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
     where l.tenant_id = tenant and l.basis = of_basis and j.journal_date <= on_date and j.created_date_utc <= known_at
  ), period as materialized (
    -- Materialized, or the function would be asked for every line.
    select xero.financial_year_start(tenant, on_date) as year_start, date_trunc('month', on_date)::date as month_start
  ), summed as (
    select l.account_id, case when l.account_id is null then l.account_code end as code_alone,
           max(l.account_code) as line_code, max(l.account_name) as line_name, max(l.account_type) as line_type,
           sum(l.net_amount) as ever,
           coalesce(sum(l.net_amount) filter (where l.journal_date >= p.year_start), 0) as this_year,
           coalesce(sum(l.net_amount) filter (where l.journal_date >= p.month_start), 0) as this_month
      from line l cross join period p group by 1, 2
  ), placed as (
    select s.account_id, case when a.account_id is null then nullif(s.line_code, '') else nullif(a.code, '') end as account_code,
           coalesce(a.name, s.line_name) as account_name,
           coalesce(a.class, xero.class_of_account_type(coalesce(a.type, s.line_type))) as account_class,
           coalesce(a.type, s.line_type) as account_type, nullif(a.system_account, '') as system_account,
           s.this_month, s.this_year, s.ever
      from summed s left join xero.account a on a.tenant_id = tenant and a.account_id = s.account_id
  ), carried as (
    select coalesce(sum(ever - this_year), 0) as amount from placed where account_class in ('REVENUE', 'EXPENSE')
  ), retained as (
    select a.account_id, nullif(a.code, '') as code, coalesce(a.name, 'Retained Earnings') as name, coalesce(a.type, 'EQUITY') as type, c.amount
      from carried c left join lateral (
        select a.account_id, a.code, a.name, a.type from xero.account a
         where a.tenant_id = tenant and a.system_account = 'RETAINEDEARNINGS' order by a.account_id limit 1) a on true
     where c.amount <> 0
  ), together as (
    select account_id, account_code, account_name, account_class, account_type, system_account, this_month as month_movement,
           case when account_class in ('REVENUE', 'EXPENSE') then this_year else ever end as balance, 0 as brought_forward
      from placed
    union all
    select account_id, code, name, 'EQUITY', type, 'RETAINEDEARNINGS', 0, amount, amount from retained
  )
  select account_id, account_code, account_name, account_class, account_type, max(system_account), sum(month_movement),
         sum(balance), greatest(sum(balance), 0), greatest(-sum(balance), 0), sum(brought_forward)
    from together
   group by account_id, account_code, account_name, account_class, account_type
   order by account_code nulls last, account_name;
end;

-- As before, but for what it says to a role that may not read the organisation: row-level security hides its row without a word.
create or replace function xero.financial_year_start(tenant uuid, on_date date) returns date
  language plpgsql stable security invoker as $$
declare
  end_month int;
  end_day int;
  year_end date;
begin
  select financial_year_end_month, financial_year_end_day into end_month, end_day
    from xero.organisation where tenant_id = tenant;
  if end_month is null or end_day is null then
    raise exception 'The financial year of the organisation % is not known: its reference data is not imported yet, or the role "%" may not read it.',
      tenant, current_user
      using hint = 'An import of its journals brings it; `daybook connections allow` lets an application read it.';
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

-- Lines of invoices keep the code that the account had when the invoice was read, so they are called by what their account is called now,
-- too. line_net_amount is without tax also where line_amount has it.
create or replace view xero.invoice_register with (security_invoker = true) as
select l.tenant_id, concat_ws('/', l.tenant_id, l.invoice_id, l.line_index) as line_key, l.invoice_id, l.line_index,
       l.line_item_id, i.type, i.status, i.invoice_number, i.reference, i.contact_id,
       coalesce(c.name, i.contact_name) as contact_name, i.date, i.due_date, i.fully_paid_on_date, i.updated_date_utc,
       i.currency_code, i.currency_rate, i.sub_total as invoice_sub_total, i.total_tax as invoice_total_tax,
       i.total as invoice_total, i.amount_due as invoice_amount_due, i.amount_paid as invoice_amount_paid,
       i.amount_credited as invoice_amount_credited, i.line_amount_types, l.description, l.quantity, l.unit_amount,
       l.line_amount, l.tax_amount, l.tax_type, l.item_code,
       case when a.account_id is null then nullif(l.account_code, '') else nullif(a.code, '') end as account_code,
       l.account_id, l.discount_rate, l.discount_amount,
       coalesce(c1.name, t1.name) as tracking_category_1, coalesce(o1.name, t1.option) as tracking_option_1,
       coalesce(c2.name, t2.name) as tracking_category_2, coalesce(o2.name, t2.option) as tracking_option_2,
       l.line_amount - case when i.line_amount_types = 'Inclusive' then coalesce(l.tax_amount, 0) else 0 end as line_net_amount,
       i.stale_since
  from xero.invoice_line_item l
  join xero.invoice i using (tenant_id, invoice_id)
  left join xero.account a on (a.tenant_id, a.account_id) = (l.tenant_id, l.account_id)
  left join xero.contact c on (c.tenant_id, c.contact_id) = (i.tenant_id, i.contact_id)
  left join xero.invoice_line_item_tracking t1
         on (t1.tenant_id, t1.invoice_id, t1.line_index, t1.tracking_index) = (l.tenant_id, l.invoice_id, l.line_index, 1)
  left join xero.tracking_category c1
         on (c1.tenant_id, c1.tracking_category_id) = (t1.tenant_id, t1.tracking_category_id)
  left join xero.tracking_category_option o1
         on (o1.tenant_id, o1.tracking_category_id, o1.tracking_option_id)
          = (t1.tenant_id, t1.tracking_category_id, t1.tracking_option_id)
  left join xero.invoice_line_item_tracking t2
         on (t2.tenant_id, t2.invoice_id, t2.line_index, t2.tracking_index) = (l.tenant_id, l.invoice_id, l.line_index, 2)
  left join xero.tracking_category c2
         on (c2.tenant_id, c2.tracking_category_id) = (t2.tenant_id, t2.tracking_category_id)
  left join xero.tracking_category_option o2
         on (o2.tenant_id, o2.tracking_category_id, o2.tracking_option_id)
          = (t2.tenant_id, t2.tracking_category_id, t2.tracking_option_id);

comment on column xero.invoice_line_item.account_code is
  'As Xero sent it with the invoice: an account recoded since has another one in xero.account, and this may be another account''s.';
comment on column xero.invoice_line_item.line_amount is
  'In the invoice''s currency, after discounts; with tax in it where the invoice''s line_amount_types is Inclusive.';
comment on column xero.invoice_register.account_code is
  'The code that the account has now; where the chart lacks the account, as Xero sent it with the invoice.';
comment on column xero.invoice_register.currency_rate is
  'Units of the invoice''s currency for one of the base currency: base amount = amount / currency_rate.';
comment on column xero.invoice_register.line_amount is
  'In the invoice''s currency, after discounts; with tax in it where line_amount_types is Inclusive.';
comment on column xero.invoice_register.line_net_amount is
  'line_amount without tax, in the invoice''s currency.';
comment on column xero.invoice_register.stale_since is
  'Since when Xero has had a newer copy of the invoice that could not be stored; null where this is what Xero sent last.';
