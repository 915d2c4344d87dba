-- Up Migration

alter table daybook.import_run add column attempt_scheduled_at timestamptz;
comment on column daybook.import_run.attempt_scheduled_at is
  'When Temporal scheduled the newest attempt that reads pages for this run: an older one that wakes up late makes no call any more.';
