-- Up Migration

-- Names that differ only by - and _ would share a schema.
create unique index one_schema_for_each_connection on daybook.connection (replace(name, '-', '_'));

create function daybook.connection_schema(name text) returns text
  language sql immutable strict parallel safe
  return 'xero_' || replace(name, '-', '_');

-- The schema of one connection: its organisation in the shape of Fivetran's Xero schema, which dbt_xero builds on. Plain
-- views with the rights of who asks; the tables below may grow under them. Made anew as often as one likes; a view's
-- columns may only be added at its end then. Which quirks of the package each view answers to stands beside it.
create function daybook.create_connection_schema(name text, tenant uuid) returns text
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
      -- Exactly one row, always: none would empty the balance sheet, two would double it.
      ('organization', $$
        select one.tenant_id::text as organisation_id, o.name, o.legal_name, o.short_code, o.base_currency, o.country_code,
               o.timezone, o.financial_year_end_day, o.financial_year_end_month, o.period_lock_date, o.end_of_year_lock_date,
               o.sales_tax_basis, o.organisation_type, o.organisation_status, o.version, o.class, o.edition, o.is_demo_company,
               o.created_date_utc at time zone 'UTC' as created_date_utc, o.stored_at at time zone 'UTC' as _fivetran_synced
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
        select contact_id::text as contact_id, name, contact_number, account_number, contact_status, email_address, first_name,
               last_name, tax_number, default_currency, is_customer, is_supplier,
               updated_date_utc at time zone 'UTC' as updated_date_utc, false as _fivetran_deleted,
               stored_at at time zone 'UTC' as _fivetran_synced
          from xero.contact where tenant_id = %1$L::uuid
        union all
        select contact_id::text, contact_name, null, null, null, null, null, null, null, null, null, null, null, false,
               stored_at at time zone 'UTC'
          from (select distinct on (i.contact_id) i.contact_id, i.contact_name, i.stored_at from xero.invoice i
                 where i.tenant_id = %1$L::uuid and i.contact_id is not null
                   and not exists (select from xero.contact c where (c.tenant_id, c.contact_id) = (i.tenant_id, i.contact_id))
                 order by i.contact_id, i.updated_date_utc desc) as met$$),
      ('invoice', $$
        select invoice_id::text as invoice_id, type, status, invoice_number, reference, contact_id::text as contact_id, date,
               due_date, expected_payment_date, planned_payment_date, fully_paid_on_date, line_amount_types, sub_total,
               total_tax, total, amount_due, amount_paid, amount_credited, cisdeduction, currency_code, currency_rate,
               branding_theme_id::text as branding_theme_id, url, sent_to_contact, has_attachments, has_errors, is_discounted,
               updated_date_utc at time zone 'UTC' as updated_date_utc, stored_at at time zone 'UTC' as _fivetran_synced
          from xero.invoice where tenant_id = %1$L::uuid$$),
      ('invoice_line_item', $$
        select l.invoice_id::text as invoice_id, coalesce(l.line_item_id::text, l.invoice_id || '/' || l.line_index) as line_item_id,
               l.description, l.quantity, l.unit_amount, l.line_amount, l.tax_amount, l.tax_type, l.item_code, l.account_code,
               l.discount_rate, l.discount_rate is not null as discount_entered_as_percent,
               i.stored_at at time zone 'UTC' as _fivetran_synced
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
      -- as a name can be or another one's too gets a suffix, the first eight digits of its id.
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
                     and row_number() over (partition by slug order by status <> 'ACTIVE', tracking_category_id) = 1
                    then name
                    else left(name, 40) || ' ' || left(tracking_category_id::text, 8) end as name,
               status, _fivetran_synced
          from as_column$$),
      -- Options that were archived or deleted are called ACTIVE: the package would drop what their lines are attributed to.
      ('tracking_category_option', $$
        select tracking_option_id::text as tracking_option_id, name, 'ACTIVE' as status, is_active, is_archived, is_deleted,
               has_validation_errors, null::timestamp as _fivetran_synced
          from xero.tracking_category_option where tenant_id = %1$L::uuid
        union all
        select t.tracking_option_id::text, max(t.option), 'ACTIVE', null, null, null, null, null
          from xero.journal_line_tracking t
         where t.tenant_id = %1$L::uuid and t.tracking_option_id is not null
           and not exists (select from xero.tracking_category_option o
                            where (o.tenant_id, o.tracking_category_id, o.tracking_option_id)
                                = (t.tenant_id, t.tracking_category_id, t.tracking_option_id))
         group by t.tracking_option_id$$),
      ('tracking_category_has_option', $$
        select tracking_category_id::text as tracking_category_id, tracking_option_id::text as tracking_option_id,
               null::timestamp as _fivetran_synced
          from xero.tracking_category_option where tenant_id = %1$L::uuid
        union
        select tracking_category_id::text, tracking_option_id::text, null from xero.journal_line_tracking
         where tenant_id = %1$L::uuid and tracking_category_id is not null and tracking_option_id is not null$$),
      -- Contacts of credit notes, as far as the invoices tell that they settle.
      ('credit_note', $$
        select s.settlement_id::text as credit_note_id, min(i.contact_id::text) as contact_id
          from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id)
         where s.tenant_id = %1$L::uuid and s.kind = 'creditNote' and s.settlement_id is not null
         group by s.settlement_id$$)
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

-- Drops the schema with whatever was built straight on its views; the tables it showed stay.
create function daybook.drop_connection_schema(name text) returns void
  language plpgsql as $$
begin
  execute format('drop schema if exists %I cascade', daybook.connection_schema(name));
end $$;

-- Whoever stores, renames or removes a connection, its schema follows in the same transaction.
create function daybook.follow_connection() returns trigger
  language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    perform daybook.drop_connection_schema(old.name);
    return old;
  end if;
  if tg_op = 'UPDATE' and daybook.connection_schema(old.name) <> daybook.connection_schema(new.name) then
    execute format('alter schema %I rename to %I', daybook.connection_schema(old.name), daybook.connection_schema(new.name));
  end if;
  perform daybook.create_connection_schema(new.name, new.tenant_id);
  -- New views are nobody's to read until their applications are granted them.
  perform daybook.secure_connection_schema(new.connection_id);
  return new;
end $$;
create trigger connection_schema after insert or update or delete on daybook.connection
  for each row execute function daybook.follow_connection();

select daybook.create_connection_schema(name, tenant_id) from daybook.connection;
