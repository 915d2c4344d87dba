import * as oauth from 'openid-client';
import type { XeroApp } from '../model/xero-app.ts';
import { requirePrivate } from './private-hosts.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';
import type { TokenSet } from './token-set.ts';

/** A consent on its way. `state` and `codeVerifier` must be kept until the callback, which brings back the state. */
export interface Consent {
  /** Where the admin's browser goes. */
  address: string;
  state: string;
  codeVerifier: string;
}

export interface Callback {
  /** The whole address that Xero sent the browser back to. */
  callbackUrl: string;
  state: string;
  codeVerifier: string;
}

type RefusalReason =
  | 'accessDenied'
  | 'stateMismatch'
  | 'invalidScope'
  | 'codeRejected'
  | 'misconfigured'
  | 'unavailable';

/** What came of a consent: tokens, or the sentence for the person who tried. */
export type Finished =
  | { kind: 'consented'; tokens: TokenSet }
  | { kind: 'refused'; reason: RefusalReason; message: string };

/** The authorisation code flow with PKCE (S256) and a state of 256 bits. */
export function createOAuth({ xero, now, endpoint }: { xero: XeroApp; now: () => number; endpoint?: TokenEndpoint }) {
  requirePrivate('XERO_LOGIN_URL', xero.loginUrl, xero.allowHttp);
  const tokens = endpoint ?? createTokenEndpoint(xero, now);

  return {
    async begin(): Promise<Consent> {
      const state = oauth.randomState();
      const codeVerifier = oauth.randomPKCECodeVerifier();
      const address = new URL(`${xero.loginUrl}/identity/connect/authorize`);
      address.search = new URLSearchParams({
        response_type: 'code',
        client_id: xero.clientId,
        redirect_uri: xero.redirectUri,
        scope: xero.scopes.join(' '),
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      }).toString();
      return { address: address.href, state, codeVerifier };
    },

    /** Checks the callback and exchanges its code, which works once: store what comes of it, see `storeAuthorisation`. */
    async finish({ callbackUrl, state, codeVerifier }: Callback): Promise<Finished> {
      const { searchParams } = new URL(callbackUrl, xero.redirectUri);
      if (searchParams.get('state') !== state) return refusals.stateMismatch();
      const error = searchParams.get('error');
      if (error !== null) return readError(error, searchParams.get('error_description'));
      // The registered address, not the one the browser used: behind a proxy they differ, and Xero compares.
      const callback = new URL(xero.redirectUri);
      // Without `iss`: there is one server, and the one configured need not call itself by its address.
      for (const name of ['code', 'state']) callback.searchParams.set(name, searchParams.get(name) ?? '');
      if (callback.searchParams.get('code') === '') return refusals.codeRejected('The callback has no code.');
      const answer = await tokens.exchangeCode(callback, state, codeVerifier);
      switch (answer.kind) {
        case 'tokens':
          if (answer.tokens.refreshToken === null) return refusals.unrefreshable();
          return { kind: 'consented', tokens: answer.tokens };
        case 'invalidGrant':
          return refusals.codeRejected(answer.message);
        case 'invalidScope':
        case 'misconfigured':
          return { kind: 'refused', reason: answer.kind, message: answer.message };
        default:
          return { kind: 'refused', reason: 'unavailable', message: `${answer.message} Connect again in a moment.` };
      }
    },
  };
}

const refusals = {
  stateMismatch: () =>
    ({
      kind: 'refused',
      reason: 'stateMismatch',
      message:
        'This callback does not belong to the consent that was begun here, so its code was not used. Begin again, in one browser.',
    }) as const,
  unrefreshable: () =>
    ({
      kind: 'refused',
      reason: 'misconfigured',
      message:
        'Xero gave no refresh token, so the connection would end in half an hour. Add offline_access to XERO_SCOPES, and begin again.',
    }) as const,
  codeRejected: (why: string) =>
    ({
      kind: 'refused',
      reason: 'codeRejected',
      message: `${why} A consent's code works once and for 5 minutes. Begin again.`,
    }) as const,
};

function readError(error: string, description: string | null): Finished {
  const said = description === null || description === '' ? error : `${error}: ${description.slice(0, 300)}`;
  if (error === 'access_denied') {
    return {
      kind: 'refused',
      reason: 'accessDenied',
      message: 'The consent was declined in Xero, so nothing is connected. Begin again.',
    };
  }
  if (error === 'invalid_scope' || error === 'unauthorized_client') {
    return {
      kind: 'refused',
      reason: error === 'invalid_scope' ? 'invalidScope' : 'misconfigured',
      message: `Xero does not give this app what it asks for (${said}). Compare XERO_SCOPES with the Xero app: accounting.journals.read needs the Advanced tier and Xero's approval (security assessment and use case).`,
    };
  }
  return {
    kind: 'refused',
    reason: 'unavailable',
    message: `Xero did not complete the consent (${said}). Begin again.`,
  };
}
