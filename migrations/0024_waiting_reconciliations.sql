-- Up Migration

create table daybook.reconciliation_waiting (
  workflow_id text primary key,
  connection_id uuid not null references daybook.connection on delete cascade,
  since timestamptz not null default now()
);
comment on table daybook.reconciliation_waiting is
  'Reconciliations that wait for a new consent: whoever gives it tells them. A row may outlive its workflow.';
