import type { Queryable } from './pool.ts';

/** Notes that a reconciliation waits for a new consent of its connection, so that who gives it can tell it to go on. */
export async function noteWaiting(db: Queryable, workflowId: string, connectionId: string): Promise<void> {
  await db.query(
    `insert into daybook.reconciliation_waiting (workflow_id, connection_id) values ($1, $2)
     on conflict (workflow_id) do update set connection_id = excluded.connection_id, since = now()`,
    [workflowId, connectionId],
  );
}

export async function forgetWaiting(db: Queryable, workflowId: string): Promise<void> {
  await db.query(`delete from daybook.reconciliation_waiting where workflow_id = $1`, [workflowId]);
}
