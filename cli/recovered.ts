import type { FoundRun } from '../client/found-run.ts';
import { storedSince } from '../storage/last-pages.ts';
import type { Queryable } from '../storage/pool.ts';

/**
 * Temporal shows the last failure of an activity until it ends, and one that reads pages ends late: what has stored a page in the
 * attempt that came after the failure is held up by nothing any more.
 */
export async function withoutRecovered(
  db: Queryable,
  found: ReadonlyMap<string, FoundRun>,
): Promise<Map<string, FoundRun>> {
  const tried = [...found].flatMap(([runId, { trouble }]) =>
    trouble?.triedSince ? [{ runId, since: trouble.triedSince }] : [],
  );
  const recovered = await storedSince(db, tried);
  return new Map([...found].map(([runId, run]) => [runId, recovered.has(runId) ? { ...run, trouble: null } : run]));
}
