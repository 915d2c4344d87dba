import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ensureCustomAuthorisation } from '../../storage/authorisations.ts';
import { Secret } from '../../xero/secret.ts';
import { sealPair } from '../../xero/token-set.ts';
import type { Tokens } from '../../xero/tokens.ts';
import { startTokenStand } from './token-stand.ts';

let stand: Awaited<ReturnType<typeof startTokenStand>>;
beforeAll(async () => {
  stand = await startTokenStand();
});
afterAll(() => stand.stop());
beforeEach(() => {
  stand.sandbox.faults.clear();
  stand.sandbox.tokens.setGrace('sibling');
});

const refreshes = { path: '/connect/token', grantType: 'refresh_token' };
async function generationOf(tokens: Tokens, id: string, notThis?: number): Promise<number> {
  const answer = await tokens.accessToken(id, { notThis });
  if (answer.kind !== 'token') throw new Error(answer.message);
  return answer.generation;
}

test('fifty askers in five processes at expiry make one token call', async () => {
  const id = await stand.authorise();
  await stand.expire(id);
  const processes = Array.from({ length: 5 }, () => stand.process());
  stand.sandbox.faults.add({ match: refreshes, do: { kind: 'delay', ms: 200 } });
  const before = stand.sandbox.tokens.calls;
  const asked = Array.from({ length: 50 }, (_, index) => processes[index % 5]?.accessToken(id));
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ kind: 'token', generation: 2 });
  expect(stand.sandbox.tokens.calls - before).toBe(1);
});

test('a fresh token is served from memory, a stored one without a call', async () => {
  const id = await stand.authorise();
  const before = stand.sandbox.tokens.calls;
  const tokens = stand.process();
  expect(await generationOf(tokens, id)).toBe(1);
  expect(await generationOf(tokens, id)).toBe(1);
  expect(await generationOf(stand.process(), id)).toBe(1);
  expect(stand.sandbox.tokens.calls).toBe(before);
});

test('a token that Xero calls expired is refreshed once, however many say so', async () => {
  const id = await stand.authorise();
  const processes = [stand.process(), stand.process()];
  for (const tokens of processes) await generationOf(tokens, id);
  const before = stand.sandbox.tokens.calls;
  const asked = Array.from({ length: 20 }, (_, index) => processes[index % 2]?.accessToken(id, { notThis: 1 }));
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ kind: 'token', generation: 2 });
  expect(await generationOf(stand.process(), id, 1)).toBe(2);
  expect(stand.sandbox.tokens.calls - before).toBe(1);
});

test('a refresh goes on when its asker stops waiting', async () => {
  const id = await stand.authorise();
  await stand.expire(id);
  stand.sandbox.faults.add({ match: refreshes, do: { kind: 'delay', ms: 150 } });
  const tokens = stand.process();
  await expect(tokens.accessToken(id, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  expect(await generationOf(tokens, id)).toBe(2);
  expect(await stand.row(id)).toMatchObject({ pairs: 2, open: 0 });
});

test('an answer without a refresh token keeps the one that was spent', async () => {
  const id = await stand.authorise();
  stand.sandbox.faults.add({ match: { ...refreshes, times: 1 }, do: { kind: 'noRefreshToken' } });
  expect(await generationOf(stand.process(), id, 1)).toBe(2);
  expect(await generationOf(stand.process(), id, 2)).toBe(3);
});

test('a consent without offline_access is refused at once; one stored without a refresh token ends with its access token', async () => {
  const refused = await stand.consent({}, { ...stand.xero, scopes: ['accounting.settings.read'] });
  expect(refused).toMatchObject({ kind: 'refused', message: expect.stringContaining('offline_access') });
  expect((await stand.pool.query(`select from daybook.authorisation where status = 'pending'`)).rowCount).toBe(0);
  const id = await stand.authorise();
  const pair = { accessToken: new Secret('an access token'), refreshToken: null };
  const sealed = await sealPair(stand.keys, stand.xero.clientId, pair)(id, 1);
  await stand.pool.query(`update daybook.authorisation_token set sealed = $2 where authorisation_id = $1`, [
    id,
    sealed,
  ]);
  await stand.expire(id);
  const answer = await stand.process().accessToken(id);
  expect(answer).toMatchObject({ kind: 'needsReconnect', message: expect.stringContaining('offline_access') });
});

test('a custom connection gets its tokens without a consent', async () => {
  const xero = { ...stand.xero, clientId: 'daybook-sandbox-custom' };
  const id = await ensureCustomAuthorisation(stand.pool, xero.clientId, xero.scopes);
  expect(await ensureCustomAuthorisation(stand.pool, xero.clientId, xero.scopes)).toBe(id);
  expect(await generationOf(stand.process(xero), id)).toBe(1);
  expect(await generationOf(stand.process(xero), id, 1)).toBe(2);
  expect(await stand.process({ ...xero, clientSecret: 'no' }).accessToken(id, { notThis: 2 })).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('XERO_CLIENT_SECRET'),
  });
});

test('what is not there, not completed or another app’s is said in a sentence', async () => {
  const nowhere = '00000000-0000-4000-8000-00000000dead';
  expect(await stand.process().accessToken(nowhere)).toMatchObject({ kind: 'needsReconnect' });
  const id = await stand.authorise();
  const other = stand.process({ ...stand.xero, clientId: 'another-app' });
  expect(await other.accessToken(id)).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('XERO_CLIENT_ID'),
  });
});

test('revoking ends the authorisation here and at Xero; a new consent revives it', async () => {
  const userId = '20000000-0000-4000-8000-000000000001';
  const stored = await stand.consent({ userId });
  if (stored.kind !== 'authorised') throw new Error(stored.message);
  const tokens = stand.process();
  expect(await tokens.revoke(stored.authorisationId)).toBe(true);
  expect(await tokens.accessToken(stored.authorisationId)).toMatchObject({ kind: 'needsReconnect' });
  expect(await stand.consent({ userId })).toMatchObject({ authorisationId: stored.authorisationId });
  expect(await generationOf(tokens, stored.authorisationId)).toBe(2);
});
