import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAuthorisation } from '../../storage/authorisations.ts';
import { createConnections } from '../../xero/connections.ts';
import { createOAuth } from '../../xero/oauth.ts';
import { storeAuthorisation } from '../../xero/store-authorisation.ts';
import { startScripted, whole } from './scripted-server.ts';
import { startTokenStand } from './token-stand.ts';

let stand: Awaited<ReturnType<typeof startTokenStand>>;
beforeAll(async () => {
  stand = await startTokenStand();
});
afterAll(() => stand.stop());

test('a consent is asked for with PKCE, state and the configured scopes', async () => {
  const oauth = createOAuth({ xero: stand.xero, now: stand.now });
  const [first, second] = [await oauth.begin(), await oauth.begin()];
  const { origin, pathname, searchParams } = new URL(first.address);
  expect(origin + pathname).toBe(`${stand.sandbox.url}/identity/connect/authorize`);
  expect(Object.fromEntries(searchParams)).toEqual({
    response_type: 'code',
    client_id: stand.xero.clientId,
    redirect_uri: stand.xero.redirectUri,
    scope: stand.xero.scopes.join(' '),
    state: first.state,
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  });
  expect(first.state).toMatch(/^[\w-]{43}$/);
  expect(first.state).not.toBe(second.state);
  expect(first.codeVerifier).not.toBe(second.codeVerifier);
});

test('a consent ends in a stored authorisation and its own organisations', async () => {
  const tenantId = stand.sandbox.organisations[1]?.tenantId ?? '';
  const stored = await stand.consent({ tenantIds: [tenantId] });
  if (stored.kind !== 'authorised') throw new Error(stored.message);
  expect((await findAuthorisation(stand.pool, stored.authorisationId))?.scopes).toContain('accounting.journals.read');
  expect(stored.authEventId).toMatch(/^[\w-]{36}$/);
  const connections = createConnections({ apiUrl: stand.sandbox.apiUrl, now: stand.now });
  const listed = await connections.list({ accessToken: stored.accessToken });
  if (listed.kind !== 'answered') throw new Error(listed.message);
  expect(listed.connections.filter(({ authEventId }) => authEventId === stored.authEventId)).toMatchObject([
    { tenantId, tenantType: 'ORGANISATION' },
  ]);
  const token = await stand.process().accessToken(stored.authorisationId);
  expect(token).toMatchObject({ kind: 'token', generation: 1 });
});

test('the same user consenting again continues the same authorisation', async () => {
  const userId = '10000000-0000-4000-8000-000000000001';
  const first = await stand.consent({ userId });
  const again = await Promise.all([stand.consent({ userId }), stand.consent({ userId })]);
  if (first.kind !== 'authorised') throw new Error(first.message);
  for (const each of again) expect(each).toMatchObject({ kind: 'authorised', authorisationId: first.authorisationId });
  expect(await stand.row(first.authorisationId)).toMatchObject({ generation: 3, status: 'active', open: 0 });
});

test('two first consents of one user in the same moment become one authorisation', async () => {
  const userId = '10000000-0000-4000-8000-000000000002';
  const both = await Promise.all([stand.consent({ userId }), stand.consent({ userId }), stand.consent({ userId })]);
  expect(new Set(both.map((each) => each.kind === 'authorised' && each.authorisationId)).size).toBe(1);
});

test('a declined consent is a value, and leaves nothing behind', async () => {
  const before = await stand.pool.query('select count(*) from daybook.authorisation');
  expect(await stand.consent({ deny: true })).toMatchObject({ kind: 'refused', reason: 'accessDenied' });
  expect((await stand.pool.query('select count(*) from daybook.authorisation')).rows).toEqual(before.rows);
});

test('a scope that the app lacks is explained', async () => {
  const xero = { ...stand.xero, scopes: ['accounting.nonsense'] };
  expect(await stand.consent({}, xero)).toMatchObject({
    kind: 'refused',
    reason: 'invalidScope',
    message: expect.stringMatching(/XERO_SCOPES.*Advanced tier/),
  });
});

test('a callback of another consent is refused, and its code is not spent', async () => {
  const oauth = createOAuth({ xero: stand.xero, now: stand.now });
  const { address, state, codeVerifier } = await oauth.begin();
  const callbackUrl = stand.sandbox.consent(address);
  const calls = stand.sandbox.tokens.calls;
  for (const wrong of ['', 'x', `${state}x`]) {
    expect(await oauth.finish({ callbackUrl, state: wrong, codeVerifier })).toMatchObject({ reason: 'stateMismatch' });
  }
  expect(stand.sandbox.tokens.calls).toBe(calls);
  expect(await oauth.finish({ callbackUrl, state, codeVerifier })).toMatchObject({ kind: 'consented' });
  expect(await oauth.finish({ callbackUrl, state, codeVerifier })).toMatchObject({ reason: 'codeRejected' });
});

