-- Up Migration

create table daybook.reference_position (
  tenant_id uuid not null,
  endpoint text not null check (endpoint in ('organisation', 'accounts', 'trackingCategories', 'contacts')),
  -- The newest UpdatedDateUTC stored: the next call asks for what was modified since.
  read_through timestamptz,
  -- When it was last read to its end, or refused; null while a first reading is under way.
  asked_at timestamptz,
  -- Why Xero refused it; null when it did not.
  message text,
  run_id uuid not null,
  primary key (tenant_id, endpoint)
);
comment on table daybook.reference_position is 'How far each kind of reference data is read; it is refreshed once an hour at most.';

-- A gap near the head is looked at again; when it was looked at last is told by the receipts since.
create index page_receipt_by_time on daybook.page_receipt (stored_at);
