import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { changeAccess } from '../../admin/applications.ts';
import { connectOrganisation } from '../../admin/connect.ts';
import { disconnect } from '../../admin/disconnect.ts';
import { suggestName } from '../../admin/names.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ organisations: 2, journals: 5 })]);
  const tokenKeys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  place = { pool: database.pool, xero: sandboxSettings(sandbox), tokenKeys, actor: 'robin', now: () => Date.now() };
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});
beforeEach(() => database.pool.query('truncate daybook.connection, daybook.authorisation, daybook.audit cascade'));

const tenant = (index: number) => sandbox.organisations[index]?.tenantId ?? '';
const connect = (name: string, index: number) =>
  connectOrganisation(place, { name, applications: ['planning'], tenantId: tenant(index) }, async (address) =>
    sandbox.consent(address, { tenantIds: [tenant(index)] }),
  );
const rows = async (sql: string) => (await database.pool.query(sql)).rows;
const acts = () => rows('select actor, act, subject, before, after from daybook.audit order by audit_id');
const statuses = async () => (await rows('select status from daybook.authorisation')).map(({ status }) => status);

test('every act is written down: who, what, before and after', async () => {
  await connect('acme', 0);
  await changeAccess(place, 'acme', (present) => [...present, 'bi']);
  await changeAccess(place, 'acme', (present) => present.filter((each) => each !== 'planning'));
  await connect('acme', 0);
  await disconnect(place, 'acme');
  const both = { applications: ['bi', 'planning'] };
  expect(await acts()).toMatchObject([
    { actor: 'robin', act: 'connect', subject: 'acme', before: null, after: { tenantId: tenant(0) } },
    { act: 'allow', before: { applications: ['planning'] }, after: both },
    { act: 'deny', before: both, after: { applications: ['bi'] } },
    { act: 'reconnect', before: { tenantId: tenant(0) }, after: { tenantId: tenant(0) } },
    { act: 'disconnect', before: { tenantId: tenant(0) }, after: { atXero: 'ended' } },
  ]);
});

test('nobody is sent to Xero for a consent that could not be refreshed', async () => {
  const without = { ...place, xero: { ...place.xero, scopes: ['accounting.journals.read'] } };
  const sent: string[] = [];
  const wanted = { name: 'acme', applications: ['planning'], tenantId: tenant(0) };
  const connecting = connectOrganisation(without, wanted, async (address) => {
    sent.push(address);
    return address;
  });
  await expect(connecting).rejects.toThrow('XERO_SCOPES lacks offline_access');
  expect(sent).toEqual([]);
});

test('an act that is refused changes nothing and leaves no trace', async () => {
  await connect('acme', 0);
  const before = await acts();
  await expect(connect('acme', 1)).rejects.toThrow('belongs to another organisation');
  await expect(connect('Acme!', 1)).rejects.toThrow('must begin with a small letter');
  await expect(changeAccess(place, 'acme', () => ['a\nb'])).rejects.toThrow('must have only letters');
  await expect(changeAccess(place, 'nobody', () => [])).rejects.toThrow('There is no connection "nobody"');
  await expect(disconnect(place, 'nobody')).rejects.toThrow('There is no connection "nobody"');
  expect(await acts()).toEqual(before);
  expect(await rows('select name from daybook.connection')).toEqual([{ name: 'acme' }]);
});

test('the printed command reconnects a name though its consent covers several organisations: the name says which', async () => {
  const command = (name: string, tenantIds = [tenant(0), tenant(1)]) =>
    connectOrganisation(place, { name, applications: ['planning'] }, async (address) =>
      sandbox.consent(address, { tenantIds }),
    );
  await connect('globex', 1);
  expect(await command('globex')).toMatchObject({ name: 'globex', tenantId: tenant(1) });
  // A name that is new does not say which, and one organisation alone is never taken for another.
  await expect(command('acme')).rejects.toThrow('The consent covers several organisations.');
  await expect(command('globex', [tenant(0)])).rejects.toThrow('belongs to another organisation');
});

test('two organisations share an authorisation, which ends with the last connection only', async () => {
  await connect('acme', 0);
  await connect('globex', 1);
  await connect('acme-again', 0);
  expect(await statuses()).toEqual(['active']);
  expect(await disconnect(place, 'acme-again')).toMatchObject({ atXero: 'shared' });
  expect(await disconnect(place, 'acme')).toMatchObject({ atXero: 'ended' });
  expect(await statuses()).toEqual(['active']);
  expect(await disconnect(place, 'globex')).toMatchObject({ atXero: 'ended' });
  expect(await statuses()).toEqual(['revoked']);
});

test('a link that was ended in Xero and allowed again with another connection’s consent is ended all the same', async () => {
  await connect('acme', 0);
  await connect('globex', 1);
  sandbox.disconnect(tenant(0));
  const both = { name: 'globex', applications: ['planning'], tenantId: tenant(1) };
  await connectOrganisation(place, both, async (address) => sandbox.consent(address));
  const { access_token: token } = sandbox.tokens.mint({ tenantIds: [] });
  const linked = async () => {
    const answer = await fetch(`${sandbox.apiUrl}/connections`, { headers: { authorization: `Bearer ${token}` } });
    return ((await answer.json()) as { tenantId: string }[]).map(({ tenantId }) => tenantId);
  };
  expect(await linked()).toHaveLength(2);
  expect(await disconnect(place, 'acme')).toMatchObject({ atXero: 'ended' });
  expect(await linked()).toEqual([tenant(1)]);
});

test('Xero out of reach: nothing is removed, unless it is to be forgotten here only', async () => {
  await connect('acme', 0);
  const away = { ...place, xero: { ...place.xero, apiUrl: 'http://127.0.0.1:9' } };
  await expect(disconnect(away, 'acme')).rejects.toThrow('--keep-at-xero');
  expect(await rows('select name from daybook.connection')).toEqual([{ name: 'acme' }]);
  expect(await disconnect(away, 'acme', true)).toMatchObject({ atXero: 'kept' });
  expect(await rows('select name from daybook.connection')).toEqual([]);
  expect((await acts()).at(-1)).toMatchObject({ act: 'disconnect', after: { atXero: 'kept' } });
});

test('a lost authorisation does not keep a connection from being removed', async () => {
  await connect('acme', 0);
  await database.pool.query(`update daybook.authorisation set status = 'needsReconnect'`);
  expect(await disconnect(place, 'acme')).toMatchObject({ atXero: 'kept' });
});

test('a name is suggested from the organisation', () => {
  expect(suggestName('Maple & Finch Ltd', [])).toBe('maple-finch-ltd');
  expect(suggestName('Crème Brûlée <script>', ['creme-brulee-script'])).toBe('creme-brulee-script-2');
  expect(suggestName('東京', [])).toBe('organisation');
});

test('the command line shows who did what, and that a connection needs to be reconnected', async () => {
  await connect('acme', 0);
  await connect('globex', 1);
  const run = (...args: string[]) => daybook(args, { DATABASE_URL: database.url });
  const { stdout } = await run('audit', '--of', 'acme', '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ actor: 'robin', act: 'connect', subject: 'acme', before: null }]);
  expect((await run('audit')).stdout).toMatch(/robin +connect +globex .*\n.*robin +connect +acme /);
  expect((await run('connections', 'list')).stdout).toMatch(/acme .* planning +connected /);
  await database.pool.query(`update daybook.authorisation set status = 'needsReconnect'`);
  expect((await run('connections', 'show', 'acme')).stdout).toContain('needs reconnect');
});
