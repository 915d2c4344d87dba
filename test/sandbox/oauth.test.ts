import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  caller,
  challengeOf,
  codeFor,
  press,
  REDIRECT,
  refresh,
  sandboxFor,
  tokenRequest,
} from './xero-client.ts';

const exchange = (code: string, more: Record<string, string> = {}) => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: REDIRECT,
  ...more,
});

describe('consent', () => {
  it('shows a page naming the organisations, escaped', async () => {
    const sandbox = await sandboxFor({ organisations: [{ name: '<b>"Maple" & Co</b>' }] });
    const response = await fetch(authorizeUrl(sandbox));
    const html = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(html).toContain('&lt;b&gt;&quot;Maple&quot; &amp; Co&lt;/b&gt;');
    expect(html).toContain('name="action" value="cancel"');
  });

  it('sends the browser back with a code or access_denied, and the state as it was', async () => {
    const sandbox = await sandboxFor();
    const tenants = sandbox.organisations.map((each) => each.tenantId);
    const yes = await press(authorizeUrl(sandbox), 'allow', tenants);
    expect(yes.origin + yes.pathname).toBe(REDIRECT);
    expect([yes.searchParams.get('state'), yes.searchParams.has('code')]).toEqual(['st&te', true]);
    const no = await press(authorizeUrl(sandbox), 'cancel', tenants);
    expect(Object.fromEntries(no.searchParams)).toEqual({ error: 'access_denied', state: 'st&te' });
    expect(new URL(sandbox.consent(authorizeUrl(sandbox))).searchParams.has('code')).toBe(true);
    expect(new URL(sandbox.consent(authorizeUrl(sandbox), { deny: true })).searchParams.get('error')).toBe(
      'access_denied',
    );
  });

  it('does not redirect for an unknown app or a foreign address', async () => {
    const sandbox = await sandboxFor({ allowAnyLoopbackRedirect: false });
    const status = async (more: Record<string, string>) =>
      (await fetch(authorizeUrl(sandbox, more), { redirect: 'manual' })).status;
    expect(await status({})).toBe(200);
    for (const redirect_uri of [
      `${REDIRECT}/`,
      'http://localhost:9/oauth/callback',
      'https://evil.example/',
      'http://127.0.0.1:8088/oauth/callback',
    ]) {
      expect(await status({ redirect_uri })).toBe(400);
    }
    expect(await status({ client_id: 'nobody' })).toBe(400);
    const open = await sandboxFor();
    for (const [redirect_uri, expected] of [
      ['http://localhost:9/any', 200],
      ['http://localhost.evil.example/', 400],
    ] as const) {
      expect((await fetch(authorizeUrl(open, { redirect_uri }))).status).toBe(expected);
    }
  });

  it('redirects with the OAuth error for a wrong scope, response type or challenge method', async () => {
    const sandbox = await sandboxFor();
    const error = async (more: Record<string, string>) =>
      (await press(authorizeUrl(sandbox, more), 'allow', [])).searchParams.get('error');
    expect(await error({ scope: 'offline_access accounting.everything' })).toBe('invalid_scope');
    expect(await error({ scope: '' })).toBe('invalid_scope');
    expect(await error({ response_type: 'token' })).toBe('unsupported_response_type');
    expect(await error({ code_challenge: 'x', code_challenge_method: 'plain' })).toBe('invalid_request');
  });
});

