import type { Growth } from '../model/plan.ts';
import { basisOf, type Stream } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

interface GrowthRow {
  newest: number;
  newestAt: Date;
  earlier: number;
  earlierAt: Date;
}

/** So many of the newest journals tell how fast an organisation posts. */
const recentJournals = 10_000;

/**
 * How a stream has grown as far as it is stored: journals by their numbers and when they were created, invoices by how many
 * there are and when they were updated. Null when nothing is stored.
 */
export async function storedGrowth(db: Queryable, tenantId: string, stream: Stream): Promise<Growth | null> {
  const { rows } =
    stream === 'invoices'
      ? await db.query<GrowthRow>(
          `with newest as (select max(updated_date_utc) as at from xero.invoice where tenant_id = $1)
           select count(*) as newest, n.at as "newestAt",
                  count(*) filter (where updated_date_utc < n.at - interval '90 days') as earlier,
                  n.at - interval '90 days' as "earlierAt"
             from xero.invoice, newest n where tenant_id = $1 group by n.at`,
          [tenantId],
        )
      : await db.query<GrowthRow>(
          `with newest as (
             select journal_number as number, created_date_utc as at from xero.journal
              where tenant_id = $1 and basis = $2 order by journal_number desc limit 1)
           select n.number as newest, n.at as "newestAt", e.journal_number as earlier, e.created_date_utc as "earlierAt"
             from newest n, lateral (
               select journal_number, created_date_utc from xero.journal
                where tenant_id = $1 and basis = $2 and journal_number >= n.number - $3::bigint
                order by journal_number limit 1) e`,
          [tenantId, basisOf(stream), recentJournals],
        );
  const [row] = rows;
  if (!row) return null;
  return {
    newest: { count: row.newest, at: row.newestAt.getTime() },
    earlier: { count: row.earlier, at: row.earlierAt.getTime() },
  };
}
