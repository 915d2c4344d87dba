-- Up Migration

-- Schema daybook: how imports are run. Schema xero: what they stored.
create schema if not exists daybook;
create schema if not exists xero;

create table daybook.connection (
  connection_id uuid primary key default gen_random_uuid(),
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9_-]{0,56}$'),
  authorisation_id uuid not null,
  tenant_id uuid not null,
  tenant_name text not null,
  xero_connection_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table daybook.connection is 'A named link to one tenant, with the applications allowed to use it.';

create table daybook.connection_application (
  connection_id uuid not null references daybook.connection on delete cascade,
  application text not null check (application ~ '^[A-Za-z0-9][A-Za-z0-9 _-]{0,62}$'),
  granted_at timestamptz not null default now(),
  primary key (connection_id, application)
);

create table daybook.stream_position (
  tenant_id uuid not null,
  stream text not null,
  watermark bigint not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, stream)
);
comment on column daybook.stream_position.watermark is
  'Every journal up to this number is stored; moves only over an unbroken chain of page receipts.';

create table daybook.import_run (
  run_id uuid primary key,
  workflow_id text not null,
  connection_id uuid not null,
  connection_name text not null,
  application text not null,
  tenant_id uuid not null,
  stream text not null,
  request jsonb not null,
  starting_at bigint not null,
  ending_at bigint,
  modified_since timestamptz,
  moves_watermark boolean not null,
  -- Offset of the next call, exclusive; null until a run with modified_since has found its first journal.
  next_offset bigint,
  pages int not null default 0,
  stored bigint not null default 0,
  admitted bigint not null default 0,
  quarantined bigint not null default 0,
  calls int not null default 0,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  status text not null default 'running',
  message text,
  waiting_until timestamptz,
  check ((ended_at is null) = (status in ('running', 'stopping', 'waiting', 'paused', 'needsReconnect')))
);
comment on table daybook.import_run is 'One execution of an import request; run_id is the first Temporal run id of its workflow.';
create index import_run_by_connection on daybook.import_run (connection_id, started_at desc);

-- The lease on a stream: only one run at a time moves its watermark.
create unique index one_open_run_moves_the_watermark on daybook.import_run (tenant_id, stream)
  where moves_watermark and ended_at is null;

create table daybook.page_receipt (
  run_id uuid not null references daybook.import_run on delete cascade,
  after_number bigint not null,
  through_number bigint not null check (through_number >= after_number),
  journals int not null,
  stored int not null,
  quarantined int not null default 0,
  stored_at timestamptz not null default now(),
  primary key (run_id, after_number)
);
comment on table daybook.page_receipt is
  'Proof that a page was committed: it holds every journal after after_number up to through_number.';

create table daybook.quota_ledger (
  scope text primary key,
  version bigint not null default 0,
  minute_remaining int,
  minute_resets_by timestamptz,
  day_remaining int,
  blocked_until timestamptz,
  blocked_by text,
  leases timestamptz[] not null default '{}',
  -- Calls spent so far, ever.
  sent bigint not null default 0,
  updated_at timestamptz not null default now()
);
comment on table daybook.quota_ledger is
  'What is known of a quota: scope tenant:<tenant id> for one organisation, app:<client id> for the whole Xero app.';

create table daybook.quarantine (
  quarantine_id bigint generated always as identity primary key,
  tenant_id uuid not null,
  stream text not null,
  run_id uuid not null,
  journal_number bigint,
  reason text not null,
  payload text not null,
  quarantined_at timestamptz not null default now()
);
comment on table daybook.quarantine is 'Rows that could not be stored as Xero sent them, word for word, with the reason.';
create unique index quarantine_once on daybook.quarantine (tenant_id, stream, md5(payload));

create table xero.journal (
  tenant_id uuid not null,
  basis text not null check (basis in ('accrual', 'cash')),
  journal_id uuid not null,
  journal_number bigint not null,
  journal_date date not null,
  created_date_utc timestamptz not null,
  reference text,
  source_id uuid,
  source_type text,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now(),
  primary key (tenant_id, basis, journal_id),
  unique (tenant_id, basis, journal_number)
);
comment on table xero.journal is 'Xero''s journals, append-only: an edit in Xero posts a reversal and a new journal.';

create table xero.journal_line (
  tenant_id uuid not null,
  basis text not null,
  journal_id uuid not null,
  line_index int not null,
  journal_line_id uuid,
  account_id uuid,
  account_code text,
  account_type text,
  account_name text,
  description text,
  net_amount numeric not null,
  gross_amount numeric,
  tax_amount numeric,
  tax_type text,
  tax_name text,
  primary key (tenant_id, basis, journal_id, line_index),
  -- Postgres would take the text "NaN" for an amount, and every sum it enters would be NaN from then on.
  constraint amounts_are_numbers check (
    'NaN' not in (net_amount, coalesce(gross_amount, 0), coalesce(tax_amount, 0))
    and 'Infinity' not in (abs(net_amount), abs(coalesce(gross_amount, 0)), abs(coalesce(tax_amount, 0)))
  )
);
comment on column xero.journal_line.net_amount is 'Base currency; positive is debit, negative is credit.';

create table xero.journal_line_tracking (
  tenant_id uuid not null,
  basis text not null,
  journal_id uuid not null,
  line_index int not null,
  tracking_index int not null,
  tracking_category_id uuid,
  tracking_option_id uuid,
  name text,
  option text,
  primary key (tenant_id, basis, journal_id, line_index, tracking_index)
);

-- Xero's dates: "/Date(1539993600000+0000)/", milliseconds since 1970, negative before; the offset does not change the
-- instant. ISO dates, which some of Xero's endpoints send, are accepted too; anything else is an error and goes to quarantine.
create function daybook.xero_instant(value text) returns timestamptz
  language sql immutable strict parallel safe
  return case
    when value ~ '^/Date\(-?\d{1,15}([+-]\d{4})?\)/$'
      then timestamptz '1970-01-01 00:00:00+00' + (substring(value from '-?\d+')::bigint * interval '1 millisecond')
    when value ~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?$' then (rtrim(value, 'Z') || '+00')::timestamptz
    else ('not a date of Xero''s: ' || value)::timestamptz
  end;

create function daybook.xero_date(value text) returns date
  language sql immutable strict parallel safe
  return (daybook.xero_instant(value) at time zone 'UTC')::date;
