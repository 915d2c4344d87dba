import { decodeJwt } from 'jose';
import type { KeyRing } from './sealing.ts';
import { Secret } from './secret.ts';

/** What the token endpoint gave. */
export interface TokenSet {
  accessToken: Secret;
  /** Null for client_credentials, and when the answer had none: then the one that was spent stays in use (RFC 6749 §6). */
  refreshToken: Secret | null;
  /** How long the access token lives from now. */
  lifeSeconds: number;
  /** When Xero answered, by its own clock where it said: milliseconds since 1970. */
  issuedAt: number;
  /** Null when the answer does not say. */
  scopes: string[] | null;
  /** Claim of the access token: whose consent this is. Null when the token cannot be read. */
  xeroUserId: string | null;
  /** Claim of the access token: which consent this is, see `XeroConnection.authEventId`. Null as above. */
  authEventId: string | null;
}

/** Xero's access tokens live 30 minutes; taken when neither the answer nor the token says. */
const usualLifeSeconds = 1_800;

export interface TokenBody {
  access_token: string;
  refresh_token?: string | undefined;
  expires_in?: number | undefined;
  scope?: string | undefined;
}

/**
 * Reads the endpoint's answer. The access token's claims are read without checking its signature: it came straight from
 * the token endpoint over TLS, which OpenID Connect Core §3.1.3.7 (6) accepts in its place.
 */
export function readTokenSet(body: TokenBody, issuedAt: number): TokenSet {
  const claims = readClaims(body.access_token);
  const named = (claim: string) => (typeof claims[claim] === 'string' ? (claims[claim] as string) : null);
  const { exp, nbf, iat } = claims;
  const began = nbf ?? iat;
  const life = body.expires_in ?? (exp !== undefined && began !== undefined ? exp - began : usualLifeSeconds);
  const scopes = body.scope ?? claims.scope;
  return {
    accessToken: new Secret(body.access_token),
    refreshToken: body.refresh_token === undefined ? null : new Secret(body.refresh_token),
    lifeSeconds: life,
    issuedAt,
    scopes: Array.isArray(scopes) ? scopes.map(String) : typeof scopes === 'string' ? scopes.split(' ') : null,
    xeroUserId: named('xero_userid'),
    authEventId: named('authentication_event_id'),
  };
}

/** Which consent an access token belongs to, see `XeroConnection.authEventId`; null when it cannot be read. */
export function authEventOf(accessToken: Secret): string | null {
  const { authentication_event_id: event } = readClaims(accessToken.reveal());
  return typeof event === 'string' ? event : null;
}

function readClaims(token: string): Record<string, unknown> & { exp?: number; nbf?: number; iat?: number } {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

/** A pair as it is sealed: together, so that one cannot be exchanged for another's. */
export interface Pair {
  accessToken: Secret;
  refreshToken: Secret | null;
}

const binding = (clientId: string, authorisationId: string, generation: number) =>
  ['daybook-authorisation', clientId, authorisationId, generation] as const;

/** Seals a pair for one place in one chain of one Xero app. */
export function sealPair(keys: KeyRing, clientId: string, pair: Pair) {
  return (authorisationId: string, generation: number): Promise<unknown> =>
    keys.seal(
      JSON.stringify([pair.accessToken.reveal(), pair.refreshToken?.reveal() ?? null]),
      binding(clientId, authorisationId, generation),
    );
}

/** Opens a pair at its place. Throws a sentence when the key is missing, or the row was changed or moved. */
export async function openPair(
  keys: KeyRing,
  clientId: string,
  authorisationId: string,
  { generation, sealed }: { generation: number; sealed: unknown },
): Promise<Pair> {
  const text = await keys.open(sealed, binding(clientId, authorisationId, generation));
  const [access, refresh] = JSON.parse(text) as [string, string | null];
  return { accessToken: new Secret(access), refreshToken: refresh === null ? null : new Secret(refresh) };
}
