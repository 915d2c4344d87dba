import type { Queryable } from './pool.ts';

/** Says that a terminal waits for the callback with this state, for ten minutes; what has expired is swept out. */
export async function awaitHandover(db: Queryable, stateHash: Buffer): Promise<void> {
  await db.query(`delete from daybook.consent_handover where expires_at < now()`);
  await db.query(
    `insert into daybook.consent_handover (state_hash, expires_at) values ($1, now() + interval '10 minutes')`,
    [stateHash],
  );
}

/** Whether a terminal waits for the callback with this state. */
export async function isAwaited(db: Queryable, stateHash: Buffer): Promise<boolean> {
  const { rows } = await db.query(
    `select from daybook.consent_handover where state_hash = $1 and sealed is null and expires_at > now()`,
    [stateHash],
  );
  return rows.length === 1;
}

/** Hands a callback, sealed, to the terminal that waits for it; false when none does (any more). */
export async function handOver(db: Queryable, stateHash: Buffer, sealed: unknown): Promise<boolean> {
  const { rowCount } = await db.query(
    `update daybook.consent_handover set sealed = $2
      where state_hash = $1 and sealed is null and expires_at > now()`,
    [stateHash, JSON.stringify(sealed)],
  );
  return rowCount === 1;
}

/** Takes the sealed callback once it is there; null before. */
export async function takeHandover(db: Queryable, stateHash: Buffer): Promise<unknown> {
  const { rows } = await db.query<{ sealed: unknown }>(
    `delete from daybook.consent_handover where state_hash = $1 and sealed is not null returning sealed`,
    [stateHash],
  );
  return rows[0]?.sealed ?? null;
}

/** Nobody waits any more. */
export async function dropHandover(db: Queryable, stateHash: Buffer): Promise<void> {
  await db.query(`delete from daybook.consent_handover where state_hash = $1`, [stateHash]);
}
