import { overlap } from '../model/cursor.ts';
import type { Stream } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

/**
 * How far journals are stored without a hole, by the receipts from the first one on, of those that end at a number or before it. The
 * watermark says the same as long as no number was wrong that Xero sent. Receipts that were deleted make it less, never more.
 */
const unbroken = (tenantId: string, stream: string, number: string) => `
  with covered as (
    select p.after_number, p.through_number,
           coalesce(max(p.through_number) over (order by p.after_number, p.through_number
                                                rows between unbounded preceding and 1 preceding), 0) as before
      from daybook.import_run r join daybook.page_receipt p using (run_id)
     where r.tenant_id = ${tenantId} and r.stream = ${stream} and r.moves_watermark and p.through_number <= ${number}
  )
  select coalesce((select before from covered where after_number > before order by after_number limit 1),
                  (select max(through_number) from covered), 0) as number`;

/** How far journals are stored without a hole, as far as a number; 0 when none is. */
export async function unbrokenUpTo(db: Queryable, tenantId: string, stream: Stream, number: number): Promise<number> {
  const { rows } = await db.query<{ number: number }>(unbroken('$1', '$2', '$3::bigint'), [tenantId, stream, number]);
  return rows[0]?.number ?? 0;
}

/** What was found of a watermark beyond the end of Xero's journals. */
export interface Lowered {
  /** Where it stood, and where it stands now. */
  from: number;
  to: number;
  /** The run was set back, as there is something to read that was passed over. */
  isSetBack: boolean;
}

/**
 * Lowers the watermark to what is stored without a hole, and sets the run back to there, when the run stands before it though Xero has
 * nothing more; null when it does not.
 */
export async function lowerWatermark(db: Queryable, runId: string): Promise<Lowered | null> {
  const { rows } = await db.query<Lowered>(
    `with here as (
       select r.run_id, r.tenant_id, r.stream, r.next_offset, p.watermark
         from daybook.import_run r join daybook.stream_position p using (tenant_id, stream)
        where r.run_id = $1 and r.moves_watermark and r.ended_at is null and r.next_offset < p.watermark
          for update
     ), whole as materialized (
       select here.*, u.number from here cross join lateral (${unbroken('here.tenant_id', 'here.stream', 'here.next_offset')}) u
     ), lowered as (
       update daybook.stream_position p set watermark = w.number, updated_at = now()
         from whole w where p.tenant_id = w.tenant_id and p.stream = w.stream
     )
     update daybook.import_run r
        set next_offset = case when w.number < w.next_offset then greatest(0, w.number - $2::bigint) else r.next_offset end
       from whole w where r.run_id = w.run_id
     returning w.watermark as "from", w.number as "to", w.number < w.next_offset as "isSetBack"`,
    [runId, overlap],
  );
  return rows[0] ?? null;
}
