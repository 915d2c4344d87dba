import { isUncovered } from './coverage.ts';
import type { Queryable } from './pool.ts';

/**
 * Notes that a reconciliation waits, for a new consent of its connection or for a limit, so that who changes something about the
 * connection can tell it. For which of the two is not noted: a consent wakes what waits for a limit, too, at the cost of one look.
 */
export async function noteWaiting(db: Queryable, workflowId: string, connectionId: string): Promise<void> {
  await db.query(
    `insert into daybook.reconciliation_waiting (workflow_id, connection_id) values ($1, $2)
     on conflict (workflow_id) do update set connection_id = excluded.connection_id, since = now()`,
    [workflowId, connectionId],
  );
}

export async function forgetWaiting(db: Queryable, workflowId: string): Promise<void> {
  await forgetAllWaiting(db, [workflowId]);
}

/** The same of several; among them may be imports, which have no such note. */
export async function forgetAllWaiting(db: Queryable, workflowIds: string[]): Promise<void> {
  await db.query(`delete from daybook.reconciliation_waiting where workflow_id = any ($1)`, [workflowIds]);
}

/**
 * Workflow ids of the imports and reconciliations that wait for a new consent, of one authorisation (all its connections that the
 * consent covers move along with it): to be told to go on once it was given. Reconciliations that wait for a limit are among them,
 * which look once and wait on.
 */
export async function workflowsAwaitingReconnect(db: Queryable, authorisationId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select w.id from daybook.connection c join (
              select workflow_id as id, connection_id, started_at as since from daybook.import_run
               where status = 'needsReconnect' and ended_at is null
              union all
              select workflow_id, connection_id, since from daybook.reconciliation_waiting) w using (connection_id)
      where c.authorisation_id = $1 and not ${isUncovered} order by w.since`,
    [authorisationId],
  );
  return rows.map(({ id }) => id);
}

/**
 * Workflow ids of what waits on a connection, for a consent or for Xero's limits, of some applications or of all: to be told
 * once something about the connection has changed.
 */
export async function workflowsWaitingOn(
  db: Queryable,
  connectionId: string,
  applications: string[] | null = null,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select workflow_id as id from daybook.import_run
      where connection_id = $1 and status in ('waiting', 'needsReconnect') and ended_at is null
        and ($2::text[] is null or application = any($2))
     union all
     select workflow_id from daybook.reconciliation_waiting
      where connection_id = $1 and coalesce(cardinality($2::text[]), 1) > 0`,
    [connectionId, applications],
  );
  return rows.map(({ id }) => id);
}

/** Whether a consent that covers connection `c` was given, or that renewed, since an instant. */
const isRenewedSince = (instant: string) =>
  `(not ${isUncovered}
    and (c.updated_at > ${instant}
         or exists (select from daybook.authorisation_token t join daybook.refresh_attempt a using (attempt_id)
                     where t.authorisation_id = c.authorisation_id and a.from_generation = 0 and t.stored_at > ${instant})))`;

/**
 * Whether a run that is about to wait for a new consent has missed it: one was given, or its connection renewed, since the
 * attempt was scheduled that asked for it. Whoever gave it has told those only whose row said that they wait.
 */
export async function hasMissedConsent(db: Queryable, runId: string): Promise<boolean> {
  const { rows } = await db.query<{ missed: boolean }>(
    `select ${isRenewedSince('r.attempt_scheduled_at')} as missed
       from daybook.import_run r join daybook.connection c using (connection_id)
      where r.run_id = $1`,
    [runId],
  );
  return rows[0]?.missed ?? false;
}

/** The same of a reconciliation, which has no row that says when its attempt was scheduled. */
export async function isConnectionRenewed(db: Queryable, connectionId: string, since: Date): Promise<boolean> {
  const { rows } = await db.query<{ renewed: boolean }>(
    `select ${isRenewedSince('$2')} as renewed from daybook.connection c where c.connection_id = $1`,
    [connectionId, since],
  );
  return rows[0]?.renewed ?? false;
}
