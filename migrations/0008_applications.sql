-- Up Migration

-- Who reads what was stored. Each application has one login role in Postgres, and sees the rows of the tenants whose
-- connections list it. Policies go by session_user: a setting (current_setting) can be forged by whoever runs SQL, and
-- current_user is changed by SET ROLE and inside a security-definer function.
create table daybook.application (
  name text primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9 _-]{0,62}$'),
  -- Roles belong to the whole server, so the name holds the database's oid: two databases on one server do not meet.
  role_name name not null unique,
  created_at timestamptz not null default now(),
  password_set_at timestamptz not null default now()
);
comment on table daybook.application is 'Applications with a login of their own: what `daybook applications` adds and removes.';

-- The role every application is a member of: what applications have in common is granted to it. Made with the first one.
create function daybook.readers_role() returns name
  language sql stable
  return (select 'daybook_' || oid from pg_catalog.pg_database where datname = pg_catalog.current_database());

-- Both run as their owner, as applications cannot read the registry; session_user is still who logged in.
create function daybook.own_application() returns text
  language sql stable security definer parallel safe set search_path = pg_catalog, pg_temp
  return (select name from daybook.application where role_name = session_user);

create function daybook.readable_tenants() returns uuid[]
  language sql stable security definer parallel safe set search_path = pg_catalog, pg_temp
  return (select coalesce(array_agg(distinct c.tenant_id), '{}')
            from daybook.application a
            join daybook.connection_application l on l.application = a.name
            join daybook.connection c using (connection_id)
           where a.role_name = session_user);

revoke execute on function daybook.own_application(), daybook.readable_tenants() from public;

-- Of how imports are run, an application reads its own runs and what went to quarantine of the tenants it may read.
-- As scalar sub-selects the functions run once a statement, and tenant_id = any (…) can use the keys.
alter table daybook.import_run enable row level security;
create policy by_application on daybook.import_run for select
  using (application = (select daybook.own_application())
         and tenant_id = any ((select daybook.readable_tenants())::uuid[]));
alter table daybook.page_receipt enable row level security;
create policy by_application on daybook.page_receipt for select
  using (run_id in (select run_id from daybook.import_run));
alter table daybook.quarantine enable row level security;
create policy by_application on daybook.quarantine for select
  using (tenant_id = any ((select daybook.readable_tenants())::uuid[]));

-- Makes every table and view of the books safe to read, and lets the applications read them; touches only what is not so
-- yet. Runs after every migration, so that a new table cannot be forgotten: until then nobody was granted anything on it.
-- A table without tenant_id gets no policy, so applications see none of its rows. Not done by default privileges: those
-- would open a table before its policy is there, and materialized views too, to which policies never apply.
create function daybook.secure_books() returns void
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
            or c.oid in ('daybook.import_run'::regclass, 'daybook.page_receipt'::regclass, 'daybook.quarantine'::regclass))
       and not has_table_privilege(readers, c.oid, 'select')
  loop
    execute format('grant select on %s to %I', relation.name, readers);
  end loop;
  for connection in select connection_id from daybook.connection loop
    perform daybook.secure_connection_schema(connection);
  end loop;
end
$$;

-- Lets the applications on a connection's list read the schema xero_<connection>, and no others. The tables beneath its
-- views have their policies all the same.
create function daybook.secure_connection_schema(connection uuid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  space oid := (select n.oid from daybook.connection c join pg_namespace n on n.nspname = 'xero_' || replace(c.name, '-', '_')
                 where c.connection_id = connection);
  reader record;
  view record;
begin
  if space is null then return; end if;
  -- Two grants on one schema at once would fail with "tuple concurrently updated".
  perform pg_advisory_xact_lock(hashtextextended('daybook.access', 0));
  for view in
    select c.oid::regclass as name from pg_class c
     where c.relnamespace = space and c.relkind = 'v'
       and not 'security_invoker=true' = any (coalesce(c.reloptions, '{}'))
  loop
    execute format('alter view %s set (security_invoker = true)', view.name);
  end loop;
  for reader in
    select a.role_name, l.application is not null as listed
      from daybook.application a
      join pg_roles r on r.rolname = a.role_name
      left join daybook.connection_application l on l.connection_id = connection and l.application = a.name
     where l.application is not null or has_schema_privilege(r.oid, space, 'usage')
  loop
    execute format('%s usage on schema %s %s %I', case when reader.listed then 'grant' else 'revoke' end,
                   space::regnamespace, case when reader.listed then 'to' else 'from' end, reader.role_name);
    for view in
      select c.oid::regclass as name from pg_class c
       where c.relnamespace = space and c.relkind = 'v'
         and has_table_privilege(reader.role_name, c.oid, 'select') <> reader.listed
    loop
      execute format('%s select on %s %s %I', case when reader.listed then 'grant' else 'revoke' end,
                     view.name, case when reader.listed then 'to' else 'from' end, reader.role_name);
    end loop;
  end loop;
end
$$;

-- By triggers, so that no way of changing the lists can forget the schemas.
create function daybook.list_changed() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then perform daybook.secure_connection_schema(new.connection_id);
  else perform daybook.secure_connection_schema(old.connection_id);
  end if;
  return null;
end
$$;
create trigger list_changed after insert or delete on daybook.connection_application
  for each row execute function daybook.list_changed();

create function daybook.application_added() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform daybook.secure_connection_schema(connection_id) from daybook.connection_application
    where application = new.name;
  return null;
end
$$;
create trigger application_added after insert on daybook.application
  for each row execute function daybook.application_added();

-- While the connection still has its name: afterwards its schema could not be found.
create function daybook.connection_removed() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  delete from daybook.connection_application where connection_id = old.connection_id;
  return old;
end
$$;
create trigger connection_removed before delete on daybook.connection
  for each row execute function daybook.connection_removed();

-- What is wrong with who may read what, a sentence each; none when all is well.
create function daybook.access_faults() returns setof text
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
  readable_daybook (name) as (values ('daybook.import_run'), ('daybook.page_receipt'), ('daybook.quarantine')),
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

-- Databases made before Postgres 15 let everybody create in the schema public. One who does not own it cannot mend it:
-- access_faults tells.
do $$
begin
  if to_regnamespace('public') is not null and pg_has_role(
       (select nspowner from pg_namespace where nspname = 'public'), 'usage') then
    revoke create on schema public from public;
  end if;
end
$$;

select daybook.secure_books();
