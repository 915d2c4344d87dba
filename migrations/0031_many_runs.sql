-- Up Migration

-- A year of hourly imports of many organisations is millions of runs: what asks for a few of them must not read all.

-- Which runs of a stream looked at a gap once it had aged.
create index import_run_of_stream on daybook.import_run (tenant_id, stream, ended_at) where moves_watermark;
-- The newest runs.
create index import_run_by_start on daybook.import_run (started_at desc);
