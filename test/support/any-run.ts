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
  await pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request,
                                     starting_at, moves_watermark, next_offset)
     values ($1, 'w', $1, 'x', 'a', $1, $2, '{}', 0, true, 0)`,
    [id, stream],
  );
  return id;
}

/** What a run has counted. */
export async function countedBy(pool: pg.Pool, runId: string) {
  const { rows } = await pool.query<{ stored: number; admitted: number; quarantined: number }>(
    'select stored, admitted, quarantined from daybook.import_run where run_id = $1',
    [runId],
  );
  return rows[0];
}
