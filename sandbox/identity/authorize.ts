import type { Clock } from '../clock.ts';
import { type Answer, htmlAnswer } from '../exchange.ts';
import type { ClientApp } from '../options.ts';
import type { Authorisations } from './authorisations.ts';
import { authorizeErrorPage, consentPage } from './consent-page.ts';

export interface AuthorizeRules {
  readonly clients: readonly ClientApp[];
  readonly scopes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly allowAnyLoopbackRedirect: boolean;
  readonly codeSeconds: number;
  readonly organisations: readonly { tenantId: string; name: string }[];
  /** The user who consents when no other is named. */
  readonly userId: string;
}

interface Decision {
  allow: boolean;
  tenantIds: string[];
  userId?: string;
}

type Checked = { redirect: (params: Record<string, string>) => string; scopes: string[]; client: ClientApp };

/** The authorize endpoint: what to show, and where to send the browser once decided. */
export interface Authorize {
  show(query: URLSearchParams, queryText: string): Answer;
  decide(query: URLSearchParams, queryText: string, decision: Decision): Answer;
}

export function authorizeEndpoint(rules: AuthorizeRules, clock: Clock, held: Authorisations): Authorize {
  const redirectTo = (location: string): Answer => ({
    status: 302,
    headers: { location, 'cache-control': 'no-store' },
  });

  const single = (query: URLSearchParams): boolean => (query.get('acr_values') ?? '').includes('bulk_connect:false');

  function mayRedirect(uri: string): boolean {
    if (rules.redirectUris.includes(uri)) return true;
    // Xero takes http for localhost only, and not for 127.0.0.1 (xero-api.md §5).
    return rules.allowAnyLoopbackRedirect && /^http:\/\/localhost(:\d{1,5})?(\/[^#]*)?$/.test(uri);
  }

  function check(query: URLSearchParams): Checked | Answer {
    const client = rules.clients.find((each) => each.clientId === query.get('client_id') && each.kind !== 'custom');
    if (!client)
      return htmlAnswer(400, authorizeErrorPage('unauthorized_client', 'There is no app with this client_id.'));
    const uri = query.get('redirect_uri') ?? '';
    if (!mayRedirect(uri)) {
      return htmlAnswer(
        400,
        authorizeErrorPage('invalid_request', `Invalid redirect_uri: "${uri}" is not one of the app's.`),
      );
    }
    const state = query.get('state');
    const redirect = (params: Record<string, string>): string => {
      const target = new URL(uri);
      for (const [name, value] of Object.entries(params)) target.searchParams.set(name, value);
      if (state !== null) target.searchParams.set('state', state);
      return target.href;
    };
    const refuse = (error: string): Answer => redirectTo(redirect({ error }));
    if (query.get('response_type') !== 'code') return refuse('unsupported_response_type');
    const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
    if (scopes.length === 0 || scopes.some((scope) => !rules.scopes.includes(scope))) return refuse('invalid_scope');
    const challenge = query.get('code_challenge');
    if (challenge !== null && query.get('code_challenge_method') !== 'S256') return refuse('invalid_request');
    if (challenge === null && client.kind === 'native') return refuse('invalid_request');
    return { redirect, scopes, client };
  }

  function show(query: URLSearchParams, queryText: string, error?: string): Answer {
    const checked = check(query);
    if ('status' in checked) return checked;
    const body = consentPage({
      query: queryText,
      clientId: checked.client.clientId,
      scopes: checked.scopes,
      organisations: rules.organisations,
      single: single(query),
      ...(error === undefined ? {} : { error }),
    });
    return htmlAnswer(error === undefined ? 200 : 400, body);
  }

  return {
    show: (query, queryText) => show(query, queryText),
    decide(query, queryText, decision) {
      const checked = check(query);
      if ('status' in checked) return checked;
      if (!decision.allow) return redirectTo(checked.redirect({ error: 'access_denied' }));
      const unknown = decision.tenantIds.find((id) => !rules.organisations.some((each) => each.tenantId === id));
      if (unknown !== undefined) return show(query, queryText, `There is no organisation ${unknown}.`);
      if (decision.tenantIds.length === 0) return show(query, queryText, 'Choose at least one organisation.');
      if (single(query) && decision.tenantIds.length > 1) return show(query, queryText, 'Choose one organisation.');
      const nonce = query.get('nonce');
      const challenge = query.get('code_challenge');
      const authorisation = held.grant({
        clientId: checked.client.clientId,
        userId: decision.userId ?? rules.userId,
        scopes: checked.scopes,
        tenantIds: decision.tenantIds,
        ...(nonce === null ? {} : { nonce }),
      });
      const code = held.issueCode({
        authorisation,
        redirectUri: query.get('redirect_uri') ?? '',
        expiresAt: clock.now() + clock.realMs(rules.codeSeconds),
        ...(challenge === null ? {} : { challenge }),
      });
      return redirectTo(checked.redirect({ code, scope: checked.scopes.join(' ') }));
    },
  };
}
