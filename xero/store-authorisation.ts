import type pg from 'pg';
import { dropPending, openAuthorisation, storeFirstPair } from '../storage/authorisations.ts';
import type { Finished } from './oauth.ts';
import type { KeyRing } from './sealing.ts';
import type { Secret } from './secret.ts';
import { sealPair } from './token-set.ts';

export type StoredConsent =
  | {
      kind: 'authorised';
      authorisationId: string;
      /** For `connections.list`, to see which organisations the consent is for. */
      accessToken: Secret;
      /** Names the consent's own organisations in that list; null when the access token cannot be read. */
      authEventId: string | null;
    }
  | Exclude<Finished, { kind: 'consented' }>;

/**
 * Completes a consent. The authorisation is written down before `exchange` uses the code, which works once: a database
 * that cannot store the tokens must be found out before. The same Xero user consenting again continues the
 * authorisation that is there. Throws when Postgres fails, never with a token in the error.
 */
export async function storeAuthorisation(deps: {
  pool: pg.Pool;
  clientId: string;
  keys: KeyRing;
  exchange: () => Promise<Finished>;
}): Promise<StoredConsent> {
  const { pool, clientId, keys } = deps;
  const { authorisationId: pendingId, attemptId } = await openAuthorisation(pool, clientId);
  const finished = await deps.exchange();
  if (finished.kind === 'refused') {
    await dropPending(pool, pendingId);
    return finished;
  }
  const { tokens } = finished;
  const authorisationId = await storeFirstPair(pool, {
    pendingId,
    attemptId,
    clientId,
    xeroUserId: tokens.xeroUserId,
    issuedAt: tokens.issuedAt,
    lifeSeconds: tokens.lifeSeconds,
    scopes: tokens.scopes,
    seal: sealPair(keys, clientId, tokens),
  });
  const { accessToken, authEventId } = tokens;
  return { kind: 'authorised', authorisationId, accessToken, authEventId };
}
