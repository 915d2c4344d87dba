import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectNamed, connectOrganisation } from '../../admin/connect.ts';
import { reachOf } from '../../admin/consent.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { connectWithoutConsent } from '../../admin/standing-consent.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { Secret } from '../../xero/secret.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';
import { startScripted, whole } from '../xero/scripted-server.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;
let environment: Record<string, string>;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ organisations: 3, journals: 5 })]);
  const tokenKeys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  const xero = sandboxSettings(sandbox);
  place = { pool: database.pool, xero, tokenKeys, actor: 'robin', now: () => Date.now() };
  environment = {
    DATABASE_URL: database.url,
    DAYBOOK_TOKEN_KEYS: tokenKeys,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    XERO_CLIENT_ID: xero.clientId,
    XERO_CLIENT_SECRET: xero.clientSecret,
    XERO_REDIRECT_URI: xero.redirectUri,
    XERO_API_URL: xero.apiUrl,
    XERO_IDENTITY_URL: xero.identityUrl,
    XERO_LOGIN_URL: xero.loginUrl,
  };
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});

const tenant = (index: number) => sandbox.organisations[index]?.tenantId ?? '';
const wanted = (name: string, index: number) => ({ name, applications: ['planning'], tenantId: tenant(index) });

test('one consent for several organisations connects each of them', async () => {
  const both = [tenant(0), tenant(1)];
  const undecided = connectOrganisation(place, { name: 'acme', applications: ['planning'] }, async (address) =>
    sandbox.consent(address, { tenantIds: both }),
  );
  await expect(undecided).rejects.toThrow(/covers several organisations.*which asks for no other consent/);

  // Nobody is there to consent: the command would wait for the callback.
  for (const [name, index] of [
    ['acme', 0],
    ['beta', 1],
  ] as const) {
    const words = ['connect', '--name', name, '--application', 'planning', '--tenant', tenant(index)];
    const said = await daybook([...words, '--no-browser'], environment);
    expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining(`as "${name}", for planning.`) });
  }
  const { rows } = await database.pool.query(
    'select name, count(*) over (partition by authorisation_id)::int as of_one from daybook.connection order by name',
  );
  expect(rows).toEqual([
    { name: 'acme', of_one: 2 },
    { name: 'beta', of_one: 2 },
  ]);
});

test('a consent is asked for where none reaches the organisation, or has the scopes, and for a name that is there', async () => {
  expect(await connectWithoutConsent(place, wanted('gamma', 2))).toBeNull();
  expect(await connectWithoutConsent(place, wanted('acme', 0))).toBeNull();
  const more = { ...place, xero: { ...place.xero, scopes: [...place.xero.scopes, 'accounting.attachments.read'] } };
  expect(await connectWithoutConsent(more, wanted('gamma', 0))).toBeNull();
  sandbox.tokens.revoke();
  expect(await connectWithoutConsent(place, wanted('gamma', 0))).toBeNull();
});

test('a practice is said to be none of the organisations that can be connected', async () => {
  const server = await startScripted();
  const listed = (tenantId: string, tenantType: string) => ({
    id: tenantId,
    tenantId,
    tenantType,
    tenantName: 'Ledgers',
  });
  const [practice, organisation] = [crypto.randomUUID(), crypto.randomUUID()];
  const there = { ...place, xero: { ...place.xero, apiUrl: server.url } };
  const reach = () =>
    reachOf(there, { authorisationId: crypto.randomUUID(), accessToken: new Secret('token'), authEventId: null });
  server.answer(whole(200, JSON.stringify([listed(practice, 'PRACTICE'), listed(organisation, 'ORGANISATION')])));
  const named = connectNamed(there, await reach(), { name: 'delta', applications: ['planning'], tenantId: practice });
  await expect(named).rejects.toThrow(
    `Ledgers (${practice}) is a practice in Xero and no organisation, so it has no ledger to import. The consent covers:\n  --tenant ${organisation}`,
  );
  server.answer(whole(200, JSON.stringify([listed(practice, 'PRACTICE')])));
  await expect(reach()).rejects.toThrow('Ledgers is a practice, which has no ledger to import. Choose one');
  await server.close();
});
