-- Up Migration

-- An edit or a void in Xero posts the opposite of what was posted, without a link to it: the two have one source, and
-- the same lines with every sign turned. The first journal of a kind is undone by the first of its opposite, and so on.
-- Materialized, because a planner without statistics would find the pairs anew for every line.
create or replace view xero.journal_reversal with (security_invoker = true) as
with repeated as (
  select tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, source_type, source_id
    from (select j.*, count(*) over (partition by tenant_id, basis, source_id) as journals
            from xero.journal j where source_id is not null) j
   where journals > 1
), line as materialized (
  -- Materialized here too: the place is asked for eight times below, and would be looked up each time.
  select r.*, l.net_amount,
         concat_ws(' ', coalesce(l.account_id::text, l.account_code),
                   (select string_agg(t.tracking_option_id::text, ' ' order by t.tracking_option_id)
                      from xero.journal_line_tracking t
                     where (t.tenant_id, t.basis, t.journal_id, t.line_index)
                         = (l.tenant_id, l.basis, l.journal_id, l.line_index))) as place
    from repeated r join xero.journal_line l using (tenant_id, basis, journal_id)
), effect as (
  select tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, source_type, source_id,
         md5(string_agg(place || ' ' || trim_scale(net_amount), '|' order by place, net_amount)) as effect,
         md5(string_agg(place || ' ' || trim_scale(-net_amount), '|' order by place, -net_amount)) as opposite
    from line
   group by tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, source_type, source_id
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

create or replace view xero.ledger_line with (security_invoker = true) as
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
  -- Where a basis is asked for, the planner would take it for this join's too, and then no longer see that the join adds
  -- no row and can be left out; an expression hides it.
  left join xero.journal_reversal r
         on (r.tenant_id, r.basis, r.journal_id) = (l.tenant_id, l.basis || '', l.journal_id);

-- The schema of one connection: its organisation in the shape of Fivetran's Xero schema, which dbt_xero builds on. Plain
-- views with the rights of who asks; the tables below may grow under them. Made anew as often as one likes; a view's
-- columns may only be added at its end then. Which quirks of the package each view answers to stands beside it. Columns and
-- tables of Fivetran's that Xero's answers do not fill are there, with their type, and null or empty.
create or replace function daybook.create_connection_schema(name text, tenant uuid) returns text
  language plpgsql as $function$
declare
  schema_name constant text := daybook.connection_schema(name);
  own_comment constant text := 'Daybook: the organisation of a connection, as dbt_xero reads it.';
  view record;
begin
  perform pg_advisory_xact_lock(hashtext(schema_name));
  if exists (select from pg_namespace n where n.nspname = schema_name
                and obj_description(n.oid, 'pg_namespace') is distinct from own_comment) then
    raise exception 'The schema "%" is there already and is not Daybook''s, so the connection "%" cannot have it. Choose another name for the connection.',
      schema_name, name using errcode = 'duplicate_schema';
  end if;
  execute format('create schema if not exists %I', schema_name);
  execute format('comment on schema %I is %L', schema_name, own_comment);
  for view in
    select * from (values
      -- Exactly one row, always: none would empty the balance sheet, two would double it. The package makes a date of the
      -- year's end, which the 31st of a shorter month is not; only the 29th of February is its own business. The API key
      -- is a secret, and stays null.
      ('organization', $$
        select one.tenant_id::text as organisation_id, o.name, o.legal_name, o.short_code, o.base_currency, o.country_code,
               o.timezone,
               least(o.financial_year_end_day, case when o.financial_year_end_month = 2 then 29
                                                    when o.financial_year_end_month in (4, 6, 9, 11) then 30
                                                    else 31 end) as financial_year_end_day,
               o.financial_year_end_month, o.period_lock_date, o.end_of_year_lock_date,
               o.sales_tax_basis, o.organisation_type, o.organisation_status, o.version, o.class, o.edition, o.is_demo_company,
               o.created_date_utc at time zone 'UTC' as created_date_utc, o.stored_at at time zone 'UTC' as _fivetran_synced,
               null::text as apikey, o.payload->>'DefaultPurchasesTax' as default_purchases_tax,
               o.payload->>'DefaultSalesTax' as default_sales_tax,
               o.payload->>'EmployerIdentificationNumber' as employer_identification_number,
               o.payload->>'LineOfBusiness' as line_of_business,
               o.payload->>'OrganisationEntityType' as organisation_entity_type,
               case jsonb_typeof(o.payload->'PaysTax') when 'boolean' then (o.payload->'PaysTax')::boolean end as pays_tax,
               o.payload->>'RegistrationNumber' as registration_number, o.payload->>'SalesTaxPeriod' as sales_tax_period,
               o.payload->>'TaxNumber' as tax_number, o.payload->>'TaxNumberName' as tax_number_name
          from (values (%1$L::uuid)) as one (tenant_id) left join xero.organisation o using (tenant_id)$$),
      -- No account missing: one that only a line names is told from the line. No code twice: invoice lines join by it.
      ('account', $$
        with met as (
          select distinct on (account_key) account_key, account_code, account_name, account_type
            from (select coalesce(l.account_id::text, 'code:' || l.account_code) as account_key, l.account_code,
                         l.account_name, l.account_type
                    from xero.journal_line l
                   where l.tenant_id = %1$L::uuid
                     and not exists (select from xero.account a
                                      where (a.tenant_id, a.account_id) = (l.tenant_id, l.account_id))) as line
           where account_key is not null order by account_key, account_name
        ), known as (
          select a.account_id::text as account_id, a.code, a.name, a.type,
                 coalesce(a.class, xero.class_of_account_type(a.type)) as class, a.status, a.description, a.system_account,
                 a.tax_type, a.currency_code, a.reporting_code, a.reporting_code_name, a.enable_payments_to_account,
                 a.show_in_expense_claims, a.bank_account_number, a.bank_account_type, a.has_attachments,
                 a.updated_date_utc at time zone 'UTC' as updated_date_utc, a.stored_at at time zone 'UTC' as _fivetran_synced
            from xero.account a where a.tenant_id = %1$L::uuid
          union all
          select account_key, account_code, account_name, account_type, xero.class_of_account_type(account_type),
                 null, null, null, null, null, null, null, null, null, null, null, null, null, null
            from met
        )
        select account_id, case when row_number() over (
                 partition by code order by status = 'ACTIVE' desc nulls last, updated_date_utc desc nulls last, account_id
               ) = 1 then code end as code,
               name, type, class, status, description, system_account, tax_type, currency_code, reporting_code,
               reporting_code_name, enable_payments_to_account, show_in_expense_claims, bank_account_number,
               bank_account_type, has_attachments, updated_date_utc, _fivetran_synced
          from known$$),
      -- Not deleted is said outright: the package drops a contact of which it is not.
      ('contact', $$
        with known as (
          select contact_id, name, contact_number, account_number, contact_status, email_address, first_name, last_name,
                 tax_number, default_currency, is_customer, is_supplier, updated_date_utc, stored_at, payload
            from xero.contact where tenant_id = %1$L::uuid
          union all
          select contact_id, contact_name, null, null, null, null, null, null, null, null, null, null, null, stored_at, null
            from (select distinct on (i.contact_id) i.contact_id, i.contact_name, i.stored_at from xero.invoice i
                   where i.tenant_id = %1$L::uuid and i.contact_id is not null
                     and not exists (select from xero.contact c where (c.tenant_id, c.contact_id) = (i.tenant_id, i.contact_id))
                   order by i.contact_id, i.updated_date_utc desc) as met
        )
        select contact_id::text as contact_id, name, contact_number, account_number, contact_status, email_address, first_name,
               last_name, tax_number, default_currency, is_customer, is_supplier,
               updated_date_utc at time zone 'UTC' as updated_date_utc, false as _fivetran_deleted,
               stored_at at time zone 'UTC' as _fivetran_synced,
               payload->>'AccountsPayableTaxType' as accounts_payable_tax_type,
               payload->>'AccountsReceivableTaxType' as accounts_receivable_tax_type,
               case jsonb_typeof(payload#>'{Balances,AccountsPayable,Outstanding}')
                 when 'number' then (payload#>'{Balances,AccountsPayable,Outstanding}')::numeric
               end as balances_accounts_payable_outstanding,
               case jsonb_typeof(payload#>'{Balances,AccountsPayable,Overdue}')
                 when 'number' then (payload#>'{Balances,AccountsPayable,Overdue}')::numeric
               end as balances_accounts_payable_overdue,
               case jsonb_typeof(payload#>'{Balances,AccountsReceivable,Outstanding}')
                 when 'number' then (payload#>'{Balances,AccountsReceivable,Outstanding}')::numeric
               end as balances_accounts_receivable_outstanding,
               case jsonb_typeof(payload#>'{Balances,AccountsReceivable,Overdue}')
                 when 'number' then (payload#>'{Balances,AccountsReceivable,Overdue}')::numeric
               end as balances_accounts_receivable_overdue,
               payload->>'BankAccountDetails' as bank_account_details,
               payload#>>'{BatchPayments,BankAccountName}' as batch_payments_bank_account_name,
               payload#>>'{BatchPayments,BankAccountNumber}' as batch_payments_bank_account_number,
               payload#>>'{BatchPayments,Code}' as batch_payments_code,
               payload#>>'{BatchPayments,Details}' as batch_payments_details,
               payload#>>'{BatchPayments,Reference}' as batch_payments_reference,
               payload#>>'{BrandingTheme,BrandingThemeID}' as branding_theme_id,
               case jsonb_typeof(payload->'Discount') when 'number' then (payload->'Discount')::numeric end as discount,
               case jsonb_typeof(payload->'HasAttachments')
                 when 'boolean' then (payload->'HasAttachments')::boolean end as has_attachments,
               case jsonb_typeof(payload->'HasValidationErrors')
                 when 'boolean' then (payload->'HasValidationErrors')::boolean end as has_validation_errors,
               payload->>'PurchasesDefaultAccountCode' as purchases_default_account_code,
               payload->>'SalesDefaultAccountCode' as sales_default_account_code,
               payload->>'SkypeUserName' as skype_user_name, payload->>'Website' as website,
               payload->>'XeroNetworkKey' as xero_network_key
          from known$$),
      ('invoice', $$
        select invoice_id::text as invoice_id, type, status, invoice_number, reference, contact_id::text as contact_id, date,
               due_date, expected_payment_date::timestamp as expected_payment_date,
               planned_payment_date::timestamp as planned_payment_date, fully_paid_on_date, line_amount_types, sub_total,
               total_tax, total, amount_due, amount_paid, amount_credited, cisdeduction, currency_code, currency_rate,
               branding_theme_id::text as branding_theme_id, url, sent_to_contact, has_attachments, has_errors, is_discounted,
               updated_date_utc at time zone 'UTC' as updated_date_utc, stored_at at time zone 'UTC' as _fivetran_synced
          from xero.invoice where tenant_id = %1$L::uuid$$),
      ('invoice_line_item', $$
        select l.invoice_id::text as invoice_id, coalesce(l.line_item_id::text, l.invoice_id || '/' || l.line_index) as line_item_id,
               l.description, l.quantity, l.unit_amount, l.line_amount, l.tax_amount, l.tax_type, l.item_code, l.account_code,
               l.discount_rate, l.discount_rate is not null as discount_entered_as_percent,
               i.stored_at at time zone 'UTC' as _fivetran_synced, null::text as validation_errors
          from xero.invoice_line_item l join xero.invoice i using (tenant_id, invoice_id) where l.tenant_id = %1$L::uuid$$),
      ('invoice_line_item_has_tracking_category', $$
        select l.invoice_id::text as invoice_id, coalesce(l.line_item_id::text, l.invoice_id || '/' || l.line_index) as line_item_id,
               t.tracking_category_id::text as tracking_category_id, coalesce(o.name, t.option) as option,
               i.stored_at at time zone 'UTC' as _fivetran_synced
          from xero.invoice_line_item_tracking t
          join xero.invoice_line_item l using (tenant_id, invoice_id, line_index)
          join xero.invoice i using (tenant_id, invoice_id)
          left join xero.tracking_category_option o using (tenant_id, tracking_category_id, tracking_option_id)
         where t.tenant_id = %1$L::uuid$$),
      -- The package makes a column of each category's name: one that is empty as a column's name, a word of SQL, as long
      -- as a name can be, another one's too, or one of the package's own that it does not tell apart, gets a suffix: the
      -- first eight digits of its id.
      ('tracking_category', $$
        with met as (
          select tracking_category_id, name from xero.journal_line_tracking where tenant_id = %1$L::uuid
          union
          select tracking_category_id, name from xero.invoice_line_item_tracking where tenant_id = %1$L::uuid
        ), known as (
          select c.tracking_category_id, coalesce(c.name, '') as name, coalesce(c.status, 'ACTIVE') as status,
                 c.stored_at at time zone 'UTC' as _fivetran_synced
            from xero.tracking_category c where c.tenant_id = %1$L::uuid
          union all
          select m.tracking_category_id, coalesce(max(m.name), ''), 'ACTIVE', null from met m
           where m.tracking_category_id is not null
             and not exists (select from xero.tracking_category c
                              where (c.tenant_id, c.tracking_category_id) = (%1$L::uuid, m.tracking_category_id))
           group by m.tracking_category_id
        ), as_column as (
          select k.*, left(regexp_replace(regexp_replace(lower(name), '[ -]+', '_', 'g'), '[^a-z0-9_]+', '', 'g'), 40) as slug
            from known k
        )
        select tracking_category_id::text as tracking_category_id,
               case when slug ~ '[a-z0-9]' and length(name) <= 40
                     and not exists (select from pg_get_keywords() w where w.word = slug and w.catcode in ('R', 'T'))
                     and slug not in ('journal_id', 'journal_line_id', 'invoice_id', 'line_item_id', 'source_relation',
                                      'bank_transaction_id', 'bank_transfer_id', 'manual_journal_id', 'payment_id',
                                      'credit_note_id', 'contact_id', 'contact_name', 'profit_and_loss_id')
                     and row_number() over (partition by slug order by status <> 'ACTIVE', tracking_category_id) = 1
                    then name
                    else left(name, 40) || ' ' || left(tracking_category_id::text, 8) end as name,
               status, _fivetran_synced
          from as_column$$),
      -- Options that were archived or deleted are called ACTIVE: the package would drop what their lines are attributed to.
      ('tracking_category_option', $$
        with met as (
          select tracking_category_id, tracking_option_id, option from xero.journal_line_tracking where tenant_id = %1$L::uuid
          union
          select tracking_category_id, tracking_option_id, option from xero.invoice_line_item_tracking where tenant_id = %1$L::uuid
        )
        select o.tracking_option_id::text as tracking_option_id, o.name, 'ACTIVE' as status, o.is_active, o.is_archived,
               o.is_deleted, o.has_validation_errors, c.stored_at at time zone 'UTC' as _fivetran_synced
          from xero.tracking_category_option o left join xero.tracking_category c using (tenant_id, tracking_category_id)
         where o.tenant_id = %1$L::uuid
        union all
        select t.tracking_option_id::text, max(t.option), 'ACTIVE', null, null, null, null, null
          from met t
         where t.tracking_option_id is not null
           and not exists (select from xero.tracking_category_option o
                            where (o.tenant_id, o.tracking_option_id) = (%1$L::uuid, t.tracking_option_id))
         group by t.tracking_option_id$$),
      ('tracking_category_has_option', $$
        select tracking_category_id::text as tracking_category_id, tracking_option_id::text as tracking_option_id,
               max(synced) as _fivetran_synced
          from (select o.tracking_category_id, o.tracking_option_id, c.stored_at at time zone 'UTC' as synced
                  from xero.tracking_category_option o
                  left join xero.tracking_category c using (tenant_id, tracking_category_id)
                 where o.tenant_id = %1$L::uuid
                union all
                select tracking_category_id, tracking_option_id, null from xero.journal_line_tracking where tenant_id = %1$L::uuid
                union all
                select tracking_category_id, tracking_option_id, null from xero.invoice_line_item_tracking
                 where tenant_id = %1$L::uuid) as known
         where tracking_category_id is not null and tracking_option_id is not null
         group by 1, 2$$),
      -- Credit notes, as far as the invoices tell that they settle: whose, and how much of them.
      ('credit_note', $$
        select s.settlement_id::text as credit_note_id, min(i.contact_id::text) as contact_id, sum(s.amount) as applied_amount,
               min(i.type) || 'CREDIT' as type, min(s.date) as date, min(i.currency_code) as currency_code,
               min(s.currency_rate) as currency_rate, max(i.stored_at) at time zone 'UTC' as _fivetran_synced,
               null::text as branding_theme_id, null::text as credit_note_number, null::date as due_date,
               null::date as fully_paid_on_date, null::boolean as has_attachments, null::text as line_amount_types,
               null::text as reference, null::numeric as remaining_credit, null::boolean as sent_to_contact,
               null::text as status, null::numeric as sub_total, null::numeric as total, null::numeric as total_tax,
               null::timestamp as updated_date_utc
          from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id)
         where s.tenant_id = %1$L::uuid and s.kind = 'creditNote' and s.settlement_id is not null
         group by s.settlement_id$$),
      -- Bank transactions are not imported.
      ('bank_transaction', $$
        select null::text as bank_transaction_id, null::text as contact_id, null::text as bank_account_id,
               null::text as batch_payment_batch_payment_id, null::timestamp as batch_payment_date,
               null::text as batch_payment_id, null::boolean as batch_payment_is_reconciled,
               null::text as batch_payment_status, null::double precision as batch_payment_total_amount,
               null::text as batch_payment_type, null::timestamp as batch_payment_updated_date_utc,
               null::text as currency_code, null::numeric as currency_rate, null::date as date,
               null::text as external_link_provider_name, null::boolean as has_attachments, null::boolean as is_reconciled,
               null::text as line_amount_types, null::text as overpayment_id, null::text as prepayment_id,
               null::text as reference, null::text as status, null::numeric as sub_total, null::numeric as total,
               null::numeric as total_tax, null::text as type, null::timestamp as updated_date_utc, null::text as url,
               null::timestamp as _fivetran_synced
         where %1$L is null$$)
    ) as views (name, body)
    union all
    -- A journal without lines would be a row of nulls in the package's ledger.
    select replace(series.name, '?', b.suffix), replace(series.body, '?', b.basis)
      from (values ('', 'accrual'), ('_cash', 'cash')) as b (suffix, basis), (values
      ('journal?', $$
        select j.journal_id::text as journal_id, j.journal_number, j.journal_date,
               j.created_date_utc at time zone 'UTC' as created_date_utc, j.reference, j.source_id::text as source_id,
               j.source_type, j.stored_at at time zone 'UTC' as _fivetran_synced
          from xero.journal j
         where j.tenant_id = %1$L::uuid and j.basis = '?'
           and exists (select from xero.journal_line l
                        where (l.tenant_id, l.basis, l.journal_id) = (j.tenant_id, j.basis, j.journal_id))$$),
      ('journal?_line', $$
        select l.journal_id::text as journal_id, coalesce(l.journal_line_id::text, l.journal_id || '/' || l.line_index) as journal_line_id,
               coalesce(l.account_id::text, 'code:' || l.account_code) as account_id, l.account_code, l.account_type,
               l.account_name, l.description, l.net_amount, l.gross_amount, l.tax_amount, l.tax_type, l.tax_name,
               j.stored_at at time zone 'UTC' as _fivetran_synced
          from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
         where l.tenant_id = %1$L::uuid and l.basis = '?'$$),
      ('journal?_line_has_tracking_category', $$
        select l.journal_id::text as journal_id, coalesce(l.journal_line_id::text, l.journal_id || '/' || l.line_index) as journal_line_id,
               t.tracking_category_id::text as tracking_category_id, t.tracking_option_id::text as tracking_category_option_id,
               coalesce(o.name, t.option) as option, j.stored_at at time zone 'UTC' as _fivetran_synced
          from xero.journal_line_tracking t
          join xero.journal_line l using (tenant_id, basis, journal_id, line_index)
          join xero.journal j using (tenant_id, basis, journal_id)
          left join xero.tracking_category_option o using (tenant_id, tracking_category_id, tracking_option_id)
         where t.tenant_id = %1$L::uuid and t.basis = '?'$$)) as series (name, body)
  loop
    execute format('create or replace view %I.%I with (security_invoker = true) as ', schema_name, view.name)
            || format(view.body, tenant);
  end loop;
  return schema_name;
end $function$;

-- Schemas made before: their views are made anew. Of `invoice` two columns have another type now, which no view can be given
-- in place; what was built on it by others must be built again, as dbt does at each run.
do $$
declare
  connection record;
begin
  for connection in select name, tenant_id from daybook.connection loop
    execute format('drop view if exists %I.invoice cascade', daybook.connection_schema(connection.name));
    perform daybook.create_connection_schema(connection.name, connection.tenant_id);
  end loop;
end
$$;
