import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { oauthError } from '../dialects.ts';
import { type Answer, type Exchange, headerOf, jsonAnswer } from '../exchange.ts';
import type { ClientApp, GraceVariant, TokenLifetimes } from '../options.ts';
import type { Authorisations } from './authorisations.ts';
import type { TokenAnswer, TokenMint } from './tokens.ts';

export interface TokenRules {
  readonly clients: readonly ClientApp[];
  readonly scopes: readonly string[];
  readonly lifetimes: TokenLifetimes;
  grace: GraceVariant;
  readonly reuseKillsAuthorisation: boolean;
  /** The organisation of a custom connection that names none. */
  readonly firstTenantId: string;
}

/** One request to the token endpoint: the history a checker reads (connections-and-reliability.md §2.4, T6). */
export interface TokenEvent {
  readonly at: number;
  readonly grantType: string;
  readonly presented: string | null;
  readonly issued: string | null;
  readonly accessToken: string | null;
  readonly idToken: string | null;
  /** The PKCE code verifier it came with. */
  readonly verifier: string | null;
  readonly authEventId: string | null;
  /** `ok` or the OAuth error. */
  readonly outcome: string;
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
};

/** The app that a request authenticates as, or the error to answer. HTTP Basic or body parameters (RFC 6749 §2.3). */
export function clientOf(exchange: Exchange, form: URLSearchParams, clients: readonly ClientApp[]): ClientApp | Answer {
  const header = headerOf(exchange, 'authorization');
  let id = form.get('client_id') ?? '';
  let secret = form.get('client_secret') ?? undefined;
  const basic = header === undefined ? undefined : /^Basic\s+([\w+/=-]+)$/i.exec(header)?.[1];
  if (basic !== undefined) {
    const pair = Buffer.from(basic, 'base64').toString('utf8');
    id = decode(pair.slice(0, Math.max(0, pair.indexOf(':'))));
    secret = decode(pair.slice(pair.indexOf(':') + 1));
  }
  const client = clients.find((each) => each.clientId === id);
  if (client && client.clientSecret === secret) return client;
  return basic === undefined
    ? oauthError(400, 'invalid_client')
    : oauthError(401, 'invalid_client', { 'www-authenticate': 'Basic realm="sandbox"' });
}

type Outcome = { answer: Answer; issued?: TokenAnswer; authEventId?: string; error?: string };

/** Decides what a token request gets. */
export function tokenEndpoint(
  rules: TokenRules,
  clock: Clock,
  held: Authorisations,
  mint: TokenMint,
  log: (event: TokenEvent) => void,
) {
  const refuse = (error: string, status = 400): Outcome => ({ answer: oauthError(status, error), error });
  const give = (issued: TokenAnswer, authEventId?: string): Outcome => ({
    answer: jsonAnswer(200, issued, { 'cache-control': 'no-store', pragma: 'no-cache' }),
    issued,
    ...(authEventId === undefined ? {} : { authEventId }),
  });

  function fromCode(client: ClientApp, form: URLSearchParams): Outcome {
    const grant = held.findCode(form.get('code') ?? '');
    if (!grant || grant.authorisation.clientId !== client.clientId) return refuse('invalid_grant');
    const fresh = !grant.used && clock.now() < grant.expiresAt && !grant.authorisation.revoked;
    grant.used = true;
    if (!fresh || form.get('redirect_uri') !== grant.redirectUri) return refuse('invalid_grant');
    const verifier = form.get('code_verifier');
    if (grant.challenge !== undefined) {
      const hashed = createHash('sha256')
        .update(verifier ?? '')
        .digest('base64url');
      if (verifier === null || hashed !== grant.challenge) return refuse('invalid_grant');
    } else if (verifier !== null) return refuse('invalid_grant');
    return give(mint.issue(grant.authorisation), grant.authorisation.authEventId);
  }

  function fromRefreshToken(client: ClientApp, form: URLSearchParams): Outcome {
    const presented = held.refreshToken(form.get('refresh_token') ?? '');
    const authorisation = presented && held.byEvent(presented.authEventId);
    if (!presented || !authorisation || authorisation.clientId !== client.clientId) return refuse('invalid_grant');
    const now = clock.now();
    const idle = now - presented.issuedAt >= clock.realMs(rules.lifetimes.refreshTokenIdle);
    if (authorisation.revoked || presented.revoked || (idle && presented.usedAt === undefined))
      return refuse('invalid_grant');
    if (presented.usedAt !== undefined) {
      const inGrace = now - presented.usedAt < clock.realMs(rules.lifetimes.grace);
      if (rules.grace === 'none' || !inGrace) {
        if (rules.reuseKillsAuthorisation) held.revoke(authorisation);
        return refuse('invalid_grant');
      }
    }
    const asked = form.get('scope')?.split(' ').filter(Boolean);
    if (asked?.some((scope) => !authorisation.scopes.includes(scope))) return refuse('invalid_scope');
    const last = presented.successors.at(-1);
    if (presented.usedAt !== undefined && rules.grace === 'same' && last) {
      const again = mint.issue({
        ...authorisation,
        scopes: authorisation.scopes.filter((scope) => scope !== 'offline_access'),
      });
      return give(
        { ...again, refresh_token: last.refreshToken, scope: authorisation.scopes.join(' ') },
        authorisation.authEventId,
      );
    }
    if (presented.usedAt !== undefined && rules.grace === 'latestWins') {
      for (const each of presented.successors) {
        const older = held.refreshToken(each.refreshToken);
        if (older) older.revoked = true;
      }
    }
    presented.usedAt ??= now;
    const issued = mint.issue(authorisation, asked);
    presented.successors.push({ accessToken: issued.access_token, refreshToken: issued.refresh_token ?? '' });
    held.saved();
    return give(issued, authorisation.authEventId);
  }

  function forApp(client: ClientApp, form: URLSearchParams): Outcome {
    if (client.kind !== 'custom') return refuse('unauthorized_client');
    const identity = ['openid', 'profile', 'email', 'offline_access'];
    const allowed = rules.scopes.filter((scope) => !identity.includes(scope));
    const asked = form.get('scope')?.split(' ').filter(Boolean) ?? allowed;
    if (asked.some((scope) => !allowed.includes(scope))) return refuse('invalid_scope');
    return give(mint.issueForApp(client.clientId, client.tenantId ?? rules.firstTenantId, asked));
  }

  return function answerTokenRequest(exchange: Exchange, form: URLSearchParams): Answer {
    const grantType = form.get('grant_type') ?? '';
    const client = clientOf(exchange, form, rules.clients);
    let outcome: Outcome;
    if ('status' in client) outcome = { answer: client, error: 'invalid_client' };
    else if (!(headerOf(exchange, 'content-type') ?? '').startsWith('application/x-www-form-urlencoded'))
      outcome = refuse('invalid_request');
    else if (grantType === 'authorization_code') outcome = fromCode(client, form);
    else if (grantType === 'refresh_token') outcome = fromRefreshToken(client, form);
    else if (grantType === 'client_credentials') outcome = forApp(client, form);
    else outcome = refuse(grantType === '' ? 'invalid_request' : 'unsupported_grant_type');
    log({
      at: clock.wall(),
      grantType,
      presented: form.get('refresh_token') ?? form.get('code'),
      issued: outcome.issued?.refresh_token ?? null,
      accessToken: outcome.issued?.access_token ?? null,
      idToken: outcome.issued?.id_token ?? null,
      verifier: form.get('code_verifier'),
      authEventId: outcome.authEventId ?? null,
      outcome: outcome.error ?? 'ok',
    });
    return outcome.answer;
  };
}