test('a wrong secret is the configuration’s fault, not the consent’s', async () => {
  const refused = await stand.consent({}, { ...stand.xero, clientSecret: 'wrong-secret' });
  expect(refused).toMatchObject({ reason: 'misconfigured', message: expect.stringContaining('XERO_CLIENT_SECRET') });
  expect(JSON.stringify(refused)).not.toContain('wrong-secret');
});

test('the code is not exchanged when the database cannot store the tokens', async () => {
  const broken = { query: () => Promise.reject(new Error('database is down')) } as unknown as typeof stand.pool;
  let exchanged = false;
  const stored = storeAuthorisation({
    pool: broken,
    clientId: 'x',
    keys: stand.keys,
    exchange: async () => {
      exchanged = true;
      return { kind: 'refused', reason: 'unavailable', message: '' };
    },
  });
  await expect(stored).rejects.toThrow('database is down');
  expect(exchanged).toBe(false);
});

test('opaque tokens, no discovery, a foreign id_token and a callback with iss do not stand in the way', async () => {
  const server = await startScripted();
  const xero = {
    ...stand.xero,
    identityUrl: server.url,
    loginUrl: server.url,
    clientId: 'app-1',
    clientSecret: 'a_b-c.d~',
  };
  const body = {
    access_token: 'opaque',
    refresh_token: 'r',
    token_type: 'Bearer',
    expires_in: '1800',
    id_token: 'a.b.c',
  };
  server.answer(whole(200, JSON.stringify(body), { 'content-type': 'text/plain' }));
  const oauth = createOAuth({ xero, now: stand.now });
  const { state, codeVerifier } = await oauth.begin();
  const callbackUrl = `https://proxy.example/else/where?code=c&state=${state}&iss=https%3A%2F%2Fidentity.xero.com&session_state=s`;
  expect(await oauth.finish({ callbackUrl, state, codeVerifier })).toMatchObject({
    kind: 'consented',
    tokens: { lifeSeconds: 1800, xeroUserId: null, authEventId: null, scopes: null },
  });
  const [sent] = server.seen;
  expect(sent?.url).toBe('/connect/token');
  expect(sent?.headers.authorization).toBe(`Basic ${Buffer.from('app-1:a_b-c.d~').toString('base64')}`);
  expect(Object.fromEntries(new URLSearchParams(sent?.body))).toEqual({
    grant_type: 'authorization_code',
    code: 'c',
    redirect_uri: xero.redirectUri,
    code_verifier: codeVerifier,
  });
  expect(server.seen).toHaveLength(1);
  await server.close();
});

test.each(['http://localhost:5000', 'https://daybook.example:443/callback', 'https://daybook.example/callback?env=a'])(
  'a code is exchanged with the very redirect address that the consent was asked with: %s',
  async (redirectUri) => {
    const server = await startScripted();
    const xero = { ...stand.xero, identityUrl: server.url, loginUrl: server.url, redirectUri };
    server.answer(whole(200, JSON.stringify({ access_token: 'a', refresh_token: 'r', token_type: 'Bearer' })));
    const oauth = createOAuth({ xero, now: stand.now });
    const { address, state, codeVerifier } = await oauth.begin();
    const callbackUrl = `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}code=c&state=${state}`;
    expect(await oauth.finish({ callbackUrl, state, codeVerifier })).toMatchObject({ kind: 'consented' });
    expect(new URL(address).searchParams.get('redirect_uri')).toBe(redirectUri);
    expect(new URLSearchParams(server.seen[0]?.body).get('redirect_uri')).toBe(redirectUri);
    await server.close();
  },
);

test('tokens never travel in the clear', () => {
  const xero = { ...stand.xero, identityUrl: 'http://identity.example' };
  expect(() => createOAuth({ xero, now: stand.now })).toThrow(/XERO_IDENTITY_URL.*https/);
  const simulator = { ...xero, loginUrl: 'http://xero-sim:9100', identityUrl: 'http://xero-sim:9100' };
  expect(() => createOAuth({ xero: simulator, now: stand.now })).toThrow(/XERO_ALLOW_HTTP=true/);
  expect(() => createOAuth({ xero: { ...simulator, allowHttp: true }, now: stand.now })).not.toThrow();
  const own = { ...simulator, allowHttp: true, identityUrl: 'http://identity.xero.com' };
  expect(() => createOAuth({ xero: own, now: stand.now })).toThrow(/XERO_IDENTITY_URL.*https/);
});
