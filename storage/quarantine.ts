import type { ReferenceEndpoint } from '../model/reference.ts';
import type { Stream } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

/** Which run met the row, reading what. */
interface Origin {
  runId: string;
  tenantId: string;
  stream: Stream | ReferenceEndpoint;
}

/**
 * Keeps a row that cannot be stored, word for word, with the reason, and answers how many this counts for the run: 0
 * when it has met the row before, as pages overlap, or when the run did not ask for this journal number. One without a
 * number is kept, so that nothing is lost.
 */
export async function quarantine(
  db: Queryable,
  { runId, tenantId, stream }: Origin,
  payload: string,
  name: { journalNumber?: string | null; invoiceId?: string | null },
  reason: string,
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into daybook.quarantine (tenant_id, stream, run_id, journal_number, invoice_id, reason, payload)
     select $2::uuid, $3, $1::uuid, $4::bigint, $5, $6, $7
      where $4::bigint is null
         or exists (select from daybook.import_run where run_id = $1 and $4 between starting_at and coalesce(ending_at, $4))
     on conflict (tenant_id, stream, md5(payload)) do update
        set run_id = excluded.run_id, reason = excluded.reason, quarantined_at = now()
      where quarantine.run_id <> excluded.run_id`,
    [runId, tenantId, stream, name.journalNumber ?? null, name.invoiceId ?? null, reason, payload],
  );
  return rowCount ?? 0;
}
