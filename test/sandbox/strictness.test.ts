import { describe, expect, it } from 'vitest';
import { caller, sandboxFor } from './xero-client.ts';

describe('the API refuses in Xero’s dialects', () => {
  it('bad tokens: 401, saying which', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    for (const authorization of [null, 'Bearer nonsense', 'Basic abc']) {
      const { status, json } = await get('Journals', { authorization });
      expect([status, json.Detail]).toEqual([401, 'AuthenticationUnsuccessful']);
    }
    sandbox.tokens.expireAccessTokens();
    const { status, json } = await get('Journals');
    expect(status).toBe(401);
    expect(json.Detail).toMatch(/^TokenExpired: token expired at \d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d$/);
  });

  it('missing scope or tier: 401 AuthorizationUnsuccessful with WWW-Authenticate', async () => {
    const sandbox = await sandboxFor();
    const token = sandbox.tokens.mint({ scopes: ['accounting.settings.read'] }).access_token;
    const { status, json, headers } = await caller(sandbox, 0, token)('Journals');
    expect([status, json.Detail, headers.get('www-authenticate')]).toEqual([
      401,
      'AuthorizationUnsuccessful',
      'insufficent_scope',
    ]);
    expect((await caller(sandbox, 0, token)('Accounts')).status).toBe(200);
    const starter = caller(await sandboxFor({ tier: 'core' }));
    expect((await starter('Journals')).json.Detail).toBe('AuthorizationUnsuccessful');
    expect((await starter('Accounts')).status).toBe(200);
  });

  it('no tenant, another’s tenant, a disconnected tenant: 403 AuthenticationUnsuccessful', async () => {
    const sandbox = await sandboxFor({ organisations: 2 });
    const [one, two] = sandbox.organisations.map((each) => each.tenantId);
    const token = sandbox.tokens.mint({ tenantIds: [one ?? ''] }).access_token;
    const get = caller(sandbox, 0, token);
    for (const tenant of [null, two ?? '', 'nonsense']) {
      const { status, json } = await get('Journals', { 'xero-tenant-id': tenant });
      expect([status, json.Title, json.Detail]).toEqual([403, 'Forbidden', 'AuthenticationUnsuccessful']);
    }
    expect((await get('Journals')).status).toBe(200);
    sandbox.disconnect(one ?? '');
    expect((await get('Journals')).status).toBe(403);
  });

  it('unknown, repeated or badly formed parameters: 400 ValidationException', async () => {
    const get = caller(await sandboxFor());
    for (const query of [
      'offset=abc',
      'offset=-1',
      'offset=1.5',
      'offset=',
      'offset=1&offset=2',
      'where=x',
      'paymentsOnly=1',
      'Offset=1',
    ]) {
      const { status, json } = await get(`Journals?${query}`);
      expect([query, status, json.Type, json.ErrorNumber]).toEqual([query, 400, 'ValidationException', 10]);
    }
    expect((await get('Contacts?page=0')).status).toBe(400);
    expect((await get('Accounts?offset=1')).status).toBe(400);
  });

  it('other methods: 405; other paths: 404; no Accept: XML, refused', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    for (const method of ['POST', 'HEAD', 'DELETE', 'PUT']) {
      expect((await fetch(`${sandbox.apiUrl}/api.xro/2.0/Journals`, { method })).status).toBe(405);
    }
    for (const path of ['Quotes', 'journals', 'Journals/1/History', '']) expect((await get(path)).status).toBe(404);
    expect((await get('/nowhere')).status).toBe(404);
    const { status, text } = await get('Journals', { accept: '*/*' });
    expect([status, text.slice(0, 5)]).toEqual([406, '<?xml']);
  });

  it('compresses when asked, and only then', async () => {
    const get = caller(await sandboxFor());
    expect((await get('Journals', { 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBe('gzip');
    expect((await get('Journals', { 'accept-encoding': 'identity' })).headers.get('content-encoding')).toBeNull();
  });
});

describe('reference data', () => {
  it('accounts: every class, an archived one, a bank account without a code, If-Modified-Since', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    const accounts: Record<string, string>[] = (await get('Accounts?order=Name ASC')).json.Accounts;
    expect(new Set(accounts.map((each) => each.Class))).toEqual(
      new Set(['ASSET', 'EQUITY', 'EXPENSE', 'LIABILITY', 'REVENUE']),
    );
    expect(accounts.some((each) => each.Status === 'ARCHIVED')).toBe(true);
    expect(accounts.some((each) => each.Type === 'BANK' && each.Code === undefined)).toBe(true);
    const used = Object.keys(sandbox.organisations[0]?.books.summary().sumsByAccountId ?? {});
    expect(accounts.map((each) => each.AccountID)).toEqual(expect.arrayContaining(used));
    const since = { 'If-Modified-Since': '2026-11-21T00:00:00' };
    expect((await get('Accounts', since)).json.Accounts).toEqual([]);
  });

  it('tracking categories hide archived ones unless asked; contacts page', async () => {
    const get = caller(await sandboxFor());
    const [some, all] = [await get('TrackingCategories'), await get('TrackingCategories?includeArchived=true')];
    expect(some.json.TrackingCategories).toHaveLength(2);
    expect(all.json.TrackingCategories).toHaveLength(3);
    const { json } = await get('Contacts?page=2&pageSize=50&includeArchived=true');
    expect(json.pagination).toEqual({ page: 2, pageSize: 50, pageCount: 3, itemCount: 137 });
    expect(json.Contacts).toHaveLength(50);
  });
});
