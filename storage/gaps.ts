import { farthestLook, type Gap, unsettledMs } from '../model/gaps.ts';
import { basisOf, type Stream } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

/**
 * The gaps before a watermark that were found when what lies behind them was young, and when each was looked at: by a run that
 * found it aged, where there was one.
 */
export async function recentGaps(db: Queryable, tenantId: string, stream: Stream, watermark: number): Promise<Gap[]> {
  const { rows } = await db.query<Gap>(
    `with near as (
       select journal_number as number,
              coalesce(lag(journal_number) over (order by journal_number),
                       -- Before the first one near lies the last one that is not, or nothing at all.
                       (select max(f.journal_number) from xero.journal f
                         where f.tenant_id = $1 and f.basis = $2 and f.journal_number < journal.journal_number), 0) as before,
              created_date_utc, stored_at, created_date_utc + $5::float8 * interval '1 millisecond' as aged_at
         from xero.journal
        where tenant_id = $1 and basis = $2 and journal_number between $3::bigint - $4::bigint and $3::bigint
     )
     select n.before as after, (extract(epoch from n.created_date_utc) * 1000)::float8 as "createdAt",
            (extract(epoch from greatest(n.stored_at, (
              -- Only runs without filters count: another may have read a journal there and not stored it.
              select p.stored_at
                from daybook.import_run r join daybook.page_receipt p using (run_id)
               where r.tenant_id = $1 and r.stream = $6 and r.moves_watermark and r.ended_at >= n.aged_at
                 and p.stored_at >= n.aged_at and p.after_number <= n.before and p.through_number >= n.number
               limit 1))) * 1000)::float8 as "lookedAt"
       from near n
      where n.number - n.before > 1 and n.stored_at < n.aged_at`,
    [tenantId, basisOf(stream), watermark, farthestLook, unsettledMs, stream],
  );
  return rows;
}
