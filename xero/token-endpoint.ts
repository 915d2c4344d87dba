import * as oauth from 'openid-client';
import type { XeroApp } from '../model/xero-app.ts';
import { readComplaint } from './fault-bodies.ts';
import { requirePrivate } from './private-hosts.ts';
import { Secret, scrub } from './secret.ts';
import { readTokenSet, type TokenSet } from './token-set.ts';
import { userAgent } from './transport.ts';

/**
 * What became of a token request. `uncertain`: Xero may have rotated the token although no answer came. `refused`: it
 * certainly has not, and may answer otherwise later. Messages are sentences without secrets.
 */
export type EndpointAnswer =
  | { kind: 'tokens'; tokens: TokenSet }
  | { kind: 'invalidGrant' | 'invalidScope' | 'misconfigured' | 'refused' | 'uncertain'; message: string };

type TokenFault = Exclude<EndpointAnswer, { kind: 'tokens' }>;
type Heard = { status: number; issuedAt: number; text: string } | { failure: string; sent: boolean } | null;

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;

/** Failures of a connection that was never made: the request cannot have arrived. */
const unsent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Xero's identity server through openid-client, with explicit endpoints instead of discovery: neither discovery nor a
 * key set needs to be there. One POST for each call, no repetition, 20 s: abandoning a refresh early is what makes
 * answers uncertain in the first place (xero-node gives up after 3.5 s).
 */
export function createTokenEndpoint(xero: XeroApp, now: () => number, timeoutSeconds = 20) {
  requirePrivate('XERO_IDENTITY_URL', xero.identityUrl, xero.allowHttp);
  const secret = new Secret(xero.clientSecret);
  // As Xero documents it: base64 of "client_id:client_secret". openid-client would percent-encode both first (RFC 6749
  // §2.3.1), which servers that follow Xero's page to the letter do not undo.
  const basic = new Secret(Buffer.from(`${xero.clientId}:${secret.reveal()}`).toString('base64'));

  function configure(hear: (heard: Heard) => void, redirectUri?: string): oauth.Configuration {
    const server = {
      issuer: xero.identityUrl,
      token_endpoint: `${xero.identityUrl}/connect/token`,
      revocation_endpoint: `${xero.identityUrl}/connect/revocation`,
    };
    const authenticate: oauth.ClientAuth = (_server, _client, _body, headers) =>
      headers.set('authorization', `Basic ${basic.reveal()}`);
    const config = new oauth.Configuration(server, xero.clientId, undefined, authenticate);
    // Only where it was found private above.
    if (new URL(xero.identityUrl).protocol === 'http:') oauth.allowInsecureRequests(config);
    config.timeout = timeoutSeconds;
    config[oauth.customFetch] = async (url, options) => {
      try {
        const headers = { ...options.headers, 'user-agent': userAgent };
        // openid-client would send it as a URL writes it, with a slash behind the host, say. Xero compares it with the one that the
        // consent was asked with (RFC 6749, 4.1.3).
        if (redirectUri !== undefined && options.body instanceof URLSearchParams)
          options.body.set('redirect_uri', redirectUri);
        const response = await fetch(url, { ...options, headers } as RequestInit);
        const text = await response.text();
        const date = Date.parse(response.headers.get('date') ?? '');
        hear({ status: response.status, issuedAt: Number.isNaN(date) ? now() : date, text });
        return withoutIdToken(response.status, text);
      } catch (error) {
        hear(readFailure(error, timeoutSeconds));
        throw error;
      }
    };
    return config;
  }

  async function post(
    run: (config: oauth.Configuration) => Promise<oauth.TokenEndpointResponse>,
    secrets: Secret[],
    redirectUri?: string,
  ): Promise<EndpointAnswer> {
    let heard: Heard = null;
    const hear = (what: Heard) => {
      heard = what;
    };
    const config = configure(hear, redirectUri);
    try {
      const response = await run(config);
      return {
        kind: 'tokens',
        tokens: readTokenSet(response, (heard as { issuedAt: number } | null)?.issuedAt ?? now()),
      };
    } catch {
      // Cleaned before it is shortened for a message, as half a secret would not be recognised.
      return sort(heard, xero.identityUrl, (text) => scrub(text, basic, secret, ...secrets));
    }
  }

  return {
    /** Spends a refresh token. Once sent, it is waited for: there is no signal to cancel it by. */
    refresh(refreshToken: Secret): Promise<EndpointAnswer> {
      return post((config) => oauth.refreshTokenGrant(config, refreshToken.reveal()), [refreshToken]);
    },
    /** A token for a custom connection; its scopes go as `scope`, which xero-node gets wrong. */
    clientCredentials(scopes: string[]): Promise<EndpointAnswer> {
      const scope = scopes.filter((name) => !['offline_access', 'openid', 'profile', 'email'].includes(name)).join(' ');
      return post((config) => oauth.clientCredentialsGrant(config, scope === '' ? {} : { scope }), []);
    },
    /** Exchanges the code of a consent. `callback` is the configured redirect address with the callback's query. */
    exchangeCode(callback: URL, state: string, codeVerifier: string): Promise<EndpointAnswer> {
      const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
      const code = new Secret(callback.searchParams.get('code') ?? '');
      const secrets = [code, new Secret(codeVerifier)];
      return post((config) => oauth.authorizationCodeGrant(config, callback, checks), secrets, xero.redirectUri);
    },
    /** Revokes a refresh token, and with it ALL connections of that Xero user to this app. False when Xero did not. */
    async revoke(refreshToken: Secret): Promise<boolean> {
      const config = configure(() => {});
      return oauth.tokenRevocation(config, refreshToken.reveal()).then(
        () => true,
        () => false,
      );
    },
  };
}

