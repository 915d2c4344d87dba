-- Up Migration

-- As before, and whatever ISO 8601 allows in place of what Xero documents: a day alone, a space for the T, an offset for the Z.
-- An instant without an offset is UTC. What comes behind the day is asked for an offset, as the day has hyphens of its own.
create or replace function daybook.xero_instant(value text) returns timestamptz
  language sql stable parallel safe
  return case
    when value like '/Date(1____________+0000)/' and substr(value, 7, 13)::bigint >= 1000000000000
      then timestamptz '1970-01-01 00:00:00+00' + (substr(value, 7, 13)::bigint * interval '1 millisecond')
    when value ~ '^/Date\(-?\d{1,15}([+-]\d{4})?\)/$'
      then timestamptz '1970-01-01 00:00:00+00'
           + (substring(value from '-?\d+')::bigint / 3600000 * interval '1 hour')
           + (substring(value from '-?\d+')::bigint % 3600000 * interval '1 millisecond')
    when value ~ '^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$'
      then (value || case when substr(value, 11) ~ '[Z+-]' then '' else '+00' end)::timestamptz
    else ('not a date of Xero''s: ' || value)::timestamptz
  end;

-- A day is the one that is written: midnight of a place ahead of UTC is the day before by UTC's clock.
create or replace function daybook.xero_date(value text) returns date
  language sql stable parallel safe
  return case
    when value like '/Date(%' then (daybook.xero_instant(value) at time zone 'UTC')::date
    when daybook.xero_instant(value) is not null then substr(value, 1, 10)::date
  end;
