-- Up Migration

-- Whether another import of an organisation is open is asked at each slice of a backfill, and by `daybook doctor`.
create index open_run_by_tenant on daybook.import_run (tenant_id) where ended_at is null;
