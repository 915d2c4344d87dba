import * as oauth from 'openid-client';
import { describe, expect, it } from 'vitest';
import { AccountingApi } from 'xero-node';
import { press, REDIRECT, sandboxFor } from './xero-client.ts';

describe('programs that know nothing of the sandbox get along with it', () => {
  it('openid-client: discovery, PKCE, nonce and state checked, refresh, revocation', async () => {
    const sandbox = await sandboxFor();
    const config = await oauth.discovery(
      new URL(sandbox.identityUrl),
      sandbox.clientId,
      undefined,
      oauth.ClientSecretBasic(sandbox.clientSecret),
      { execute: [oauth.allowInsecureRequests] },
    );
    const verifier = oauth.randomPKCECodeVerifier();
    const address = oauth.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT,
      scope: 'openid offline_access accounting.journals.read',
      state: 's1',
      nonce: 'n1',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const back = await press(address.href, 'allow', [sandbox.organisations[0]?.tenantId ?? '']);
    const checks = { pkceCodeVerifier: verifier, expectedState: 's1', expectedNonce: 'n1', idTokenExpected: true };
    const tokens = await oauth.authorizationCodeGrant(config, back, checks);
    expect([tokens.expires_in, tokens.claims()?.iss]).toEqual([1800, sandbox.url]);
    const next = await oauth.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    await oauth.tokenRevocation(config, next.refresh_token ?? '');
    await expect(oauth.refreshTokenGrant(config, next.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('xero-node: journals with If-Modified-Since, accounts, organisation, and an empty 429', async () => {
    const sandbox = await sandboxFor({ limits: { day: 4 } });
    const api = new AccountingApi(`${sandbox.apiUrl}/api.xro/2.0`);
    api.accessToken = sandbox.tokens.mint().access_token;
    const tenantId = sandbox.organisations[0]?.tenantId ?? '';
    const { body, response } = await api.getJournals(tenantId, new Date('2024-01-01T00:00:00.123Z'), 100, false);
    expect(body.journals).toHaveLength(100);
    expect(response.headers['x-minlimit-remaining']).toBe('59');
    expect((await api.getAccounts(tenantId)).body.accounts?.length).toBeGreaterThan(30);
    expect((await api.getOrganisations(tenantId)).body.organisations?.[0]?.organisationID).toBe(tenantId);
    expect(
      (await api.getTrackingCategories(tenantId, undefined, undefined, true)).body.trackingCategories,
    ).toHaveLength(3);
    const refused = await api.getContacts(tenantId).catch((error: unknown) => JSON.parse(String(error)));
    expect(refused.response).toMatchObject({ statusCode: 429, body: '', headers: { 'x-rate-limit-problem': 'day' } });
  });
});
