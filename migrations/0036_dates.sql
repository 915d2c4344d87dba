-- Up Migration

-- As before, but what nearly all dates look like (thirteen digits, of which the first is a 1: from 2001 to 2033) is recognised by
-- that, and not letter by letter: a twelfth of what storing a page costs. Postgres takes spaces and underscores in a number, too;
-- with one of them it is a smaller number.
-- And exact for all that the second form reads. Postgres multiplies an interval as a double, which has no place for the
-- microseconds of a date beyond 2255: 9999-12-31T23:59:59.999, .NET's last, became 8 microseconds later. Hours, being a multiple
-- of 1024 microseconds, have it.
create or replace function daybook.xero_instant(value text) returns timestamptz
  language sql stable parallel safe
  return case
    when value like '/Date(1____________+0000)/' and substr(value, 7, 13)::bigint >= 1000000000000
      then timestamptz '1970-01-01 00:00:00+00' + (substr(value, 7, 13)::bigint * interval '1 millisecond')
    when value ~ '^/Date\(-?\d{1,15}([+-]\d{4})?\)/$'
      then timestamptz '1970-01-01 00:00:00+00'
           + (substring(value from '-?\d+')::bigint / 3600000 * interval '1 hour')
           + (substring(value from '-?\d+')::bigint % 3600000 * interval '1 millisecond')
    when value ~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?$' then (rtrim(value, 'Z') || '+00')::timestamptz
    else ('not a date of Xero''s: ' || value)::timestamptz
  end;