describe('the token endpoint', () => {
  it('gives Xero’s tokens: signed, with its claims, lasting 30 minutes', async () => {
    const sandbox = await sandboxFor();
    const { status, json } = await tokenRequest(sandbox, exchange(await codeFor(sandbox, { nonce: 'n1' })));
    expect([status, json.token_type, json.expires_in]).toEqual([200, 'Bearer', 1800]);
    const discovery = await (await fetch(`${sandbox.identityUrl}/.well-known/openid-configuration`)).json();
    expect(discovery).toMatchObject({ issuer: sandbox.url, token_endpoint: `${sandbox.identityUrl}/connect/token` });
    const jwks = createLocalJWKSet(
      (await (await fetch((discovery as { jwks_uri: string }).jwks_uri)).json()) as JSONWebKeySet,
    );
    const access = await jwtVerify(json.access_token, jwks, {
      issuer: sandbox.url,
      audience: `${sandbox.url}/resources`,
    });
    expect(access.payload).toMatchObject({
      client_id: sandbox.clientId,
      xero_userid: expect.any(String),
      authentication_event_id: expect.any(String),
      scope: ['openid', 'offline_access', 'accounting.journals.read', 'accounting.settings.read'],
    });
    const id = await jwtVerify(json.id_token, jwks, { issuer: sandbox.url, audience: sandbox.clientId });
    expect(id.payload).toMatchObject({ nonce: 'n1', email: expect.any(String) });
    const connections = await caller(sandbox, 0, json.access_token)('/connections');
    expect(connections.json[0].authEventId).toBe(access.payload.authentication_event_id);
  });

  it('states lifetimes in real seconds when time is scaled', async () => {
    const sandbox = await sandboxFor({ timeScale: 60 });
    const { json } = await tokenRequest(sandbox, exchange(await codeFor(sandbox)));
    expect(json.expires_in).toBe(30);
    sandbox.advance(31);
    expect((await caller(sandbox, 0, json.access_token)('Accounts')).json.Detail).toContain('TokenExpired');
  });

  it('takes a code once, within five minutes, for the same address and verifier', async () => {
    const sandbox = await sandboxFor();
    const code = await codeFor(sandbox);
    expect((await tokenRequest(sandbox, exchange(code))).status).toBe(200);
    expect((await tokenRequest(sandbox, exchange(code))).json).toEqual({ error: 'invalid_grant' });
    const late = await codeFor(sandbox);
    sandbox.advance(301);
    expect((await tokenRequest(sandbox, exchange(late))).json).toEqual({ error: 'invalid_grant' });
    const elsewhere = exchange(await codeFor(sandbox), { redirect_uri: 'http://localhost:1/x' });
    expect((await tokenRequest(sandbox, elsewhere)).status).toBe(400);
    const pkce = { code_challenge: challengeOf('verifier-1'), code_challenge_method: 'S256' };
    for (const [more, status] of [
      [{ code_verifier: 'verifier-1' }, 200],
      [{ code_verifier: 'other' }, 400],
      [{}, 400],
    ] as const) {
      expect((await tokenRequest(sandbox, exchange(await codeFor(sandbox, pkce), more))).status).toBe(status);
    }
    const native = { client_id: 'daybook-sandbox-native', ...pkce };
    const answer = await tokenRequest(
      sandbox,
      exchange(await codeFor(sandbox, native), { code_verifier: 'verifier-1' }),
      { id: native.client_id },
    );
    expect(answer.status).toBe(200);
  });

  it('answers OAuth’s errors', async () => {
    const sandbox = await sandboxFor();
    const asked = async (form: Record<string, string>, as?: { id: string; secret?: string }) => {
      const { status, json } = await tokenRequest(sandbox, form, as);
      return [status, json.error];
    };
    expect(await asked({ grant_type: 'refresh_token', refresh_token: 'x' })).toEqual([400, 'invalid_grant']);
    expect(await asked({ grant_type: 'refresh_token' }, { id: sandbox.clientId, secret: 'wrong' })).toEqual([
      401,
      'invalid_client',
    ]);
    expect(await asked({ grant_type: 'refresh_token' }, { id: sandbox.clientId })).toEqual([400, 'invalid_client']);
    expect(await asked({ grant_type: 'password' })).toEqual([400, 'unsupported_grant_type']);
    expect(await asked({ grant_type: 'client_credentials' })).toEqual([400, 'unauthorized_client']);
    const body = {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
    };
    const response = await fetch(`${sandbox.identityUrl}/connect/token`, {
      method: 'POST',
      body: new URLSearchParams(body),
    });
    expect(await response.json()).toEqual({ error: 'invalid_grant' });
  });

  it('serves a custom connection: one organisation, no tenant header, no refresh token', async () => {
    const sandbox = await sandboxFor();
    const custom = { id: 'daybook-sandbox-custom', secret: 'sandbox-secret' };
    const { json } = await tokenRequest(
      sandbox,
      { grant_type: 'client_credentials', scope: 'accounting.settings.read' },
      custom,
    );
    expect(json.refresh_token).toBeUndefined();
    expect((await caller(sandbox, 0, json.access_token)('Organisation', { 'xero-tenant-id': null })).status).toBe(200);
    const wrong = await tokenRequest(sandbox, { grant_type: 'client_credentials', scope: 'everything' }, custom);
    expect(wrong.json).toEqual({ error: 'invalid_scope' });
  });

  it('gives no refresh token without offline_access', async () => {
    const sandbox = await sandboxFor();
    const { json } = await tokenRequest(
      sandbox,
      exchange(await codeFor(sandbox, { scope: 'accounting.journals.read' })),
    );
    expect([json.refresh_token, json.id_token]).toEqual([undefined, undefined]);
  });

  it('drops every connection of the user when the refresh token is revoked', async () => {
    const sandbox = await sandboxFor({ organisations: 2 });
    const tokens = sandbox.tokens.mint();
    const body = new URLSearchParams({
      token: tokens.refresh_token ?? '',
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
    });
    const response = await fetch(`${sandbox.identityUrl}/connect/revocation`, { method: 'POST', body });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect((await refresh(sandbox, tokens.refresh_token ?? '')).json).toEqual({ error: 'invalid_grant' });
    expect((await caller(sandbox, 1, tokens.access_token)('Accounts')).status).toBe(403);
    expect((await caller(sandbox, 1, tokens.access_token)('/connections')).json).toEqual([]);
  });
});

describe('/connections', () => {
  it('lists all of the user’s organisations, or those of one consent; deletes one once', async () => {
    const sandbox = await sandboxFor({ organisations: 2 });
    const [one = '', two = ''] = sandbox.organisations.map((each) => each.tenantId);
    const first = sandbox.tokens.mint({ tenantIds: [one] });
    const second = sandbox.tokens.mint({ tenantIds: [two] });
    const get = caller(sandbox, 0, second.access_token);
    const all = (await get('/connections')).json;
    expect(all.map((each: { tenantId: string }) => each.tenantId)).toEqual([one, two]);
    expect(all[0]).toMatchObject({ tenantType: 'ORGANISATION', authEventId: first.authEventId });
    expect(all[0].createdDateUtc).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}$/);
    expect((await get(`/connections?authEventId=${second.authEventId}`)).json).toEqual([all[1]]);
    const remove = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${second.access_token}` };
      return (await fetch(`${sandbox.apiUrl}/connections/${all[0].id}`, { method: 'DELETE', headers })).status;
    };
    expect([await remove(), await remove()]).toEqual([204, 404]);
    expect((await get('Accounts')).status).toBe(403);
    sandbox.advance(5);
    sandbox.tokens.mint({ tenantIds: [one] });
    const again = (await get('/connections')).json[0];
    expect(again.createdDateUtc).toBe(all[0].createdDateUtc);
    expect(again.updatedDateUtc > again.createdDateUtc).toBe(true);
  });
});
