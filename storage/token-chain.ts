import type pg from 'pg';
import { inTransaction, type Queryable } from './pool.ts';

/** A pair that may be spent: the one in use, or an earlier one that Xero may still take. */
export interface Rung {
  generation: number;
  sealed: unknown;
}

/** How long Xero takes a spent refresh token again. Source: https://developer.xero.com/faq/oauth2 */
const grace = `interval '30 minutes'`;

/**
 * The pairs worth trying, best first: the one in use, then any other that was never spent or was first spent within
 * Xero's grace, newest first. Those that Xero rejected are left out.
 */
export async function listRungs(db: Queryable, authorisationId: string): Promise<Rung[]> {
  const { rows } = await db.query<Rung>(
    `select t.generation, t.sealed
       from daybook.authorisation_token t join daybook.authorisation a using (authorisation_id)
      where t.authorisation_id = $1 and t.sealed is not null and t.rejected_at is null
        and (t.generation = a.generation or t.first_used_at is null or t.first_used_at > clock_timestamp() - ${grace})
      order by t.generation = a.generation desc, t.issued_at desc, t.generation desc`,
    [authorisationId],
  );
  return rows;
}

/**
 * Writes down, before Xero is called, that the pair `rung` is about to be spent (0: none, for client_credentials). Xero
 * must not be called unless this has committed: it proves that the answer can be stored. Null when the chain has moved
 * since `generation` was read, so the caller must look again.
 */
export async function beginAttempt(pool: pg.Pool, authorisationId: string, generation: number, rung: number) {
  return inTransaction(pool, async (db) => {
    const { rows } = await db.query<{ attemptId: string }>(
      `with current as (
         select authorisation_id from daybook.authorisation
          where authorisation_id = $1 and generation = $2 and status = 'active' for update
       )
       insert into daybook.refresh_attempt (authorisation_id, from_generation, started_at)
       select authorisation_id, $3, clock_timestamp() from current returning attempt_id as "attemptId"`,
      [authorisationId, generation, rung],
    );
    const attemptId = rows[0]?.attemptId ?? null;
    if (attemptId !== null) {
      await db.query(
        `update daybook.authorisation_token set first_used_at = coalesce(first_used_at, clock_timestamp())
          where authorisation_id = $1 and generation = $2`,
        [authorisationId, rung],
      );
    }
    return attemptId;
  });
}

/** Closes an attempt that certainly rotated nothing. A worker closes only its own. */
export async function closeAttempt(db: Queryable, attemptId: string, outcome: 'rejected' | 'refused'): Promise<void> {
  await db.query(
    `with closed as (
       update daybook.refresh_attempt set outcome = $2, finished_at = clock_timestamp()
        where attempt_id = $1 and outcome is null returning authorisation_id, from_generation
     )
     update daybook.authorisation_token t set rejected_at = clock_timestamp() from closed
      where $2 = 'rejected' and t.authorisation_id = closed.authorisation_id and t.generation = closed.from_generation`,
    [attemptId, outcome],
  );
}

export interface NewPair {
  authorisationId: string;
  attemptId: string;
  /** The pair in use when the call was made: while it still is, the new one replaces it whatever the clocks say. */
  seenGeneration: number;
  /** Milliseconds since 1970 by Xero's clock, so that two answers can be put in the order in which Xero gave them. */
  issuedAt: number;
  lifeSeconds: number;
  /** Null keeps those known. */
  scopes: string[] | null;
  /** Seals the pair for its place in the chain, which is known only here. */
  seal: (authorisationId: string, generation: number) => Promise<unknown>;
}

/**
 * Appends a pair to its chain, always: in some of Xero's possible variants a late answer is the only valid one. It
 * becomes the pair in use unless Xero issued the present one later. Storing the same answer twice stores it once. One that comes
 * after its authorisation was ended is forgotten like those before it: the admin was told that they are.
 * Must run in a transaction.
 */
export async function appendToken(db: Queryable, pair: NewPair): Promise<{ generation: number; inUse: boolean }> {
  const { rows: locked } = await db.query<{ revoked: boolean }>(
    `select status = 'revoked' as revoked from daybook.authorisation where authorisation_id = $1 for update`,
    [pair.authorisationId],
  );
  const { rows } = await db.query<{ stored: number | null; next: number }>(
    `select max(generation) filter (where attempt_id = $2) as stored, coalesce(max(generation), 0) + 1 as next
       from daybook.authorisation_token where authorisation_id = $1`,
    [pair.authorisationId, pair.attemptId],
  );
  const { stored, next } = rows[0] ?? { stored: null, next: 1 };
  if (stored !== null) return { generation: stored, inUse: true };

  await db.query(
    `insert into daybook.authorisation_token
       (authorisation_id, generation, attempt_id, sealed, issued_at, expires_at, life_seconds)
     values ($1, $2, $3, $4, to_timestamp($5::float8 / 1000), clock_timestamp() + $6 * interval '1 second', $6)`,
    [
      pair.authorisationId,
      next,
      pair.attemptId,
      locked[0]?.revoked ? null : JSON.stringify(await pair.seal(pair.authorisationId, next)),
      pair.issuedAt,
      Math.floor(pair.lifeSeconds),
    ],
  );
  const moved = await db.query(
    `update daybook.authorisation a
        set generation = $2, status = 'active', message = null, scopes = coalesce($4, scopes), updated_at = now()
      where authorisation_id = $1 and status <> 'revoked' and (generation = $5 or not exists (
        select from daybook.authorisation_token t where t.authorisation_id = a.authorisation_id
           and t.generation = a.generation and t.issued_at > to_timestamp($3::float8 / 1000)))`,
    [pair.authorisationId, next, pair.issuedAt, pair.scopes, pair.seenGeneration],
  );
  // A paused worker's request may reach Xero after ours, so others' attempts end only by a success begun 10 minutes later.
  await db.query(
    `update daybook.refresh_attempt set finished_at = clock_timestamp(),
            outcome = case when attempt_id = $2 then 'stored' else 'unknown' end
      where authorisation_id = $1 and outcome is null and (attempt_id = $2 or started_at <
        (select started_at - interval '10 minutes' from daybook.refresh_attempt where attempt_id = $2))`,
    [pair.authorisationId, pair.attemptId],
  );
  return { generation: next, inUse: moved.rowCount === 1 };
}
