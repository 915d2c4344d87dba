-- Up Migration

-- As before, in a form that Postgres can put into the statement it is called from: it does so with `stable` functions that
-- are not declared strict (they are by what they do), and a call by itself costs more than all it computes.
create or replace function daybook.xero_instant(value text) returns timestamptz
  language sql stable parallel safe
  return case
    when value ~ '^/Date\(-?\d{1,15}([+-]\d{4})?\)/$'
      then timestamptz '1970-01-01 00:00:00+00' + (substring(value from '-?\d+')::bigint * interval '1 millisecond')
    when value ~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?$' then (rtrim(value, 'Z') || '+00')::timestamptz
    else ('not a date of Xero''s: ' || value)::timestamptz
  end;

create or replace function daybook.xero_date(value text) returns date
  language sql stable parallel safe
  return (daybook.xero_instant(value) at time zone 'UTC')::date;

alter table daybook.connection add column quota_reserve int not null default 0 check (quota_reserve >= 0);
comment on column daybook.connection.quota_reserve is
  'How many of the organisation''s daily calls imports through this connection leave to others.';

alter table daybook.quota_ledger add column reserve_asked_at timestamptz;
comment on column daybook.quota_ledger.reserve_asked_at is
  'When an import last spent a call of a reserve, to hear whether the day has begun again.';
