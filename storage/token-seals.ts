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

/**
 * Puts another seal on a pair, unless it is not what was read any more (pruned, or sealed anew by somebody else): false then.
 * One statement a pair: a refresh, which appends a pair of its own, is never kept waiting.
 */
export async function replaceSeal(db: Queryable, read: SealedPair, sealed: unknown): Promise<boolean> {
  const { rowCount } = await db.query(
    `update daybook.authorisation_token set sealed = $4
      where authorisation_id = $1 and generation = $2 and sealed = $3::jsonb`,
    [read.authorisationId, read.generation, JSON.stringify(read.sealed), JSON.stringify(sealed)],
  );
  return rowCount === 1;
}
