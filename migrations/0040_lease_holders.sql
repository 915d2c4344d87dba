-- Up Migration

-- Whose each place among an organisation's calls at once is, in the order of `leases`: what died with its worker is given up by its own
-- run, and a backfill is bounded by its own calls.
alter table daybook.quota_ledger add column lease_holders text[] not null default '{}';
