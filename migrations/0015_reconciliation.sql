-- Up Migration

-- The trial balance of one organisation: income and costs since the financial year began, all else since ever, and the
-- profits of earlier years in retained earnings, as Xero's own report has it. balance: positive is debit;
-- brought_forward is what of it are profits of earlier years, which no journal carries over.
drop function xero.trial_balance(uuid, date, timestamptz);
create function xero.trial_balance(tenant uuid, on_date date, known_at timestamptz default 'infinity',
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

create table daybook.reconciliation (
  -- The first Temporal run id of its workflow.
  run_id uuid primary key,
  workflow_id text not null,
  connection_id uuid not null,
  connection_name text not null,
  application text not null,
  tenant_id uuid not null,
  basis text not null check (basis in ('accrual', 'cash')),
  on_date date not null,
  first_journal bigint not null,
  last_journal bigint not null,
  journals bigint not null,
  unbroken_through bigint,
  newest_in_xero bigint,
  clean boolean not null,
  accounts int not null,
  message text not null,
  reconciled_at timestamptz not null default now()
);
comment on table daybook.reconciliation is
  'A certificate: one comparison of the stored ledger with Xero''s own trial balance, and which journals it covers.';
comment on column daybook.reconciliation.unbroken_through is
  'Every journal up to this number was stored; null when no import without filters has got anywhere.';
comment on column daybook.reconciliation.newest_in_xero is
  'A journal that Xero had and that was not stored, when the two differed: the ledger was behind.';
create index reconciliation_by_connection on daybook.reconciliation (connection_id, reconciled_at desc);

create table daybook.reconciliation_account (
  run_id uuid not null references daybook.reconciliation on delete cascade,
  tenant_id uuid not null,
  -- The account's id, or how else it is known where there is none.
  account_key text not null,
  account_id uuid,
  account_code text,
  account_name text,
  account_class text,
  xero_balance numeric not null,
  ledger_balance numeric not null,
  difference numeric not null generated always as (xero_balance - ledger_balance) stored,
  conversion_balance numeric not null default 0,
  currency_revaluation numeric not null default 0,
  retained_earnings numeric not null default 0,
  rounding numeric not null default 0,
  unexplained numeric not null,
  sentence text,
  primary key (run_id, account_key),
  check (xero_balance - ledger_balance = conversion_balance + currency_revaluation + retained_earnings + rounding + unexplained)
);
comment on table daybook.reconciliation_account is
  'An account of a certificate. Positive is debit; the difference is the sum of what explains it and of what nothing does.';

-- Which tables of daybook applications may read.
create function daybook.readable_tables() returns regclass[]
  language sql stable set search_path = pg_catalog, pg_temp
  return array['daybook.import_run', 'daybook.page_receipt', 'daybook.quarantine', 'daybook.reconciliation',
               'daybook.reconciliation_account']::regclass[];

alter table daybook.reconciliation enable row level security;
create policy by_application on daybook.reconciliation for select
  using (tenant_id = any ((select daybook.readable_tenants())::uuid[]));
alter table daybook.reconciliation_account enable row level security;
create policy by_application on daybook.reconciliation_account for select
  using (tenant_id = any ((select daybook.readable_tenants())::uuid[]));

-- Both as before, but for the list of tables, which is the function's now.
-- Makes every table and view of the books safe to read, and lets the applications read them; touches only what is not so
-- yet. Runs after every migration, so that a new table cannot be forgotten: until then nobody was granted anything on it.
-- A table without tenant_id gets no policy, so applications see none of its rows. Not done by default privileges: those
-- would open a table before its policy is there, and materialized views too, to which policies never apply.
create or replace function daybook.secure_books() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  readers name := daybook.readers_role();
  relation record;
  connection uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('daybook.access', 0));
  for relation in
    select c.oid, c.oid::regclass as name, c.relkind = 'v' as is_view, c.relrowsecurity,
           'security_invoker=true' = any (coalesce(c.reloptions, '{}')) as is_invoker,
           exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as has_tenant,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'by_application') as has_policy
      from pg_class c
     where c.relnamespace = 'xero'::regnamespace and c.relkind in ('r', 'p', 'v')
  loop
    if relation.is_view and not relation.is_invoker then
      execute format('alter view %s set (security_invoker = true)', relation.name);
    elsif not relation.is_view then
      if not relation.relrowsecurity then
        execute format('alter table %s enable row level security', relation.name);
      end if;
      if relation.has_tenant and not relation.has_policy then
        execute format('create policy by_application on %s for select
                        using (tenant_id = any ((select daybook.readable_tenants())::uuid[]))', relation.name);
      end if;
    end if;
  end loop;

  if not exists (select from pg_roles where rolname = readers) then return; end if;
  execute format('grant usage on schema daybook, xero to %I', readers);
  execute format('grant execute on function daybook.own_application(), daybook.readable_tenants() to %I', readers);
  for relation in
    select c.oid::regclass as name from pg_class c
     where (c.relnamespace = 'xero'::regnamespace and c.relkind in ('r', 'p', 'v')
            or c.oid = any (daybook.readable_tables()::oid[]))
       and not has_table_privilege(readers, c.oid, 'select')
  loop
    execute format('grant select on %s to %I', relation.name, readers);
  end loop;
  for connection in select connection_id from daybook.connection loop
    perform daybook.secure_connection_schema(connection);
  end loop;
end
$$;

-- What is wrong with who may read what, a sentence each; none when all is well.
create or replace function daybook.access_faults() returns setof text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with relation as (
    select c.oid, c.relkind, c.relrowsecurity, c.reloptions, c.relacl, c.relowner, n.nspname as space,
           format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where (n.nspname in ('xero', 'daybook') or n.nspname like 'xero\_%') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  ),
  reader as (
    select r.* from pg_roles r
     where r.rolname = daybook.readers_role() or r.rolname in (select role_name from daybook.application)
  ),
  readable_daybook (name) as (select format('daybook.%I', c.relname) from pg_class c where c.oid = any (daybook.readable_tables()::oid[])),
  policy as (
    select r.name, r.space, p.polname,
           p.polname = 'by_application' and p.polpermissive and p.polcmd = 'r' and p.polroles = '{0}' and p.polwithcheck is null
           and regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g') = case r.name
             when 'daybook.import_run' then '((application = ( SELECT daybook.own_application() AS own_application)) AND (tenant_id = ANY (( SELECT daybook.readable_tenants() AS readable_tenants)::uuid[])))'
             when 'daybook.page_receipt' then '(run_id IN ( SELECT import_run.run_id FROM daybook.import_run))'
             else '(tenant_id = ANY (( SELECT daybook.readable_tenants() AS readable_tenants)::uuid[]))'
           end as is_ours
      from relation r join pg_policy p on p.polrelid = r.oid
  ),
  -- What the readers, an application or everybody (0) was granted on a whole relation or a column of it.
  granted as (
    select r.name, r.space, r.relkind, g.grantee, g.privilege_type
      from relation r, aclexplode(r.relacl) g where g.grantee = 0 or g.grantee in (select oid from reader)
    union all
    select r.name, r.space, r.relkind, g.grantee, 'column ' || g.privilege_type
      from relation r join pg_attribute a on a.attrelid = r.oid, aclexplode(a.attacl) g
     where g.grantee = 0 or g.grantee in (select oid from reader)
  )
  select format('%s has no row-level security.', name) from relation
   where relkind in ('r', 'p') and not relrowsecurity
     and (space <> 'daybook' or name in (select name from readable_daybook))
  union all
  select format('%s has no policy that lets applications read it.', r.name) from relation r
   where r.relkind in ('r', 'p') and (r.space = 'xero' or r.name in (select name from readable_daybook))
     and not exists (select from policy p where p.name = r.name and p.polname = 'by_application')
  union all
  select format('%s has the policy "%s", which is not as Daybook makes it.', name, polname) from policy where not is_ours
  union all
  select format('The view %s reads with the rights of its owner: it is not security_invoker.', name) from relation
   where relkind = 'v' and not 'security_invoker=true' = any (coalesce(reloptions, '{}'))
  union all
  select format('%s is granted to %s: %s.', name, coalesce(pg_get_userbyid(nullif(grantee, 0)), 'everybody'), lower(privilege_type))
    from granted
   where privilege_type <> 'SELECT' or grantee = 0 or relkind not in ('r', 'p', 'v')
      or space = 'daybook' and name not in (select name from readable_daybook)
  union all
  select format('%s may create objects in the schema %I.', coalesce(pg_get_userbyid(nullif(g.grantee, 0)), 'Everybody'), n.nspname)
    from pg_namespace n, aclexplode(n.nspacl) g
   where g.privilege_type = 'CREATE' and (n.nspname in ('xero', 'daybook', 'public') or n.nspname like 'xero\_%')
     and (g.grantee = 0 or g.grantee in (select oid from reader))
  union all
  select format('The application "%s" may look into the schema %I without being on the connection''s list.', a.name, n.nspname)
    from daybook.application a join pg_roles r on r.rolname = a.role_name
    join pg_namespace n on n.nspname like 'xero\_%' and has_schema_privilege(r.oid, n.oid, 'usage')
   where not exists (select from daybook.connection c join daybook.connection_application l using (connection_id)
                      where 'xero_' || replace(c.name, '-', '_') = n.nspname and l.application = a.name)
  union all
  select format('The role "%s" may do more than read: it is a superuser, bypasses row-level security, or may make roles, databases or replicas.', rolname)
    from reader where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
  union all
  select format('The role "%s" is a member of "%s", with all that one may do.', r.rolname, m.roleid::regrole)
    from reader r join pg_auth_members m on m.member = r.oid where m.roleid <> to_regrole(quote_ident(daybook.readers_role()))
  union all
  select format('%s belongs to "%s", so no policy holds it.', r.name, a.rolname) from relation r join reader a on a.oid = r.relowner
  union all
  select format('The function %s runs with its owner''s rights %s.', p.oid::regprocedure,
                case when not coalesce(p.proconfig::text like '%search\_path=%', false) then 'and sets no search_path'
                     else 'and anybody may call it' end)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.prosecdef and (n.nspname in ('xero', 'daybook') or n.nspname like 'xero\_%')
     and (not coalesce(p.proconfig::text like '%search\_path=%', false)
          or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where g.grantee = 0))
$$;

select daybook.secure_books();
