-- Up Migration

-- As before, but for one thing: a connection whose name and tenant stay has the views that it had, and they are left alone. To make
-- them anew Postgres must wait for everybody who has read one and keeps a transaction open, so a reader held up a reconnect.
create or replace function daybook.follow_connection() returns trigger
  language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    perform daybook.drop_connection_schema(old.name);
    return old;
  end if;
  if tg_op = 'UPDATE' and (old.name, old.tenant_id) = (new.name, new.tenant_id) then
    return new;
  end if;
  if tg_op = 'UPDATE' and daybook.connection_schema(old.name) <> daybook.connection_schema(new.name) then
    execute format('alter schema %I rename to %I', daybook.connection_schema(old.name), daybook.connection_schema(new.name));
  end if;
  perform daybook.create_connection_schema(new.name, new.tenant_id);
  -- New views are nobody's to read until their applications are granted them.
  perform daybook.secure_connection_schema(new.connection_id);
  return new;
end $$;
