import type { Queryable } from './pool.ts';

/** Which of these runs have stored a page since an instant each. */
export async function storedSince(
  db: Queryable,
  runs: readonly { runId: string; since: Date }[],
): Promise<ReadonlySet<string>> {
  if (runs.length === 0) return new Set();
  const { rows } = await db.query<{ runId: string }>(
    `select asked.run_id as "runId" from unnest($1::uuid[], $2::timestamptz[]) as asked(run_id, since)
      where exists (select from daybook.page_receipt p where p.run_id = asked.run_id and p.stored_at > asked.since)`,
    [runs.map(({ runId }) => runId), runs.map(({ since }) => since)],
  );
  return new Set(rows.map(({ runId }) => runId));
}
