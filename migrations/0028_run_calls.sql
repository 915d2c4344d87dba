-- Up Migration

-- A run's count of calls has a row of its own: spending the next call need not wait until a page is stored, which holds the
-- run's row, so the next page is fetched meanwhile.
create table daybook.run_calls (
  run_id uuid primary key references daybook.import_run on delete cascade,
  calls int not null default 0
);
comment on table daybook.run_calls is 'How many calls to Xero a run has made, each counted before it was sent.';

insert into daybook.run_calls (run_id, calls) select run_id, calls from daybook.import_run;
alter table daybook.import_run drop column calls;
