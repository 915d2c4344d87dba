import type { ServerResponse } from 'node:http';
import type { CallRecorder } from '../calls.ts';
import type { Clock } from '../clock.ts';
import { deliver } from '../delivery.ts';
import { methodNotAllowed, notFound } from '../dialects.ts';
import { type Answer, bodyText, type Exchange, headerOf, jsonAnswer } from '../exchange.ts';
import type { FaultPlayer } from '../faults.ts';
import type { ClientApp } from '../options.ts';
import type { Authorisations } from './authorisations.ts';
import type { Authorize } from './authorize.ts';
import type { SigningKey } from './keys.ts';
import { clientOf } from './token-endpoint.ts';

export interface IdentityServer {
  readonly url: () => string;
  readonly clock: Clock;
  readonly calls: CallRecorder;
  readonly faults: FaultPlayer;
  readonly zip: boolean;
  readonly clients: readonly ClientApp[];
  readonly scopes: readonly string[];
  readonly key: SigningKey;
  readonly authorisations: Authorisations;
  readonly authorize: Authorize;
  readonly token: (exchange: Exchange, form: URLSearchParams) => Answer;
}

const DISCOVERY = '/.well-known/openid-configuration';
const JWKS = '/.well-known/openid-configuration/jwks';

function discovery(url: string, scopes: readonly string[]): Answer {
  return jsonAnswer(200, {
    issuer: url,
    jwks_uri: `${url}${JWKS}`,
    authorization_endpoint: `${url}/identity/connect/authorize`,
    token_endpoint: `${url}/connect/token`,
    revocation_endpoint: `${url}/connect/revocation`,
    scopes_supported: scopes,
    claims_supported: [],
    grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    id_token_signing_alg_values_supported: ['RS256'],
    subject_types_supported: ['public'],
    code_challenge_methods_supported: ['S256'],
  });
}

function revoke(server: IdentityServer, exchange: Exchange, form: URLSearchParams): Answer {
  const client = clientOf(exchange, form, server.clients);
  if ('status' in client) return client;
  const held = server.authorisations;
  const token = held.refreshToken(form.get('token') ?? '');
  const authorisation = token && held.byEvent(token.authEventId);
  // An unknown token is answered alike (RFC 7009 §2.2).
  if (authorisation?.clientId === client.clientId) held.revoke(authorisation);
  return { status: 200 };
}

/** True when the identity server has the path. */
export const isIdentityPath = (path: string): boolean =>
  path.startsWith(DISCOVERY) || path.startsWith('/identity/connect/') || path.startsWith('/connect/');

/** Answers discovery, keys, consent, token and revocation. */
export async function answerIdentity(
  server: IdentityServer,
  exchange: Exchange,
  response: ServerResponse,
): Promise<void> {
  const { clock } = server;
  const call = server.calls.begin({
    method: exchange.method,
    path: exchange.path,
    // Codes, states and tokens stand in these queries; the log needs none of them.
    query: '',
    appId: null,
    tenantId: null,
    ifModifiedSince: null,
    inFlight: 0,
  });
  response.once('close', () => {
    call.endedAt = clock.wall();
  });
  const text = exchange.method === 'POST' ? await bodyText(exchange.request) : '';
  const form = new URLSearchParams(text);
  const struck = server.faults.strike(exchange, null, form.get('grant_type') ?? undefined);
  const work = (): Answer => {
    const key = `${exchange.method} ${exchange.path}`;
    if (key === `GET ${DISCOVERY}`) return discovery(server.url(), server.scopes);
    if (key === `GET ${JWKS}`) return jsonAnswer(200, server.key.jwks);
    if (key === 'GET /identity/connect/authorize') return server.authorize.show(exchange.query, exchange.queryText);
    if (key === 'POST /identity/connect/authorize') {
      const allow = form.get('action') === 'allow';
      return server.authorize.decide(exchange.query, exchange.queryText, { allow, tenantIds: form.getAll('tenant') });
    }
    if (key === 'POST /connect/token') return server.token(exchange, form);
    if (key === 'POST /connect/revocation') return revoke(server, exchange, form);
    return exchange.path === '/connect/token' ? methodNotAllowed() : notFound();
  };
  const zip = server.zip && headerOf(exchange, 'accept-encoding') !== undefined;
  return deliver(exchange, response, call, work, struck, { zip, now: clock.now() });
}
