import type { Queryable } from './pool.ts';

/** A consent begun on the connect page, as it is stored. */
export interface PendingConsent {
  stateHash: Buffer;
  sessionHash: Buffer;
  /** A JWE. */
  sealed: unknown;
  /** The connection to be reconnected; null for a new one. */
  reconnects: string | null;
}

/** Keeps a consent for ten minutes, until its callback; what has expired is swept out. */
export async function storeConsent(db: Queryable, consent: PendingConsent): Promise<void> {
  await db.query(`delete from daybook.web_consent where expires_at < now()`);
  await db.query(`delete from daybook.web_setup where expires_at < now()`);
  await db.query(
    `insert into daybook.web_consent (state_hash, session_hash, sealed, reconnects, expires_at)
     values ($1, $2, $3, $4, now() + interval '10 minutes')`,
    [consent.stateHash, consent.sessionHash, JSON.stringify(consent.sealed), consent.reconnects],
  );
}

/** Takes a consent out for its callback, once, and for the session only that began it; null otherwise. */
export async function takeConsent(
  db: Queryable,
  stateHash: Buffer,
  sessionHash: Buffer,
): Promise<Pick<PendingConsent, 'sealed' | 'reconnects'> | null> {
  const { rows } = await db.query<Pick<PendingConsent, 'sealed' | 'reconnects'>>(
    `delete from daybook.web_consent where state_hash = $1 and session_hash = $2 and expires_at > now()
     returning sealed, reconnects`,
    [stateHash, sessionHash],
  );
  return rows[0] ?? null;
}

/** A consent that was given, whose organisations are to be named. */
export interface Setup<Organisation> {
  authorisationId: string;
  organisations: Organisation[];
}

/** Keeps a set-up for an hour. Returns its id, which alone opens nothing: it belongs to the session. */
export async function storeSetup<O>(db: Queryable, sessionHash: Buffer, setup: Setup<O>): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into daybook.web_setup (session_hash, authorisation_id, organisations, expires_at)
     values ($1, $2, $3, now() + interval '1 hour') returning setup_id as id`,
    [sessionHash, setup.authorisationId, JSON.stringify(setup.organisations)],
  );
  return rows[0]?.id ?? '';
}

export async function findSetup<O>(db: Queryable, sessionHash: Buffer, setupId: string): Promise<Setup<O> | null> {
  const { rows } = await db.query<Setup<O>>(
    `select authorisation_id as "authorisationId", organisations from daybook.web_setup
      where setup_id::text = $2 and session_hash = $1 and expires_at > now()`,
    [sessionHash, setupId],
  );
  return rows[0] ?? null;
}

/** Ends a set-up: all of its organisations that were wanted are connected. */
export async function dropSetup(db: Queryable, setupId: string): Promise<void> {
  await db.query(`delete from daybook.web_setup where setup_id::text = $1`, [setupId]);
}
