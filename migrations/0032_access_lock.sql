-- Up Migration

-- Who may read what is changed by one at a time. Advisory locks are open to every login, so an application could have held
-- one for ever and kept its own access from being taken away; this table it has no right to lock.
create table daybook.access_lock (nothing boolean check (false));
comment on table daybook.access_lock is 'Never holds a row: locked by whoever changes who may read what.';

do $$
declare
  locking record;
begin
  for locking in
    select pg_get_functiondef(p.oid) as definition from pg_proc p
     where p.pronamespace = 'daybook'::regnamespace and p.prosrc like '%pg_advisory_xact_lock(%'
  loop
    execute regexp_replace(locking.definition, 'perform pg_advisory_xact_lock\([^;]*\);',
                           'lock table daybook.access_lock in access exclusive mode;', 'g');
  end loop;
end
$$;
