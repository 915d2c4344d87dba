-- Up Migration

create table daybook.entitlement (
  connection_id uuid not null references daybook.connection on delete cascade,
  what text not null check (what in ('journals', 'invoices', 'reference data')),
  -- Null: it could not be tried.
  works boolean,
  message text not null,
  probed_at timestamptz not null default now(),
  primary key (connection_id, what)
);
comment on table daybook.entitlement is
  'What a connection could be used for when it was last connected: by tier, scopes and the user''s role, in words.';
