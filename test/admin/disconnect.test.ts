import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { disconnect } from '../../admin/disconnect.ts';
import { type AdminPlace, tokensOf } from '../../admin/place.ts';
import { findConnection } from '../../storage/connections.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Browser, startWebStand, type WebStand } from '../web/web-stand.ts';

// What a Xero user gave to the app is one thing at Xero, wherever it is used: by another installation of Daybook, or by a
// set-up page that is still open.

let stand: WebStand;
let browser: Browser;
let elsewhere: TestDatabase;
beforeAll(async () => {
  [stand, elsewhere] = await Promise.all([startWebStand({ sandbox: { organisations: 3 } }), createTestDatabase()]);
  browser = await stand.browser();
});
afterAll(async () => {
  await elsewhere.drop();
  await stand.close();
});

const tenant = (index: number) => stand.sandbox.organisations[index]?.tenantId ?? '';
const organisation = (index: number) => stand.sandbox.organisations[index]?.name ?? '';
const place = (database: TestDatabase): AdminPlace => {
  const { xero, tokenKeys } = stand;
  return { pool: database.pool, xero, tokenKeys, actor: 'robin', now: () => Date.now() };
};
const connect = (database: TestDatabase, userId: string, name: string, index: number) =>
  connectOrganisation(place(database), { name, applications: ['planning'], tenantId: tenant(index) }, async (address) =>
    stand.sandbox.consent(address, { userId, tenantIds: [tenant(index)] }),
  );
/** Which organisations this Xero user has linked to the app, in Xero's own books. */
async function linked(userId: string): Promise<string[]> {
  const { access_token: token } = stand.sandbox.tokens.mint({ userId, tenantIds: [] });
  const answer = await fetch(`${stand.xero.apiUrl}/connections`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { tenantId: string }[]).map(({ tenantId }) => tenantId);
}
const authorisation = async (database: TestDatabase, id: string) => {
  const { rows } = await database.pool.query(
    `select status, (select count(sealed)::int from daybook.authorisation_token t where t.authorisation_id = a.authorisation_id) as pairs
       from daybook.authorisation a where authorisation_id = $1`,
    [id],
  );
  return rows[0];
};

test('what the same Xero user connected in another installation of the app outlives the last connection here', async () => {
  const production = await connect(elsewhere, 'kim', 'globex', 1);
  const staging = await connect(stand.database, 'kim', 'acme', 0);
  const { atXero, message } = await disconnect(place(stand.database), 'acme');
  expect(atXero).toBe('ended');
  expect(await linked('kim')).toEqual([tenant(1)]);
  expect(await authorisation(stand.database, staging.authorisationId)).toEqual({ status: 'revoked', pairs: 0 });
  const tokens = tokensOf(place(elsewhere));
  expect(await tokens.accessToken(production.authorisationId, { notThis: 1 })).toMatchObject({ isFresh: true });
  expect(message).toContain(`${organisation(1)} stays connected there by the same Xero user`);
  // There it is the last link of the user, so nothing of them is left at Xero.
  expect((await disconnect(place(elsewhere), 'globex')).message).not.toContain('connected there');
  expect(await linked('kim')).toEqual([]);
  expect(await tokens.accessToken(production.authorisationId, { anew: true })).toMatchObject({
    kind: 'needsReconnect',
  });
});

test.each([
  { keepAtXero: false, userId: 'lee', here: 'acme', named: 'umbrella' },
  { keepAtXero: true, userId: 'sam', here: 'beta', named: 'vandelay' },
])('a set-up page that is open can be finished after the last connection is removed ($keepAtXero)', async (given) => {
  const { keepAtXero, userId, here, named } = given;
  await connect(stand.database, userId, here, 0);
  await browser.get('/connect');
  await browser.post('/connect');
  const back = stand.sandbox.consent(browser.consentAddress, { userId, tenantIds: [tenant(2)] });
  await browser.get(back.replace(stand.origin, ''));
  const setUp = browser.path;
  const { message } = await disconnect(place(stand.database), here, keepAtXero);
  await browser.get(setUp);
  await browser.post(setUp, { connect: tenant(2), [`name ${tenant(2)}`]: named, newApplication: 'planning' });
  expect(browser.notices[0]).toContain(`is connected as "${named}"`);
  const connection = await findConnection(stand.database.pool, named);
  expect(connection).toMatchObject({ status: 'connected' });
  const answer = await tokensOf(place(stand.database)).accessToken(connection?.authorisationId ?? '');
  expect(answer).toMatchObject({ kind: 'token' });
  expect(await linked(userId)).toContain(tenant(2));
  expect(message).toContain('a set-up page of the same Xero user is open');
  await disconnect(place(stand.database), named);
});
