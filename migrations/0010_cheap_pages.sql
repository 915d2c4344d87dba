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
