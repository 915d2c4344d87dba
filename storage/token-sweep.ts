import type { Queryable } from './pool.ts';

export interface OpenAttempts {
  authorisationId: string;
  /** Age of the oldest open attempt. */
  seconds: number;
}

/**
 * Authorisations with an open attempt that should be followed by a refresh now: once it is 45 s old (its caller is dead
 * by then) and again at 10 minutes (a paused caller may have spent its token after the first). After 30 minutes Xero's
 * grace is over and hurry is of no use.
 */
export async function listUnfinished(db: Queryable): Promise<OpenAttempts[]> {
  const { rows } = await db.query<OpenAttempts>(
    `select a.authorisation_id as "authorisationId",
            extract(epoch from clock_timestamp() - min(r.started_at))::float8 as seconds
       from daybook.refresh_attempt r join daybook.authorisation a using (authorisation_id)
      where r.outcome is null and a.status = 'active'
        and r.started_at > clock_timestamp() - interval '30 minutes'
        and r.started_at < clock_timestamp() - case when r.swept_at is null then interval '45 seconds' else interval '10 minutes' end
      group by a.authorisation_id order by min(r.started_at)`,
  );
  return rows;
}

/** Notes that a refresh succeeded which began `secondsAgo`, on the attempts that were 45 s old by then. */
export async function markSwept(db: Queryable, authorisationId: string, secondsAgo: number): Promise<void> {
  await db.query(
    `update daybook.refresh_attempt set swept_at = clock_timestamp()
      where authorisation_id = $1 and outcome is null and started_at < clock_timestamp() - (45 + $2::float8) * interval '1 second'`,
    [authorisationId, secondsAgo],
  );
}

/** Attempts of others that may still bring a pair: as long as there is one, a rejection is not the last word. */
export async function hasYoungAttempts(db: Queryable, authorisationId: string): Promise<boolean> {
  const { rows } = await db.query(
    `select from daybook.refresh_attempt
      where authorisation_id = $1 and outcome is null and started_at > clock_timestamp() - interval '2 minutes' limit 1`,
    [authorisationId],
  );
  return rows.length > 0;
}

/** Authorisations nobody used for a day: refreshing them keeps them clear of Xero's 60 days and moves them to the newest key. */
export async function listIdle(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select a.authorisation_id as id
       from daybook.authorisation a join daybook.authorisation_token t using (authorisation_id, generation)
      where a.kind = 'oauth' and a.status = 'active' and t.stored_at < clock_timestamp() - interval '24 hours'
      order by t.stored_at`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Removes what is worthless: the sealed part of pairs spent a day ago, attempts that nobody can finish any more,
 * consents that were never completed, and rows of last month.
 */
export async function pruneTokens(db: Queryable): Promise<void> {
  await db.query(
    `update daybook.authorisation_token t set sealed = null from daybook.authorisation a
      where a.authorisation_id = t.authorisation_id and a.generation <> t.generation and t.sealed is not null
        and (t.first_used_at < clock_timestamp() - interval '24 hours' or t.stored_at < clock_timestamp() - interval '60 days')`,
  );
  await db.query(
    `update daybook.refresh_attempt set outcome = 'unknown', finished_at = clock_timestamp()
      where outcome is null and started_at < clock_timestamp() - interval '30 minutes'`,
  );
  await db.query(
    `delete from daybook.authorisation where status = 'pending' and created_at < clock_timestamp() - interval '1 hour'`,
  );
  await db.query(
    `delete from daybook.authorisation_token where sealed is null and stored_at < clock_timestamp() - interval '30 days'`,
  );
  await db.query(`delete from daybook.refresh_attempt where finished_at < clock_timestamp() - interval '30 days'`);
}
