import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConnections } from '../../xero/connections.ts';
import { Secret } from '../../xero/secret.ts';
import { problem, startScripted, whole } from './scripted-server.ts';

const accessToken = new Secret('token');
let server: Awaited<ReturnType<typeof startScripted>>;
let connections: ReturnType<typeof createConnections>;
beforeAll(async () => {
  server = await startScripted();
  connections = createConnections({ apiUrl: server.url, timeoutMs: 2_000, now: () => 0 });
});
afterAll(() => server.close());

const first = { id: 'c1', authEventId: 'e1', tenantId: 't1', tenantType: 'ORGANISATION', tenantName: 'Acme' };
const second = { ...first, id: 'c2', authEventId: 'e2', tenantId: 't2', createdDateUtc: '2026-01-01T00:00:00.0000000' };

test('lists the organisations of all consents, each with the consent that made it', async () => {
  server.answer(whole(200, JSON.stringify([first, second])));
  expect(await connections.list({ accessToken })).toMatchObject({
    kind: 'answered',
    connections: [
      { id: 'c1', authEventId: 'e1', createdAt: null },
      { id: 'c2', authEventId: 'e2', createdAt: Date.UTC(2026, 0) },
    ],
  });
  expect(server.seen.at(-1)?.url).toBe('/connections');
});

test('a body that is no list is no answer', async () => {
  for (const body of ['<html/>', '{}', '[{"id":1}]', '']) {
    server.answer(whole(200, body));
    expect(await connections.list({ accessToken })).toMatchObject({ kind: 'unavailable', cause: 'badBody' });
  }
});

test('a name holds nothing that cannot be stored, and an id that does is no answer', async () => {
  const named = (name: string) => ({ ...first, tenantName: name });
  server.answer(whole(200, JSON.stringify([named('Ac\0me\nPty'), named('\0')])));
  expect(await connections.list({ accessToken })).toMatchObject({
    connections: [{ tenantName: 'Ac me Pty' }, { tenantName: 't1' }],
  });
  server.answer(whole(200, JSON.stringify([{ ...first, tenantId: 't\0' }])));
  expect(await connections.list({ accessToken })).toMatchObject({ kind: 'unavailable', cause: 'badBody' });
  server.answer(whole(403, JSON.stringify({ Detail: 'No\0t now\u009b31m' })));
  expect(JSON.stringify(await connections.list({ accessToken }))).not.toMatch(/\\u0000|\u009b/);
});

test('faults are the same values as those of the accounting API', async () => {
  server.answer(whole(401, problem(401, 'TokenExpired: x')));
  expect(await connections.list({ accessToken })).toMatchObject({ kind: 'tokenExpired' });
  server.answer(() => {});
  expect(await connections.list({ accessToken })).toMatchObject({ kind: 'unavailable', cause: 'timeout' });
  server.answer((response) => response.destroy());
  expect(await connections.list({ accessToken })).toMatchObject({ kind: 'unavailable', cause: 'network' });
});

test('removing what is gone is no fault', async () => {
  server.answer(whole(204, ''));
  expect(await connections.remove({ accessToken, id: 'a/b' })).toEqual({ kind: 'deleted' });
  expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', url: '/connections/a%2Fb' });
  server.answer(whole(404, ''));
  expect(await connections.remove({ accessToken, id: 'x' })).toEqual({ kind: 'deleted' });
});
