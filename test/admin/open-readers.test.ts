import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { disconnect } from '../../admin/disconnect.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { setQuotaReserve } from '../../admin/quota-reserve.ts';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { addApplication, removeApplication } from '../../storage/applications.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// A notebook without autocommit reads a view of a connection once, and keeps its transaction open over lunch.

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;
let reader: pg.Client;
let role: string;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ journals: 5 })]);
  const tokenKeys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  place = { pool: database.pool, xero: sandboxSettings(sandbox), tokenKeys, actor: 'robin', now: () => Date.now() };
  const password = drawPassword();
  const application = { name: 'planning', actor: 'robin', verifier: scramVerifier(password) };
  role = (await addApplication(database.pool, application)) ?? '';
  const url = new URL(database.url);
  [url.username, url.password] = [role, password];
  reader = new pg.Client({ connectionString: url.href, application_name: 'notebook' });
  // The removal of the application ends its sessions.
  reader.on('error', () => {});
  await reader.connect();
});
afterAll(async () => {
  await removeApplication(database.pool, { name: 'planning', actor: 'robin' });
  const readers = (await rows('select daybook.readers_role() as name'))[0]?.name;
  await database.pool.query(`drop owned by ${readers}; drop role ${readers}`);
  await sandbox.close();
  await database.drop();
});
beforeEach(async () => {
  await connect();
  await reader.query('begin');
  await reader.query('select * from xero_acme.journal');
});

const rows = async (sql: string) => (await database.pool.query(sql)).rows;
const connect = () =>
  connectOrganisation(place, { name: 'acme', applications: ['planning'] }, async (address) => sandbox.consent(address));
const schemas = async () => (await rows(`select nspname from pg_namespace where nspname = 'xero_acme'`)).length;
const linked = async () => {
  const { access_token: token } = sandbox.tokens.mint({ tenantIds: [] });
  const answer = await fetch(`${sandbox.apiUrl}/connections`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as unknown[]).length;
};

test('a reader’s open transaction holds up neither a reconnect nor a setting of the connection', {
  timeout: 10_000,
}, async () => {
  await connect();
  await setQuotaReserve(place, 'acme', 700);
  expect(await rows('select quota_reserve from daybook.connection')).toEqual([{ quota_reserve: 700 }]);
  await reader.query('commit');
  expect((await reader.query('select * from xero_acme.journal')).rows).toEqual([]);
});

test('what removes the connection names the reader, ends its access, and is finished when it is given again', {
  timeout: 15_000,
}, async () => {
  await reader.query('savepoint here');
  const refused = await disconnect(place, 'acme').catch((error: Error) => error);
  expect(refused).toMatchObject({ name: 'ActRefused' });
  expect(refused.message).toMatch(/^"acme" is not removed yet, as its schema "xero_acme" is held/);
  const { pid } = (await rows(`select pid from pg_stat_activity where application_name = 'notebook'`))[0] ?? {};
  expect(refused.message).toContain(`process ${pid} (${role}, notebook)`);
  // What was done is done, and said; nothing of it is lost.
  expect(refused.message).toContain('It is disconnected at Xero.');
  expect(await linked()).toBe(0);
  expect(await schemas()).toBe(1);
  expect(await rows('select * from daybook.connection_application')).toEqual([]);
  await expect(reader.query('select * from xero_acme.journal')).rejects.toThrow('permission denied');
  const acts = () => rows('select act, before from daybook.audit order by audit_id desc limit 1');
  expect(await acts()).toMatchObject([{ act: 'deny', before: { applications: ['planning'] } }]);

  await reader.query('rollback');
  expect(await disconnect(place, 'acme')).toMatchObject({ atXero: 'ended' });
  expect(await schemas()).toBe(0);
  expect(await acts()).toMatchObject([{ act: 'disconnect', before: { applications: [] } }]);
  expect(await rows('select status from daybook.authorisation')).toEqual([{ status: 'revoked' }]);
});
