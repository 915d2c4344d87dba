import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { listConnections } from '../../storage/connections.ts';
import { listOverview } from '../../storage/overview.ts';
import { hasMissedConsent, workflowsAwaitingReconnect } from '../../storage/waiting-workflows.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;
let environment: Record<string, string>;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ organisations: 2, journals: 5 })]);
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
const connect = (name: string, index: number, userId?: string) =>
  connectOrganisation(place, { name, applications: ['planning'], tenantId: tenant(index) }, async (address) =>
    sandbox.consent(address, { tenantIds: [tenant(index)], ...(userId === undefined ? {} : { userId }) }),
  );
const statuses = async () =>
  Object.fromEntries((await listConnections(database.pool)).map(({ name, status }) => [name, status]));
const authorisationId = async () => (await listConnections(database.pool))[0]?.authorisationId ?? '';
const addRun = (connection: string, status: string) =>
  database.pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request,
                                     starting_at, moves_watermark, status, ended_at, attempt_scheduled_at)
     select gen_random_uuid(), name || '-' || $2, connection_id, name, 'planning', tenant_id, 'journals', '{}', 1, false, $2,
            case when $2 = 'caughtUp' then now() end, now() from daybook.connection where name = $1`,
    [connection, status],
  );
/** Whether the import that waits through a connection is told that it need not. */
async function hasMissed(connection: string): Promise<boolean> {
  const { rows } = await database.pool.query<{ run_id: string }>(
    `select run_id from daybook.import_run where connection_name = $1 and status = 'needsReconnect'`,
    [connection],
  );
  return hasMissedConsent(database.pool, rows[0]?.run_id ?? '');
}

test('reconnecting one organisation leaves those that its consent does not cover as they are, and says so', async () => {
  await connect('demo', 0);
  await connect('alias', 0);
  await connect('second', 1);
  // Another Xero user's, whom this is nothing to.
  await connect('of-another', 0, 'another user');
  sandbox.tokens.revoke();
  await database.pool.query(`update daybook.authorisation set status = 'needsReconnect'`);
  await addRun('demo', 'needsReconnect');
  await addRun('second', 'needsReconnect');

  const words = ['connect', '--name', 'second', '--application', 'planning', '--consent', '--no-browser'];
  const said = await daybook([...words, '--tenant', tenant(1)], environment);
  const organisation = sandbox.organisations[0]?.name;
  for (const name of ['demo', 'alias']) {
    expect(said.stderr).toContain(
      `Note: This consent does not cover "${name}" (${organisation}), which needs one of its own: \`daybook connect --name ${name} --application planning\`.\n`,
    );
  }
  expect(said).toMatchObject({ code: 0, stderr: expect.not.stringContaining('of-another') });
  // Of the two that wait, only the one that is covered.
  expect(said.stderr).toMatch(/what waits \(1\)/);
  expect(await workflowsAwaitingReconnect(database.pool, await authorisationId())).toEqual(['second-needsReconnect']);
  expect([await hasMissed('second'), await hasMissed('demo')]).toEqual([true, false]);

  await database.pool.query(`delete from daybook.import_run`);
  const lost = 'needsReconnect';
  expect(await statuses()).toEqual({ demo: lost, alias: lost, second: 'connected', 'of-another': lost });
  const shown = await daybook(['connections', 'show', 'demo'], environment);
  expect(shown.stdout).toContain('needs reconnect: the last consent of its Xero user does not cover it\n');
  const doctor = await daybook(['doctor'], environment);
  expect(doctor.stdout).toContain(
    `The connection "demo" (${organisation}) needs a new consent, as the last one of its Xero user does not cover it: \`daybook connect --name demo --application planning\`.`,
  );
  const [overview] = (await listOverview(database.pool)).filter(({ name }) => name === 'demo');
  expect(overview?.lost).toBe(`Its Xero user has consented since, but not to ${organisation}.`);
});

test('a later consent that covers them mends all connections of the organisation', async () => {
  const { uncovered } = await connect('demo', 0);
  expect(uncovered).toEqual([]);
  expect(await statuses()).toMatchObject({ demo: 'connected', alias: 'connected', second: 'connected' });
});

test('an organisation that was linked again elsewhere is connected once an import has got through', async () => {
  sandbox.disconnect(tenant(0));
  const { uncovered } = await connect('second', 1);
  expect(uncovered.map(({ name }) => name)).toEqual(['alias', 'demo']);
  await addRun('demo', 'caughtUp');
  expect(await statuses()).toMatchObject({ demo: 'connected', alias: 'needsReconnect' });
});
