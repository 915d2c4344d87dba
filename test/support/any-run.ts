import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Stream } from '../../model/streams.ts';

/** Opens a run at the begin of a feed; answers its id, which is its tenant's, too. */
export async function openAnyRun(pool: pg.Pool, stream: Stream = 'journals'): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `with a as (insert into daybook.authorisation (authorisation_id, kind, client_id) values ($1::uuid, 'custom', $1::uuid::text)),
          c as (insert into daybook.connection (connection_id, name, tenant_id, tenant_name, authorisation_id)
                values ($1::uuid, 'c' || $1::uuid::text, $1::uuid, 'x', $1::uuid))
     select`,
    [id],
  );
  await openRunOf(pool, id, stream, id);
  return id;
}

/** Another run of the same tenant, at the begin of the feed, too, once those before it have ended; answers its id. */
export async function openNextRun(pool: pg.Pool, tenantId: string, stream: Stream = 'journals'): Promise<string> {
  const runId = randomUUID();
  await pool.query(`update daybook.import_run set status = 'caughtUp', ended_at = now() where tenant_id = $1`, [
    tenantId,
  ]);
  await openRunOf(pool, tenantId, stream, runId);
  return runId;
}

async function openRunOf(pool: pg.Pool, tenantId: string, stream: Stream, runId: string): Promise<void> {
  await pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request,
                                     starting_at, moves_watermark, next_offset)
     values ($3, 'w', $1, 'x', 'a', $1, $2, '{}', 0, true, 0)`,
    [tenantId, stream, runId],
  );
}

/** What a run has counted. */
export async function countedBy(pool: pg.Pool, runId: string) {
  const { rows } = await pool.query<{ stored: number; admitted: number; quarantined: number }>(
    'select stored, admitted, quarantined from daybook.import_run where run_id = $1',
    [runId],
  );
  return rows[0];
}
