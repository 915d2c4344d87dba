-- The minute's quota is known by the calls of the last sixty seconds, not by a guess at when Xero's window resets.
alter table daybook.quota_ledger
  drop column minute_resets_by,
  add column minute_limit int,
  add column minute_counted bigint[] not null default '{}',
  add column minute_leapt_at bigint not null default 0;

-- What was known of minutes past is of no use without the calls made in them.
update daybook.quota_ledger set minute_remaining = null;

comment on column daybook.quota_ledger.minute_remaining is
  'Calls that are left of this minute at least, by what Xero said with its last answers.';
comment on column daybook.quota_ledger.minute_limit is 'Calls a minute, as far as Xero''s answers have shown.';
comment on column daybook.quota_ledger.minute_counted is
  'Until when the calls answered in the last minute count, in milliseconds since 1970.';
comment on column daybook.quota_ledger.minute_leapt_at is
  'The last call sent when a new minute was seen: answers to it and those before may be of the old one.';
