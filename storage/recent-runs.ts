import type { RunStatus } from '../model/run.ts';
import type { Queryable } from './pool.ts';
import { type RunSummary, runSummaryColumns } from './runs.ts';

/** A run with what was asked for, as it was sent. */
export interface RecentRun extends RunSummary {
  request: unknown;
}

/** Which runs are meant; all of them where nothing is said. */
export interface RunFilter {
  connection?: string | undefined;
  application?: string | undefined;
  status?: RunStatus | undefined;
}

const meant = `($1::text is null or r.connection_name = $1) and ($2::text is null or r.application = $2)
  and ($3::text is null or r.status = $3)`;

function parametersOf({ connection, application, status }: RunFilter) {
  return [connection ?? null, application ?? null, status ?? null];
}

/** The newest of these runs, and whatever of them is open, however many have begun since. Newest first. */
export async function recentRuns(db: Queryable, limit: number, filter: RunFilter = {}): Promise<RecentRun[]> {
  const { rows } = await db.query<RecentRun>(
    `with newest as (
       select r.run_id from daybook.import_run r where ${meant} order by r.started_at desc limit $4
     )
     select ${runSummaryColumns}, r.request
       from daybook.import_run r
      where r.run_id in (select run_id from newest) or (r.ended_at is null and ${meant})
      order by r.started_at desc`,
    [...parametersOf(filter), limit],
  );
  return rows;
}

/** How many of these runs there are. */
export async function countRuns(db: Queryable, filter: RunFilter): Promise<number> {
  const { rows } = await db.query<{ runs: number }>(
    `select count(*) as runs from daybook.import_run r where ${meant}`,
    parametersOf(filter),
  );
  return rows[0]?.runs ?? 0;
}
