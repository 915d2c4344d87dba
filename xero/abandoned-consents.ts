import type pg from 'pg';
import {
  type AbandonedConsent,
  connectedTenants,
  forgetAbandoned,
  isAbandoned,
  listAbandoned,
} from '../storage/abandoned-consents.ts';
import { createConnections } from './connections.ts';
import type { TokenLog } from './refresh.ts';
import { authEventOf } from './token-set.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  pool: pg.Pool;
  apiUrl: string;
  now: () => number;
  log: TokenLog;
  tokens: Pick<Tokens, 'accessToken' | 'revoke'>;
}

/** Xero makes the link as the user allows it, and its code lives five minutes before it is exchanged. */
const beforeTheExchangeMs = 10 * 60_000;

/** What became of a consent at Xero; null: it could not be told, or somebody has use for it, so it stays. */
type Ended = { atXero: 'revoked' | 'ended' | 'kept' | 'nothing'; organisations: string[] } | null;

/**
 * Ends consents of which no connection was made: the links that they made at Xero, then the tokens. What that Xero user had
 * linked to this app before stays, as another installation may live on it; the tokens are then forgotten here only, for
 * Xero's revocation would end those links too. What cannot be told to Xero now stays for the next time. Returns how many.
 */
export async function endAbandoned(deps: Deps): Promise<number> {
  let count = 0;
  for (const consent of await listAbandoned(deps.pool)) {
    const { authorisationId } = consent;
    try {
      const ended = consent.alive ? await endAtXero(deps, consent) : { atXero: 'nothing', organisations: [] };
      if (ended === null || !(await forgetAbandoned(deps.pool, authorisationId, ended))) continue;
      deps.log.info({ authorisationId, ...ended }, 'Ended a consent of which no connection was made');
      count += 1;
    } catch (error) {
      const reason = (error as Error).message;
      deps.log.warn({ authorisationId, reason }, 'A consent of which no connection was made could not be ended yet');
    }
  }
  return count;
}

async function endAtXero(deps: Deps, { authorisationId, since }: AbandonedConsent): Promise<Ended> {
  const { pool, tokens, log } = deps;
  const unheard = (reason: string): null => {
    log.warn(
      { authorisationId, reason },
      'Xero could not be told yet to end a consent of which no connection was made',
    );
    return null;
  };
  const token = await tokens.accessToken(authorisationId);
  if (token.kind === 'unavailable') return unheard(token.message);
  if (token.kind === 'needsReconnect') return { atXero: 'nothing', organisations: [] };
  const { accessToken } = token;
  const connections = createConnections({ apiUrl: deps.apiUrl, now: deps.now, timeoutMs: 20_000 });
  const answer = await connections.list({ accessToken });
  if (answer.kind !== 'answered') return unheard(answer.message);
  const ours = await connectedTenants(pool);
  // Another installation may share the app: what the same Xero user allowed there, before or since, is of another consent.
  const event = authEventOf(accessToken);
  const made = answer.connections.filter(
    ({ tenantId, createdAt, authEventId }) =>
      event !== null &&
      authEventId === event &&
      createdAt !== null &&
      since !== null &&
      createdAt >= since - beforeTheExchangeMs &&
      !ours.includes(tenantId),
  );
  for (const { id } of made) {
    if (!(await isAbandoned(pool, authorisationId))) return null;
    const removed = await connections.remove({ accessToken, id });
    if (removed.kind !== 'deleted') return unheard(removed.message);
  }
  const organisations = made.map(({ tenantName }) => tenantName);
  if (made.length < answer.connections.length) {
    return { atXero: made.length > 0 ? 'ended' : 'kept', organisations };
  }
  if (!(await isAbandoned(pool, authorisationId))) return null;
  // Without links its tokens reach nothing; that they are revoked as well is tidiness.
  return { atXero: (await tokens.revoke(authorisationId)) ? 'revoked' : 'ended', organisations };
}
