import type pg from 'pg';
import { inTransaction, type Queryable } from './pool.ts';
import { appendToken, type NewPair } from './token-chain.ts';

type AuthorisationKind = 'oauth' | 'custom';
/** `pending` until the first pair is stored. */
type AuthorisationStatus = 'pending' | 'active' | 'needsReconnect' | 'revoked';

/** One consent: its state and the pair in use, still sealed. */
export interface Authorisation {
  authorisationId: string;
  clientId: string;
  kind: AuthorisationKind;
  status: AuthorisationStatus;
  /** Why a new consent is needed; null while none is. */
  message: string | null;
  scopes: string[];
  /** The pair in use; 0 before the first. */
  generation: number;
  /** JWE of the pair in use; null before the first. */
  sealed: unknown;
  /** By Postgres's clock, which all processes share; 0 before the first pair. */
  secondsLeft: number;
  lifeSeconds: number;
}

const select = `
  select a.authorisation_id as "authorisationId", a.client_id as "clientId", a.kind, a.status, a.message, a.scopes,
         a.generation, t.sealed, coalesce(t.life_seconds, 0) as "lifeSeconds",
         coalesce(extract(epoch from t.expires_at - clock_timestamp())::float8, 0) as "secondsLeft"
    from daybook.authorisation a
    left join daybook.authorisation_token t using (authorisation_id, generation)`;

export async function findAuthorisation(db: Queryable, authorisationId: string): Promise<Authorisation | null> {
  const { rows } = await db.query<Authorisation>(`${select} where a.authorisation_id = $1`, [authorisationId]);
  return rows[0] ?? null;
}

/** The newest authorisations by consent that are alive and have all these scopes. */
export async function authorisationsWith(
  db: Queryable,
  { clientId, scopes, limit }: { clientId: string; scopes: string[]; limit: number },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select authorisation_id as id from daybook.authorisation
      where client_id = $1 and kind = 'oauth' and status = 'active' and scopes @> $2
      order by updated_at desc limit $3`,
    [clientId, scopes, limit],
  );
  return rows.map(({ id }) => id);
}

/** Opens an authorisation before its code is exchanged, with the attempt that may bring its first pair. */
export async function openAuthorisation(db: Queryable, clientId: string) {
  const { rows } = await db.query<{ authorisationId: string; attemptId: string }>(
    `with opened as (
       insert into daybook.authorisation (client_id, kind) values ($1, 'oauth') returning authorisation_id
     )
     insert into daybook.refresh_attempt (authorisation_id, from_generation) select authorisation_id, 0 from opened
     returning authorisation_id as "authorisationId", attempt_id as "attemptId"`,
    [clientId],
  );
  return only(rows);
}

/** Drops an authorisation whose code was not exchanged; one that has a pair stays. */
export async function dropPending(db: Queryable, authorisationId: string): Promise<void> {
  await db.query(`delete from daybook.authorisation where authorisation_id = $1 and status = 'pending'`, [
    authorisationId,
  ]);
}

export interface FirstPair extends Omit<NewPair, 'authorisationId' | 'seenGeneration'> {
  pendingId: string;
  clientId: string;
  xeroUserId: string | null;
}

/**
 * Stores the pair of a consent. The same Xero user consenting again continues the authorisation that is there, revoked
 * or not, so that all its connections move along; the pending one is then dropped. Returns the authorisation that has
 * the pair now.
 */
export async function storeFirstPair(pool: pg.Pool, first: FirstPair): Promise<string> {
  const store = () => inTransaction(pool, (db) => placeFirstPair(db, first));
  return store().catch((error: { code?: string }) => {
    // The same user's other consent was stored in the same moment: now it is there to be continued.
    if (error.code === uniqueViolation) return store();
    throw error;
  });
}

const uniqueViolation = '23505';

async function placeFirstPair(db: Queryable, first: FirstPair): Promise<string> {
  const { rows } = await db.query<{ id: string; generation: number }>(
    `select authorisation_id as id, generation from daybook.authorisation
      where client_id = $1 and xero_userid = $2 for update`,
    [first.clientId, first.xeroUserId],
  );
  const known = rows[0];
  if (known === undefined) {
    await db.query(`update daybook.authorisation set xero_userid = $2 where authorisation_id = $1`, [
      first.pendingId,
      first.xeroUserId,
    ]);
    await appendToken(db, { ...first, authorisationId: first.pendingId, seenGeneration: 0 });
    return first.pendingId;
  }
  await db.query(`update daybook.authorisation set status = 'active' where authorisation_id = $1`, [known.id]);
  await db.query(`update daybook.refresh_attempt set authorisation_id = $2 where attempt_id = $1`, [
    first.attemptId,
    known.id,
  ]);
  await appendToken(db, { ...first, authorisationId: known.id, seenGeneration: known.generation });
  await dropPending(db, first.pendingId);
  return known.id;
}

/** The authorisation of a custom connection (client_credentials): one for each Xero app, made when first asked for. */
export async function ensureCustomAuthorisation(db: Queryable, clientId: string, scopes: string[]): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into daybook.authorisation (client_id, kind, status, scopes) values ($1, 'custom', 'active', $2)
     on conflict (client_id) where kind = 'custom' do update set scopes = excluded.scopes, updated_at = now()
     returning authorisation_id as id`,
    [clientId, scopes],
  );
  return only(rows).id;
}

/**
 * Says that a new consent is needed, unless the chain has moved since `generation` was seen: a pair stored meanwhile
 * proves the opposite. Returns whether it was said.
 */
export async function requireReconnect(db: Queryable, authorisationId: string, generation: number, message: string) {
  const { rowCount } = await db.query(
    `update daybook.authorisation set status = 'needsReconnect', message = $3, updated_at = now()
      where authorisation_id = $1 and generation = $2 and status = 'active'`,
    [authorisationId, generation, message],
  );
  return rowCount === 1;
}

/**
 * What an authorisation is needed for: its `connections`, a `setUp` page that is open, or its `app`, as a custom
 * connection has no consent that could end. Null when nothing in this database needs it.
 */
export type Need = 'connections' | 'setUp' | 'app' | null;

export async function needOf(db: Queryable, authorisationId: string): Promise<Need> {
  const { rows } = await db.query<{ need: Need }>(
    `select case when kind = 'custom' then 'app'
                 when exists (select from daybook.connection c where c.authorisation_id = a.authorisation_id)
                   then 'connections'
                 when exists (select from daybook.web_setup s
                               where s.authorisation_id = a.authorisation_id and s.expires_at > now()) then 'setUp'
            end as need
       from daybook.authorisation a where authorisation_id = $1`,
    [authorisationId],
  );
  return rows[0]?.need ?? null;
}

/** Ends an authorisation for good and removes its tokens. `message` says why a new consent is needed from now on. */
export async function endAuthorisation(db: Queryable, authorisationId: string, message: string): Promise<void> {
  await db.query(
    `update daybook.authorisation set status = 'revoked', message = $2, updated_at = now() where authorisation_id = $1`,
    [authorisationId, message],
  );
  // A statement of its own: one that waited for a pair that was just being stored would not see it.
  await db.query(`update daybook.authorisation_token set sealed = null where authorisation_id = $1`, [authorisationId]);
}

function only<Row>(rows: Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('Postgres returned no row for a statement that always returns one.');
  return row;
}
