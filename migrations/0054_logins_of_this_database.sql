-- Up Migration

-- A copy of a database on the same server brings the names of its original's logins with it. They are the original's still: here
-- nothing may be changed of them but what they were granted in this database.
create function daybook.is_own_login(role name) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
  return starts_with(role, daybook.readers_role() || '_');

-- Takes back what was granted to a role in this database, and nothing elsewhere: `drop owned` would, and only for who may be it.
create function daybook.revoke_here(grantee_name name) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  held record;
begin
  for held in
    with granted (thing, acl) as (
      select format('schema %I', nspname), nspacl from pg_namespace
       where nspname in ('xero', 'daybook') or nspname like 'xero\_%'
      union all
      select format('table %s', c.oid::regclass), c.relacl from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where (n.nspname in ('xero', 'daybook') or n.nspname like 'xero\_%') and c.relkind in ('r', 'p', 'v')
      union all
      select format('function %s', p.oid::regprocedure), p.proacl from pg_proc p where p.pronamespace = 'daybook'::regnamespace
    )
    select distinct thing from granted, aclexplode(acl) g join pg_roles r on r.oid = g.grantee where r.rolname = grantee_name
  loop
    execute format('revoke all on %s from %I', held.thing, grantee_name);
  end loop;
end
$$;

-- What is wrong with the applications' logins themselves, a sentence each.
create function daybook.login_faults() returns setof text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('The application "%s" has the login "%s" of another database, as in a copy of one: give it a login of its own with `daybook applications rotate "%s"`.',
                a.name, a.role_name, a.name)
    from daybook.application a where not daybook.is_own_login(a.role_name)
  union all
  select format('The login of the application "%s" is closed: `daybook applications remove "%s"` finishes a removal, and `rotate` opens it again.',
                a.name, a.name)
    from daybook.application a join pg_roles r on r.rolname = a.role_name
   where daybook.is_own_login(a.role_name) and not r.rolcanlogin
$$;

do $$
declare
  before text := pg_get_functiondef('daybook.access_faults()'::regprocedure);
  after text := replace(replace(before,
    'in (select role_name from daybook.application)',
    'in (select role_name from daybook.application where daybook.is_own_login(role_name))'),
    'select format(''%s has no row-level security.'', name) from relation',
    'select daybook.login_faults() union all select format(''%s has no row-level security.'', name) from relation');
begin
  if after not like '%is_own_login%' or after not like '%login_faults%' then
    raise exception 'daybook.access_faults() is not as the migrations before this one made it.';
  end if;
  execute after;
end
$$;

-- One application cannot use up the connections of all. Who may not change roles leaves this to `applications rotate`.
do $$
declare
  login record;
begin
  for login in
    select r.rolname as name from daybook.application a join pg_roles r on r.rolname = a.role_name
     where r.rolconnlimit = -1 and daybook.is_own_login(a.role_name)
  loop
    begin
      execute format('alter role %I connection limit 20', login.name);
    exception when insufficient_privilege then null;
    end;
  end loop;
end
$$;
