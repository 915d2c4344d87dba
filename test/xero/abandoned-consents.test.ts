import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectNamed } from '../../admin/connect.ts';
import { disconnect } from '../../admin/disconnect.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { createTokens } from '../../xero/tokens.ts';
import { type Browser, startWebStand, type WebStand } from '../web/web-stand.ts';

// A consent is given on the connect page, and then the page is closed: nobody names an organisation of it.

let stand: WebStand;
let browser: Browser;
let tenants: string[];
const logged: string[] = [];
beforeAll(async () => {
  stand = await startWebStand({ sandbox: { organisations: 3 } });
  browser = await stand.browser();
  tenants = stand.sandbox.organisations.map(({ tenantId }) => tenantId);
});
afterAll(() => stand.close());

const query = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const place = () => ({
  pool: stand.database.pool,
  xero: stand.xero,
  tokenKeys: stand.tokenKeys,
  actor: 'ada',
  now: () => Date.now(),
});
const tenant = (index: number) => tenants[index] ?? '';

/** A worker's daily look at the authorisations. */
function daily(): Promise<number> {
  const note = (_: object, message: string) => void logged.push(message);
  const log = { info: note, warn: note, error: note };
  const { xero, tokenKeys, database } = stand;
  const keys = createKeyRing(tokenKeys);
  return createTokens({ pool: database.pool, xero, keys, now: () => Date.now(), log }).endAbandoned();
}

/** Consents on the page and goes away: the authorisation that is left. */
async function abandon(userId: string, ...tenantIds: string[]): Promise<string> {
  await browser.get('/connect');
  await browser.post('/connect');
  const back = stand.sandbox.consent(browser.consentAddress, { userId, tenantIds });
  await browser.get(back.replace(stand.origin, ''));
  const [newest] = await query('select authorisation_id as id from daybook.web_setup order by expires_at desc limit 1');
  return newest?.id;
}

async function hoursPass(hours: number): Promise<void> {
  const later = (column: string) => `${column} = ${column} - $1 * interval '1 hour'`;
  await query(`update daybook.authorisation set ${later('created_at')}`, [hours]);
  await query(`update daybook.refresh_attempt set ${later('started_at')}`, [hours]);
  await query(`update daybook.web_setup set ${later('expires_at')}`, [hours]);
}

const known = async (id: string) =>
  (await query('select from daybook.authorisation where authorisation_id = $1', [id])).length === 1;
/** Which organisations this Xero user has linked to the app, in Xero's own books. */
async function linked(userId: string): Promise<string[]> {
  const { access_token: token } = stand.sandbox.tokens.mint({ userId, tenantIds: [] });
  const answer = await fetch(`${stand.xero.apiUrl}/connections`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { tenantId: string }[]).map(({ tenantId }) => tenantId).sort();
}
const refreshes = () => stand.sandbox.tokens.refreshes;
const lastAct = async () => (await query('select * from daybook.audit order by audit_id desc limit 1'))[0];

test('six hours later its links at Xero are ended, its tokens revoked and forgotten, and that is written down', async () => {
  const id = await abandon('robin', tenant(0), tenant(1));
  await hoursPass(5);
  expect([await daily(), await known(id)]).toEqual([0, true]);
  await hoursPass(2);
  expect(await linked('robin')).toEqual([tenant(0), tenant(1)].sort());
  expect([await daily(), await known(id)]).toEqual([1, false]);
  expect(await linked('robin')).toEqual([]);
  expect(await query('select * from daybook.authorisation_token')).toEqual([]);
  expect(await lastAct()).toMatchObject({ actor: 'daybook', act: 'endConsent', subject: id });
  expect((await lastAct())?.after).toMatchObject({ atXero: 'revoked', organisations: { length: 2 } });
  expect(await daily()).toBe(0);
});

