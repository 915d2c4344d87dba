import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Connected, connectOrganisation } from '../../admin/connect.ts';
import { entitlementsOf, lackingOf } from '../../admin/entitlements.ts';
import type { AdminPlace } from '../../admin/place.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { findConnection } from '../../storage/connections.ts';
import { readLedger } from '../../storage/quota.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let place: AdminPlace;
let connected: Connected;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ journals: 5 })]);
  const tokenKeys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  place = { pool: database.pool, xero: sandboxSettings(sandbox), tokenKeys, actor: 'robin', now: () => Date.now() };
  const tenantId = sandbox.organisations[0]?.tenantId ?? '';
  connected = await connectOrganisation(
    place,
    { name: 'acme', applications: ['planning'], tenantId },
    async (address) => sandbox.consent(address, { tenantIds: [tenantId] }),
  );
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query('delete from daybook.quota_ledger');
  sandbox.faults.clear();
  sandbox.calls.reset();
});

const ledger = async () => (await readLedger(database.pool, `tenant:${connected.tenantId}`)).ledger;
const tried = () => sandbox.calls.all().filter(({ path }) => /Journals|Organisation/.test(path)).length;
const worksNow = (found: { works: boolean | null }[] | null) => found?.map(({ works }) => works);
const stored = async () => worksNow((await findConnection(database.pool, 'acme'))?.entitlements ?? null);

/** Calls that imports have in flight, the first of which ends after so long. */
async function inFlight(calls: number, firstEndsAfterMs = 50_000): Promise<void> {
  const ends = Array.from({ length: calls }, (_, n) => new Date(Date.now() + (n === 0 ? firstEndsAfterMs : 50_000)));
  await database.pool.query(`insert into daybook.quota_ledger (scope, version, leases, sent) values ($1, 1, $2, $3)`, [
    `tenant:${connected.tenantId}`,
    ends,
    calls,
  ]);
}

test('beside five calls in flight no sixth is made; what was never tried is said not to have been', async () => {
  await inFlight(5);
  const found = await entitlementsOf(place, connected);
  expect([tried(), worksNow(found)]).toEqual([0, [null, true, null]]);
  expect(lackingOf(connected, found)).toEqual([
    'Whether journals can be imported could not be tried now: imports make all the calls at once that Xero allows.',
    'Whether reference data can be imported could not be tried now: imports make all the calls at once that Xero allows.',
  ]);
  expect((await ledger()).leases).toHaveLength(5);
});

test('the calls are spent in the ledger, which learns what Xero said of the limits', async () => {
  const found = await entitlementsOf(place, connected);
  expect([tried(), worksNow(found), await stored()]).toEqual([2, [true, true, true], [true, true, true]]);
  expect(await ledger()).toMatchObject({ sent: 2, leases: [], minute: { remaining: 58 }, dayRemaining: 4_998 });
});

test('a place that comes free within seconds is waited for', async () => {
  await inFlight(5, 1_000);
  expect(worksNow(await entitlementsOf(place, connected))).toEqual([true, true, true]);
  expect(tried()).toBe(2);
});

test('what is known to work stays so where it cannot be tried again, and nothing is said to be lacking', async () => {
  await inFlight(5);
  const found = await entitlementsOf(place, connected);
  expect([tried(), lackingOf(connected, found), await stored()]).toEqual([0, [], [true, true, true]]);
});

test('a refusal is recorded, so that nobody asks before it is over, and no import is spoken of', async () => {
  await database.pool.query('delete from daybook.entitlement');
  sandbox.faults.add({ match: { path: 'Journals' }, do: { kind: 'rateLimited', problem: 'minute', retryAfter: 40 } });
  const found = await entitlementsOf(place, connected);
  const [journals, reference, ...more] = lackingOf(connected, found);
  expect(tried()).toBe(1);
  expect(journals).toMatch(/could not be tried now: Xero's limit of calls a minute .* 40 s of patience\.$/);
  expect(more).toEqual([]);
  expect(reference).toMatch(/could not be tried now: Xero refuses calls until \S+Z\.$/);
  expect(await ledger()).toMatchObject({ blockedBy: 'minute', leases: [] });
});
