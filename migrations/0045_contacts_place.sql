-- Up Migration

-- Contacts are read over many turns where they are many. Up to which date all is stored does not tell where the next turn goes on: where
-- Xero does not keep their order, or has edited more than a page of them in one second, that is a page's number.
alter table daybook.reference_position add column place jsonb;
comment on column daybook.reference_position.place is
  'Where a reading of contacts that is under way goes on (model/reference.ts, ContactsReading); null when none is.';
