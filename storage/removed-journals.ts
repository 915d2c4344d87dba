import { shownOfRemoved } from '../model/reconciliation.ts';
import type { Basis } from '../model/request.ts';
import { streamOf } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

/** Journals that one page stored and that are not there any more. */
export interface Removed {
  count: number;
  /** A few numbers of the page that no journal has: those removed are among all of these, with gaps of Xero's own. */
  among: number[];
  /** The first and the last number of the page that the run asked for. */
  first: number;
  through: number;
}

/**
 * What was deleted in Postgres: a page's receipt counts more journals than are there of it. Journals that came later count
 * as if they were of the page, so one that was imported again is not missed; nor is, then, one beside a late one.
 */
export async function removedJournals(db: Queryable, tenantId: string, basis: Basis): Promise<Removed[]> {
  const { rows } = await db.query<Removed>(
    `with short as (
       select p.run_id, p.after_number, greatest(asked.after + 1, r.starting_at) as first, least(p.through_number, r.ending_at) as through,
              p.stored - there.journals as count
         from daybook.import_run r join daybook.page_receipt p using (run_id)
        -- A page asked for from before where it begins may have brought a late journal numbered in between.
        cross join lateral (select coalesce(p.asked_after, p.after_number) as after) asked
        cross join lateral (
          -- A page's journals and its receipt are of one transaction, so of one now().
          select count(*) as journals from xero.journal j
           where j.tenant_id = $1 and j.basis = $2 and j.journal_number > asked.after and j.journal_number <= p.through_number
             and j.stored_at >= p.stored_at) there
        -- Most receipts of full runs stored nothing, so there is nothing to count for them.
        where r.tenant_id = $1 and r.stream = $3 and p.stored > 0 and p.stored > there.journals
        order by p.after_number limit 10
     )
     -- Where each number is there, none is gone.
     select s.count::int as count, array_agg(n.number order by n.number) as among, s.first, s.through
       from short s cross join lateral (
         select number from generate_series(s.first, s.through) number
          where not exists (select from xero.journal j
                             where j.tenant_id = $1 and j.basis = $2 and j.journal_number = number)
          limit $4) n
      group by s.run_id, s.after_number, s.first, s.through, s.count order by s.after_number`,
    [tenantId, basis, streamOf('journals', { basis }), shownOfRemoved],
  );
  return rows;
}