/** We never use an id_token, and a server whose issuer or keys differ from the configured ones must not fail for it. */
function withoutIdToken(status: number, text: string): Response {
  const body = parse(text);
  if (body !== null) delete body.id_token;
  const empty = status === 204 || status === 205 || status === 304;
  const headers = { 'content-type': body === null ? 'text/plain' : 'application/json' };
  return new Response(empty ? null : body === null ? text : JSON.stringify(body), { status, headers });
}

function sort(heard: Heard, host: string, clean: (text: string) => string): TokenFault {
  const there = `Xero's token endpoint (${host})`;
  if (heard === null) return { kind: 'refused', message: `The request to ${there} could not be made.` };
  if ('failure' in heard) {
    const kind = heard.sent ? 'uncertain' : 'refused';
    return { kind, message: `${there} gave no answer: ${clean(heard.failure)}.` };
  }
  const { status } = heard;
  const text = clean(heard.text);
  const error = parse(text)?.error;
  const complaint = readComplaint(text);
  const said = `(${status}${complaint === '' ? '' : `: ${complaint}`})`;
  if (status >= 500 || status < 300) return { kind: 'uncertain', message: `${there} gave no usable answer ${said}.` };
  if (error === 'invalid_grant')
    return { kind: 'invalidGrant', message: `${there} does not accept the token or code ${said}.` };
  if (error === 'invalid_scope') {
    return {
      kind: 'invalidScope',
      message: `${there} does not give this app the scopes in XERO_SCOPES ${said}. accounting.journals.read needs the Advanced tier and Xero's approval.`,
    };
  }
  if (error === 'invalid_client' || error === 'unauthorized_client' || status === 401) {
    return {
      kind: 'misconfigured',
      message: `${there} does not accept this app ${said}. Check XERO_CLIENT_ID and XERO_CLIENT_SECRET; the authorisations themselves are untouched.`,
    };
  }
  return { kind: 'refused', message: `${there} refused for now ${said}.` };
}

function readFailure(error: unknown, timeoutSeconds: number): { failure: string; sent: boolean } {
  const { name, message, cause } = error instanceof Error ? error : new Error('unknown fault');
  if (name === 'TimeoutError' || name === 'AbortError') {
    return { failure: `nothing came within ${timeoutSeconds} s`, sent: true };
  }
  const { code, message: reason } = (cause ?? {}) as { code?: string; message?: string };
  return { failure: reason || code || message, sent: code === undefined || !unsent.has(code) };
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