test('not while somebody names the organisations, nor while anybody is on the way to Xero', async () => {
  const id = await abandon('sam', tenant(0));
  await hoursPass(7);
  await query(`update daybook.web_setup set expires_at = now() + interval '1 minute'`);
  expect([await daily(), await known(id)]).toEqual([0, true]);
  await hoursPass(1);
  await browser.get('/connect');
  await browser.post('/connect');
  expect([await daily(), await known(id)]).toEqual([0, true]);
  await query(`update daybook.web_consent set expires_at = now()`);
  expect([await daily(), await known(id)]).toEqual([1, false]);
});

test('an authorisation that a connection uses stays, with all its links, though a later consent of it led nowhere', async () => {
  const id = await abandon('kim', tenant(0));
  const [setup] = await query('select organisations from daybook.web_setup where authorisation_id = $1', [id]);
  const organisations = setup?.organisations;
  await connectNamed(place(), { authorisationId: id, organisations }, { name: 'acme', applications: ['planning'] });
  expect(await abandon('kim', tenant(0), tenant(1))).toBe(id);
  const before = refreshes();
  await hoursPass(24);
  expect([await daily(), await known(id)]).toEqual([0, true]);
  expect(await linked('kim')).toHaveLength(2);
  expect(refreshes()).toBe(before);
  expect(await query('select status from daybook.authorisation where authorisation_id = $1', [id])).toEqual([
    { status: 'active' },
  ]);

  // Forgotten here only, as an admin may want: then nothing is ended at Xero, now or later.
  await disconnect(place(), 'acme', true);
  expect(await query('select from daybook.authorisation_token where sealed is not null')).toEqual([]);
  await hoursPass(24);
  expect([await daily(), await known(id)]).toEqual([1, false]);
  expect(await linked('kim')).toHaveLength(2);
  expect((await lastAct())?.after).toEqual({ atXero: 'nothing', organisations: [] });
});

test('what the Xero user had linked to the app before, for another installation, is left as it was', async () => {
  const { sandbox } = stand;
  sandbox.tokens.mint({ userId: 'lee', tenantIds: [tenant(2)] });
  sandbox.advance(3_600);
  const id = await abandon('lee', tenant(1), tenant(2));
  await query(`update daybook.authorisation_token set issued_at = issued_at + interval '1 hour'`);
  await hoursPass(7);
  expect([await daily(), await known(id)]).toEqual([1, false]);
  expect(await linked('lee')).toEqual([tenant(2)]);
  expect((await lastAct())?.after).toMatchObject({ atXero: 'ended', organisations: { length: 1 } });
});

test('nor is what the same Xero user links to the app later, for another installation', async () => {
  const id = await abandon('pat', tenant(1));
  stand.sandbox.advance(60);
  stand.sandbox.tokens.mint({ userId: 'pat', tenantIds: [tenant(2)] });
  await hoursPass(7);
  expect([await daily(), await known(id)]).toEqual([1, false]);
  expect(await linked('pat')).toEqual([tenant(2)]);
  expect((await lastAct())?.after).toMatchObject({ atXero: 'ended', organisations: { length: 1 } });
});

test('while Xero does not answer, the consent stays for the next day', async () => {
  const id = await abandon('max', tenant(1));
  await hoursPass(7);
  stand.sandbox.faults.add({ match: { path: '/connections' }, do: { kind: 'html503' } });
  expect([await daily(), await known(id)]).toEqual([0, true]);
  expect(logged.at(-1)).toMatch(/could not be told yet/);
  stand.sandbox.faults.clear();
  expect([await daily(), await known(id), await linked('max')]).toEqual([1, false, []]);
});

test('one whose consent is lost at Xero, or of an app that is not configured any more, is forgotten too', async () => {
  const lost = await abandon('nia', tenant(1));
  await query(`update daybook.authorisation set status = 'needsReconnect' where authorisation_id = $1`, [lost]);
  const other = await abandon('oli', tenant(1));
  await query(`update daybook.authorisation set client_id = 'a former app' where authorisation_id = $1`, [other]);
  await hoursPass(7);
  expect([await daily(), await known(lost), await known(other)]).toEqual([1, false, true]);
  await query(`update daybook.authorisation_token set stored_at = stored_at - interval '61 days'`);
  expect([await daily(), await known(other)]).toEqual([1, false]);
});
