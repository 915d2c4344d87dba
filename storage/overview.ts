import type { RunStatus, WaitReason } from '../model/run.ts';
import type { Stream } from '../model/streams.ts';
import { type Connection, listConnections } from './connections.ts';
import type { Queryable } from './pool.ts';
import { blockedByColumn, type RunSummary } from './runs.ts';

/** A run as the overview shows it. */
export interface OverviewRun {
  workflowId: string;
  stream: Stream;
  application: string;
  status: RunStatus;
  startedAt: Date;
  endedAt: Date | null;
  stored: number;
  /** Rows that it met and could not store. */
  quarantined: number;
  /** Why it ended so; null while it runs. */
  message: string | null;
  waitingUntil: Date | null;
  /** As in a `RunSummary`. */
  blockedBy: RunSummary['blockedBy'];
}

/** A connection with what an admin wants to see of it at once. */
export interface OverviewConnection extends Connection {
  /** Why it needs a new consent; null where its authorisation is not lost, and covers it as far as is known. */
  lost: string | null;
  /** The newest run that has ended. */
  lastRun: OverviewRun | null;
  /** Runs that have not ended, newest first. */
  openRuns: OverviewRun[];
  /** Of the organisation's daily calls, as Xero last said, and when that was; null when it has not said today. */
  callsLeft: { calls: number; at: Date } | null;
  /** Until when Xero refuses, and by which limit; null when it does not. */
  blocked: { until: Date; by: WaitReason } | null;
}

/** Every connection with its runs and its quota. */
export async function listOverview(db: Queryable): Promise<OverviewConnection[]> {
  const connections = await listConnections(db);
  const { rows } = await db.query<OverviewRun & { connectionId: string }>(
    // One that was removed and connected again under its name has its runs from before under another id.
    `with newest as (
       select c.connection_id as of, coalesce(
         (select run_id from daybook.import_run
           where connection_id = c.connection_id and ended_at is not null order by started_at desc limit 1),
         (select run_id from daybook.import_run
           where tenant_id = c.tenant_id and connection_name = c.name and ended_at is not null
             and exists (select from daybook.audit where act = 'disconnect' and subject = c.name)
           order by started_at desc limit 1)) as run_id
         from daybook.connection c
     )
     select coalesce(n.of, connection_id) as "connectionId", workflow_id as "workflowId", stream, application, status, stored, quarantined, message,
            started_at as "startedAt", ended_at as "endedAt", waiting_until as "waitingUntil",
            ${blockedByColumn}
       from daybook.import_run r left join newest n using (run_id)
      where ended_at is null or n.of is not null order by started_at desc`,
  );
  const quotas = await db.query<{
    tenantId: string;
    calls: number | null;
    at: Date;
    until: Date | null;
    by: WaitReason | null;
  }>(
    `select substr(scope, 8) as "tenantId", day_remaining as calls, updated_at as at,
            case when blocked_until > now() then blocked_until end as until, blocked_by as by
       from daybook.quota_ledger where scope like 'tenant:%' and updated_at > now() - interval '1 day'`,
  );
  const losses = await db.query<{ id: string; message: string | null }>(
    `select authorisation_id as id, message from daybook.authorisation where status <> 'active'`,
  );
  return connections.map((connection) => {
    const runs = rows.filter(({ connectionId }) => connectionId === connection.connectionId);
    const quota = quotas.rows.find(({ tenantId }) => tenantId === connection.tenantId);
    const spent = quota?.until != null && quota.by === 'day';
    const calls = spent ? 0 : (quota?.calls ?? null);
    return {
      ...connection,
      lost: losses.rows.find(({ id }) => id === connection.authorisationId)?.message ?? uncoveredBecause(connection),
      lastRun: runs.find(({ endedAt }) => endedAt !== null) ?? null,
      openRuns: runs.filter(({ endedAt }) => endedAt === null),
      callsLeft: quota === undefined || calls === null ? null : { calls, at: quota.at },
      blocked: quota?.until ? { until: quota.until, by: quota.by ?? 'minute' } : null,
    };
  });
}

function uncoveredBecause({ uncovered, tenantName }: Connection): string | null {
  return uncovered ? `Its Xero user has consented since, but not to ${tenantName}.` : null;
}

/** A connection that was removed, as the audit remembers it. */
export interface RemovedConnection {
  name: string;
  tenantName: string;
  at: Date;
  actor: string;
}

/** Connections that were removed and whose names are free since, newest first. */
export async function listRemoved(db: Queryable, limit: number): Promise<RemovedConnection[]> {
  const { rows } = await db.query<RemovedConnection>(
    `select * from (
       select distinct on (subject) subject as name, before ->> 'tenantName' as "tenantName", at, actor
         from daybook.audit where act = 'disconnect' order by subject, audit_id desc
     ) removed
      where not exists (select from daybook.connection c where c.name = removed.name)
      order by at desc limit $1`,
    [limit],
  );
  return rows;
}

/** The names of all applications that are known: those with a login, and those on any connection's list. */
export async function knownApplications(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select name from daybook.application union select application from daybook.connection_application order by 1`,
  );
  return rows.map(({ name }) => name);
}
