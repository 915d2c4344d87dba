import { overlap } from '../model/cursor.ts';
import type { Stream } from '../model/streams.ts';
import type { Queryable } from './pool.ts';
import { type RunSummary, runSummaryColumns } from './runs.ts';

// What `daybook doctor` asks the database, each in one statement.

export interface DatabaseFacts {
  version: string;
  bytes: number;
  /** The database's clock, milliseconds since 1970. */
  clock: number;
}

export async function databaseFacts(db: Queryable): Promise<DatabaseFacts> {
  const { rows } = await db.query<DatabaseFacts>(
    `select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes,
            (extract(epoch from clock_timestamp()) * 1000)::float8 as clock`,
  );
  return rows[0] as DatabaseFacts;
}

/**
 * Tells one database from another without naming it: eight digits that a worker's identity in Temporal carries.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA
 */
export async function databaseMark(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ mark: string }>(
    `select left(md5(system_identifier || '/' || current_database()), 8) as mark from pg_control_system()`,
  );
  return rows[0]?.mark ?? '';
}

export interface UnendedRun extends RunSummary {
  /** When an attempt to read pages was scheduled last; null before the first. */
  attemptScheduledAt: Date | null;
  /** How many of the organisation's daily calls it leaves to others: by its request or its connection, whichever are more. */
  quotaReserve: number;
  /** Calls left of the organisation's day, as Xero last said; null when it never did. */
  dayRemaining: number | null;
}

/** All runs that have not ended, oldest first. */
export async function openRuns(db: Queryable): Promise<UnendedRun[]> {
  const { rows } = await db.query<UnendedRun>(
    `select ${runSummaryColumns}, r.attempt_scheduled_at as "attemptScheduledAt",
            greatest((select c.quota_reserve from daybook.connection c where c.connection_id = r.connection_id),
                     (r.request->>'quotaReserve')::int, 0) as "quotaReserve",
            (select q.day_remaining from daybook.quota_ledger q where q.scope = 'tenant:' || r.tenant_id) as "dayRemaining"
       from daybook.import_run r where r.ended_at is null order by r.started_at`,
  );
  return rows;
}

/** The newest run of each stream of each connection that there still is, where it failed. */
export async function newestFailures(db: Queryable): Promise<RunSummary[]> {
  const { rows } = await db.query<RunSummary>(
    `select newest.* from daybook.connection c, unnest(array['journals', 'cashJournals', 'invoices']) as s(stream), lateral (
       select ${runSummaryColumns} from daybook.import_run r
        where r.connection_id = c.connection_id and r.stream = s.stream order by r.started_at desc limit 1) as newest
      where newest.status = 'failed' order by newest."startedAt"`,
  );
  return rows;
}

/** Of each connection that there still is, the newest run since an instant whose workflow id begins so. */
export async function newestNamed(db: Queryable, prefix: string, since: Date): Promise<RunSummary[]> {
  const { rows } = await db.query<RunSummary>(
    `select newest.* from daybook.connection c, lateral (
       select ${runSummaryColumns} from daybook.import_run r
        where r.connection_id = c.connection_id and starts_with(r.workflow_id, $1) and r.started_at > $2
        order by r.started_at desc limit 1) as newest
      order by newest."connectionName"`,
    [prefix, since],
  );
  return rows;
}

export interface Quarantined {
  connection: string;
  stream: string;
  rows: number;
  newestReason: string;
}

/** What waits in quarantine, by organisation and stream. */
export async function countQuarantine(db: Queryable): Promise<Quarantined[]> {
  const { rows } = await db.query<Quarantined>(
    `select coalesce((select min(c.name) from daybook.connection c where c.tenant_id = q.tenant_id), q.tenant_id::text) as connection,
            q.stream, count(*)::int as rows, (array_agg(q.reason order by q.quarantined_at desc))[1] as "newestReason"
       from daybook.quarantine q group by q.tenant_id, q.stream order by 1, 2`,
  );
  return rows;
}

/** A watermark beyond what is stored. */
export interface Unfounded {
  connectionName: string;
  /** One that may import through the connection; null when none may. */
  application: string | null;
  stream: Stream;
  watermark: number;
  /** The greatest journal number that is stored or in quarantine; 0 when none is. */
  newest: number;
}

/** Streams of journals that count as read further than to their newest one, by more than the next import looks at again. */
export async function unfoundedWatermarks(db: Queryable): Promise<Unfounded[]> {
  const { rows } = await db.query<Unfounded>(
    `select c.name as "connectionName", p.stream, p.watermark, n.newest,
            (select min(a.application) from daybook.connection_application a where a.connection_id = c.connection_id) as application
       from daybook.stream_position p
       join lateral (select name, connection_id from daybook.connection o
                      where o.tenant_id = p.tenant_id order by name limit 1) c on true
      cross join lateral (
        select coalesce(greatest(
                 (select max(j.journal_number) from xero.journal j
                   where j.tenant_id = p.tenant_id and j.basis = case p.stream when 'cashJournals' then 'cash' else 'accrual' end),
                 (select max(q.journal_number) from daybook.quarantine q
                   where q.tenant_id = p.tenant_id and q.stream = p.stream)), 0) as newest) n
      where p.stream in ('journals', 'cashJournals') and p.watermark > n.newest + $1 order by 1, 2`,
    [overlap],
  );
  return rows;
}
