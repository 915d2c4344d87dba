-- Up Migration

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
  lock table daybook.access_lock in access exclusive mode;
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
      -- No account missing: one that only a line names is told from the line. No code twice: invoice lines join by it, so of
      -- accounts that share one all but the active one get the first eight digits of their id behind it.
      ('account', $$
        with met as (
          select distinct on (account_key) account_key, account_code, account_name, account_type
            from (select coalesce(l.account_id::text, 'code:' || l.account_code) as account_key,
                         nullif(l.account_code, '') as account_code, l.account_name, l.account_type
                    from xero.journal_line l
                   where l.tenant_id = %1$L::uuid
                     and not exists (select from xero.account a
                                      where (a.tenant_id, a.account_id) = (l.tenant_id, l.account_id))) as line
           where account_key is not null order by account_key, account_name
        ), known as (
          select a.account_id::text as account_id, nullif(a.code, '') as code, a.name, a.type,
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
               ) = 1 then code else code || ' ' || left(nullif(account_id, 'code:' || code), 8) end as code,
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
               updated_date_utc at time zone 'UTC' as updated_date_utc, stored_at at time zone 'UTC' as _fivetran_synced,
               stale_since at time zone 'UTC' as stale_since
          from xero.invoice where tenant_id = %1$L::uuid$$),
      -- The package finds a line's account by its code, so each has the one by which `account` has its account now; the stored one
      -- only where the chart lacks the account.
      ('invoice_line_item', $$
        with known as (
          select account_id, case when row_number() over (
                   partition by nullif(code, '')
                   order by status = 'ACTIVE' desc nulls last, updated_date_utc desc nulls last, account_id::text
                 ) = 1 then nullif(code, '') else nullif(code, '') || ' ' || left(account_id::text, 8) end as code
            from xero.account where tenant_id = %1$L::uuid
        )
        select l.invoice_id::text as invoice_id, coalesce(l.line_item_id::text, l.invoice_id || '/' || l.line_index) as line_item_id,
               l.description, l.quantity, l.unit_amount, l.line_amount, l.tax_amount, l.tax_type, l.item_code,
               case when a.account_id is null then nullif(l.account_code, '') else a.code end as account_code,
               l.discount_rate, l.discount_rate is not null as discount_entered_as_percent,
               i.stored_at at time zone 'UTC' as _fivetran_synced, null::text as validation_errors
          from xero.invoice_line_item l join xero.invoice i using (tenant_id, invoice_id)
          left join known a on a.account_id = l.account_id
         where l.tenant_id = %1$L::uuid$$),
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
      -- Credit notes, as far as the invoices tell that they settle: whose, and how much of them. What changes as they are
      -- applied is as the invoice read last tells it.
      ('credit_note', $$
        select s.settlement_id::text as credit_note_id, min(i.contact_id::text) as contact_id, sum(s.amount) as applied_amount,
               min(i.type) || 'CREDIT' as type, min(s.date) as date, min(i.currency_code) as currency_code,
               min(s.currency_rate) as currency_rate, max(i.stored_at) at time zone 'UTC' as _fivetran_synced,
               null::text as branding_theme_id, max(s.number) as credit_note_number, null::date as due_date,
               null::date as fully_paid_on_date, null::boolean as has_attachments, null::text as line_amount_types,
               max(nullif(s.reference, '')) as reference,
               (array_agg(s.remaining_credit order by i.stored_at desc, i.updated_date_utc desc))[1] as remaining_credit,
               null::boolean as sent_to_contact,
               (array_agg(s.status order by i.stored_at desc, i.updated_date_utc desc))[1] as status,
               null::numeric as sub_total, max(s.total) as total, null::numeric as total_tax,
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
               coalesce(l.account_id::text, 'code:' || l.account_code) as account_id, nullif(l.account_code, '') as account_code, l.account_type,
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

-- Schemas made before: their views are made anew in place, so what was built on them stays.
select daybook.create_connection_schema(name, tenant_id) from daybook.connection;
