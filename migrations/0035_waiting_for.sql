-- Up Migration

-- Until when a run waits was written down, and why only where Xero refused its organisation: not that others go first.
alter table daybook.import_run add waiting_for text;
comment on column daybook.import_run.waiting_for is
  'Which limit or event it waits for until waiting_until: day, reserve, precedence, minute, concurrent, outage, appMinute.';
