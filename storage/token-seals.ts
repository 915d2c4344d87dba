import type { Queryable } from './pool.ts';

/** A sealed pair and its place, which its seal is bound to. */
export interface SealedPair {
  clientId: string;
  authorisationId: string;
  generation: number;
  sealed: unknown;
}

/** How many pairs are stored under each JWE header, which names the key that sealed them. */
export async function countSeals(db: Queryable): Promise<{ header: string; pairs: number }[]> {
  const { rows } = await db.query<{ header: string; pairs: number }>(
    `select sealed->>'protected' as header, count(*)::int as pairs
       from daybook.authorisation_token where sealed is not null group by 1 order by 1`,
  );
  return rows;
}

/** Pairs under one header, those after a place in their order. */
export async function pairsSealedUnder(db: Queryable, header: string, after: SealedPair | null, limit: number) {
  const { rows } = await db.query<SealedPair>(
    `select a.client_id as "clientId", t.authorisation_id as "authorisationId", t.generation, t.sealed
       from daybook.authorisation_token t join daybook.authorisation a using (authorisation_id)
      where t.sealed->>'protected' = $1 and ($2::uuid is null or (t.authorisation_id, t.generation) > ($2, $3))
      order by t.authorisation_id, t.generation limit $4`,
    [header, after?.authorisationId ?? null, after?.generation ?? 0, limit],
  );
  return rows;
}

/** The names of the connections that use any of these authorisations. */
export async function namesOfAuthorised(db: Queryable, authorisationIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select name from daybook.connection where authorisation_id = any ($1::uuid[]) order by name`,
    [authorisationIds],
  );
  return rows.map(({ name }) => name);
}

/**
 * Puts other seals on pairs, but for those that are not what was read any more (pruned, or sealed anew by somebody else).
 * Returns how many got theirs. One statement, so that a refresh, which marks the pair it spends, waits for moments at most.
 */
export async function replaceSeals(db: Queryable, seals: { read: SealedPair; sealed: unknown }[]): Promise<number> {
  const given = seals.map(({ read, sealed }) => ({
    authorisation_id: read.authorisationId,
    generation: read.generation,
    was: read.sealed,
    sealed,
  }));
  const { rowCount } = await db.query(
    `with given as (
       select * from jsonb_to_recordset($1) as g (authorisation_id uuid, generation int, was jsonb, sealed jsonb)
     ), mine as (
       -- In one order, so that two that rotate at once wait for each other, and not in a circle.
       select t.authorisation_id, t.generation, g.sealed
         from daybook.authorisation_token t join given g using (authorisation_id, generation)
        where t.sealed = g.was order by t.authorisation_id, t.generation for update of t
     )
     update daybook.authorisation_token t set sealed = mine.sealed from mine
      where (t.authorisation_id, t.generation) = (mine.authorisation_id, mine.generation)`,
    [JSON.stringify(given)],
  );
  return rowCount ?? 0;
}
