import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { TokenLifetimes } from '../options.ts';
import type { Authorisations } from './authorisations.ts';
import type { SigningKey } from './keys.ts';
import type { Authorisation } from './state.ts';

/** What an access token allows, as the API needs to know it. */
export interface Access {
  readonly clientId: string;
  /** Absent for a custom connection, which has no user. */
  readonly userId?: string;
  readonly authEventId?: string;
  /** For a custom connection: its one organisation. */
  readonly tenantId?: string;
  readonly scopes: readonly string[];
  /** On the sandbox's clock: ms. */
  expiresAt: number;
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  /** Real seconds. */
  expires_in: number;
  scope: string;
  id_token?: string;
  refresh_token?: string;
}

type TokenCheck = { ok: true; access: Access } | { ok: false; expiredAt?: number };

/** Makes and checks tokens; it decides nothing about who may have them. */
export interface TokenMint {
  /** A new access token, with a refresh token when offline_access was granted. */
  issue(authorisation: Authorisation, scopes?: readonly string[]): TokenAnswer;
  issueForApp(clientId: string, tenantId: string, scopes: string[]): TokenAnswer;
  check(token: string): TokenCheck;
  /** Every access token given out so far counts as expired from now on. */
  expireAll(): void;
  readonly issued: number;
}

const KEPT = 20_000;

export function tokenMint(
  issuer: () => string,
  key: SigningKey,
  clock: Clock,
  lifetimes: TokenLifetimes,
  held: Authorisations,
): TokenMint {
  const known = new Map<string, Access>();
  let issued = 0;
  let noneBefore = 0;
  // Never below a second: `expires_in` counts whole ones, and 0 would say that the token is dead on arrival.
  const lifeMs = (xeroSeconds: number): number => Math.max(1000, Math.floor(clock.realMs(xeroSeconds) / 1000) * 1000);

  function accessToken(
    access: Omit<Access, 'expiresAt'>,
    authorisation?: Authorisation,
  ): { token: string; seconds: number } {
    const life = lifeMs(lifetimes.accessToken);
    const at = Math.floor(clock.wall() / 1000);
    const token = key.signJwt({
      iss: issuer(),
      aud: `${issuer()}/resources`,
      nbf: at,
      iat: at,
      exp: at + life / 1000,
      client_id: access.clientId,
      ...(authorisation
        ? {
            sub: createHash('md5').update(authorisation.userId).digest('hex'),
            auth_time: Math.floor(authorisation.consentedAt / 1000),
            xero_userid: authorisation.userId,
            global_session_id: authorisation.sessionId,
            authentication_event_id: authorisation.authEventId,
          }
        : { tenant_id: access.tenantId }),
      jti: randomUUID().replaceAll('-', '').toUpperCase(),
      scope: access.scopes,
    });
    known.set(token, { ...access, expiresAt: clock.now() + life });
    issued++;
    if (known.size > KEPT) for (const old of [...known.keys()].slice(0, KEPT / 2)) known.delete(old);
    return { token, seconds: life / 1000 };
  }

  function idToken(authorisation: Authorisation, access: string): string {
    const at = Math.floor(clock.wall() / 1000);
    return key.signJwt({
      iss: issuer(),
      aud: authorisation.clientId,
      nbf: at,
      iat: at,
      exp: at + lifeMs(lifetimes.idToken) / 1000,
      at_hash: createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url'),
      sid: authorisation.sessionId,
      sub: createHash('md5').update(authorisation.userId).digest('hex'),
      auth_time: Math.floor(authorisation.consentedAt / 1000),
      idp: 'local',
      amr: ['pwd'],
      xero_userid: authorisation.userId,
      global_session_id: authorisation.sessionId,
      preferred_username: 'robin@example.com',
      email: 'robin@example.com',
      given_name: 'Robin',
      family_name: 'Ledger',
      ...(authorisation.nonce === undefined ? {} : { nonce: authorisation.nonce }),
    });
  }

  return {
    get issued() {
      return issued;
    },
    issue(authorisation, scopes = authorisation.scopes) {
      const { clientId, userId, authEventId } = authorisation;
      const { token, seconds } = accessToken({ clientId, userId, authEventId, scopes }, authorisation);
      const answer: TokenAnswer = {
        access_token: token,
        token_type: 'Bearer',
        expires_in: seconds,
        scope: scopes.join(' '),
      };
      if (scopes.includes('openid')) answer.id_token = idToken(authorisation, token);
      if (authorisation.scopes.includes('offline_access')) {
        answer.refresh_token = randomBytes(32).toString('base64url');
        held.addRefreshToken({ token: answer.refresh_token, authEventId, issuedAt: clock.now(), successors: [] });
      }
      return answer;
    },
    issueForApp(clientId, tenantId, scopes) {
      const { token, seconds } = accessToken({ clientId, tenantId, scopes });
      return { access_token: token, token_type: 'Bearer', expires_in: seconds, scope: scopes.join(' ') };
    },
    check(token) {
      const now = clock.now();
      let access = known.get(token);
      if (!access) {
        // Signed by a sandbox of before a restart, or pushed out of memory: the claims say all there is to know.
        const claims = key.readJwt(token);
        if (!claims || typeof claims.exp !== 'number' || !Array.isArray(claims.scope)) return { ok: false };
        access = {
          clientId: String(claims.client_id),
          scopes: claims.scope as string[],
          expiresAt: Math.max(claims.exp * 1000, 0),
          ...(claims.xero_userid === undefined
            ? { tenantId: String(claims.tenant_id) }
            : { userId: String(claims.xero_userid), authEventId: String(claims.authentication_event_id) }),
        };
        if (claims.iat !== undefined && Number(claims.iat) * 1000 < noneBefore - 1000) access.expiresAt = 0;
        known.set(token, access);
      }
      return access.expiresAt > now
        ? { ok: true, access }
        : { ok: false, expiredAt: Math.min(access.expiresAt || now, now) };
    },
    expireAll() {
      noneBefore = clock.wall();
      for (const access of known.values()) access.expiresAt = clock.now();
    },
  };
}
