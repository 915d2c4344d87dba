import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;
beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ journals: 5 })]);
  const tokenKeys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  place = { pool: database.pool, xero: sandboxSettings(sandbox), tokenKeys, actor: 'robin', now: () => Date.now() };
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query('truncate daybook.connection, daybook.authorisation, daybook.audit cascade');
  await connect('acme');
});

const connect = (name: string) =>
  connectOrganisation(place, { name, applications: ['planning'] }, async (address) => sandbox.consent(address));
const run = (...args: string[]) => daybook(args, { DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1' });

test('a reserve is shown, and one as large as a day of Xero’s is warned of', async () => {
  const set = (calls: string) => run('connections', 'set', 'acme', '--quota-reserve', calls);
  expect(await set('999')).toMatchObject({ code: 0, stderr: '' });
  expect((await set('1000')).stderr).toMatch(/^Note: On Xero’s Starter tier, .* nothing but one call an hour\./);
  expect((await set('5000')).stderr).toMatch(
    /^Note: Xero allows an organisation 5,000 calls a day, .* one call an hour/,
  );
  expect((await run('connections', 'show', 'acme')).stdout).toContain(
    "reserve: imports leave 5000 of each day's calls to others\n",
  );
  expect((await run('connections', 'list')).stdout).toMatch(/ reserve +tenant\nacme .* 5000 +[0-9a-f-]{36}\n/);
});

test('the audit says what each act changed', async () => {
  await run('connections', 'set', 'acme', '--quota-reserve', '700');
  await run('connections', 'allow', 'acme', '--application', 'bi');
  await run('connections', 'deny', 'acme', '--application', 'planning');
  await connect('acme');
  const lines = (await run('audit')).stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/^(at \(UTC\)|\S+) +\S+ +/, '').replaceAll(/ {2,}/g, '  '))).toEqual([
    'act  on  what',
    'reconnect  acme  applications: bi → bi, planning',
    'deny  acme  applications: bi, planning → bi',
    'allow  acme  applications: planning → bi, planning',
    'setQuotaReserve  acme  reserve: 0 → 700',
    `connect  acme  organisation: ${sandbox.organisations[0]?.name}; applications: planning`,
  ]);
});

test('one taken off a connection that reads the organisation through another is told of', async () => {
  await connect('acme-2');
  const deny = (name: string) => run('connections', 'deny', name, '--application', 'planning');
  const first = await deny('acme');
  expect(first).toMatchObject({ code: 0, stdout: '"planning" may not use "acme" any more.\n' });
  expect(first.stderr).toMatch(
    /^Note: "planning" still reads all .* connection "acme-2"\..* `daybook connections deny acme-2 --application planning`\.\n/,
  );
  expect((await deny('acme-2')).stderr).not.toContain('still reads');
});

test('who wants to rename a connection is told how, and not to remove it', async () => {
  const said = await run('connections', 'rename', 'acme', 'acme-au');
  expect(said).toMatchObject({ code: 2, stdout: '', stderr: expect.not.stringContaining('Did you mean') });
  expect(said.stderr).toMatch(/^A connection keeps its name\..*connect --name acme-au .*connections remove acme`/);
  expect((await run('connections', '--help')).stdout).toMatch(/rename .*tell how to give a connection another name/);
});

test('a second name for one organisation is told as such, once', async () => {
  const environment = {
    DATABASE_URL: database.url,
    DAYBOOK_TOKEN_KEYS: place.tokenKeys,
    XERO_CLIENT_ID: place.xero.clientId,
    XERO_CLIENT_SECRET: place.xero.clientSecret,
    XERO_REDIRECT_URI: place.xero.redirectUri,
    XERO_API_URL: place.xero.apiUrl,
    XERO_IDENTITY_URL: place.xero.identityUrl,
    XERO_LOGIN_URL: place.xero.loginUrl,
  };
  const words = ['connect', '--name', 'alias', '--application', 'planning', '--consent', '--no-browser'];
  expect((await daybook(words, environment)).stderr).toMatch(/^Note: "alias" is the same organisation as "acme":/);
  expect((await daybook(words, environment)).stderr).not.toContain('same organisation');
  for (const name of ['three', 'four']) await connect(name);
  const fifth = await daybook(
    words.map((word) => (word === 'alias' ? 'five' : word)),
    environment,
  );
  expect(fifth.stderr).toMatch(/^Note: "five" is the same organisation as "acme", "alias", "four" and 1 more:/);
});

test('a connection that no application may use says so in the list', async () => {
  await run('connections', 'deny', 'acme', '--application', 'planning');
  expect((await run('connections', 'list')).stdout).toMatch(/^acme .* none +connected/m);
});

test('an application that nobody has heard of is noted as it is allowed: it may be a slip', async () => {
  const allow = (application: string) => run('connections', 'allow', 'acme', '--application', application);
  const slip = await allow('plannig');
  expect(slip).toMatchObject({ code: 0, stdout: '"plannig" may use "acme" now.\n' });
  expect(slip.stderr).toMatch(
    /^Note: "plannig" is a new name: .* Known are "planning"\. To take it back: `daybook connections deny acme --application plannig`\.\n$/,
  );
  expect((await allow('plannig')).stderr).toBe('');
});
