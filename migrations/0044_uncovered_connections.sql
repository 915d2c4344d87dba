-- Up Migration

-- A consent renews the one authorisation of its Xero user for all connections of that user, but the links to their organisations are
-- ended and made each by itself: Xero's answer to /connections, asked with that consent, says which there are.
alter table daybook.connection add column uncovered_since timestamptz;
comment on column daybook.connection.uncovered_since is
  'When a consent of its Xero user was last found not to cover the organisation; null while the last one does.';
