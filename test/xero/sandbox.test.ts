import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { createXeroApi, type XeroApi } from '../../xero/api.ts';
import { Secret } from '../../xero/secret.ts';

let sandbox: Sandbox;
let api: XeroApi;
let call: { tenantId: string; accessToken: Secret };
beforeAll(async () => {
  sandbox = await startSandbox({ journals: 350, print: () => {} });
  api = createXeroApi({ apiUrl: sandbox.apiUrl, timeoutMs: 5_000, now: () => Date.now() });
  const tenantId = sandbox.organisations[0]?.tenantId ?? '';
  call = { tenantId, accessToken: new Secret(sandbox.tokens.mint().access_token) };
});
afterAll(async () => {
  api.close();
  await sandbox.close();
});

test('a whole ledger by offset, ending with an empty page', async () => {
  let offset = 0;
  let journals = 0;
  for (;;) {
    const page = await api.journals({ ...call, offset });
    if (page.kind !== 'answered') throw new Error(page.message);
    expect(page.limits.minuteRemaining).not.toBeNull();
    if (page.lastNumber === null) break;
    expect(page.firstNumber).toBeGreaterThan(offset);
    journals += page.count;
    offset = page.lastNumber;
  }
  expect(journals).toBe(sandbox.organisations[0]?.books.count);
});

test('reference data', async () => {
  expect(await api.organisation(call)).toMatchObject({ kind: 'answered', count: 1 });
  for (const answer of [await api.accounts(call), await api.trackingCategories(call)]) {
    expect(answer.kind === 'answered' && answer.count).toBeGreaterThan(0);
  }
});

test('a token’s end, an organisation’s end and the tier’s limits are told apart', async () => {
  expect(await api.journals({ ...call, tenantId: 'ffffffff-0000-4000-8000-000000000000', offset: 0 })).toMatchObject({
    kind: 'disconnected',
  });
  expect(await api.journals({ ...call, accessToken: new Secret('nonsense'), offset: 0 })).toMatchObject({
    kind: 'tokenRejected',
  });
  const narrow = sandbox.tokens.mint({ scopes: ['accounting.settings.read'] });
  const reader = { ...call, accessToken: new Secret(narrow.access_token), offset: 0 };
  expect(await api.journals(reader)).toMatchObject({ kind: 'notEntitled' });
  sandbox.tokens.expireAccessTokens();
  expect(await api.journals({ ...call, offset: 0 })).toMatchObject({ kind: 'tokenExpired' });
});
