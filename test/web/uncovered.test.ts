import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, startWebStand, type WebStand } from './web-stand.ts';

let stand: WebStand;
let browser: Browser;
let tenants: string[];
beforeAll(async () => {
  stand = await startWebStand({ sandbox: { organisations: [{ name: 'Acme' }, { name: 'Globex' }] } });
  browser = await stand.browser();
  tenants = stand.sandbox.organisations.map(({ tenantId }) => tenantId);
});
afterAll(() => stand.close());

async function consent(by: string, tenantIds: string[]) {
  await browser.get('/');
  await browser.post(by);
  await browser.get(stand.sandbox.consent(browser.consentAddress, { tenantIds }).replace(stand.origin, ''));
}

test('a consent says which connections of the same Xero user it does not cover, and they keep their mark', async () => {
  await consent('/connect', tenants);
  const names = { [`name ${tenants[0]}`]: 'acme', [`name ${tenants[1]}`]: 'globex' };
  await browser.post(browser.path, { ...names, connect: tenants, newApplication: 'planning' });
  stand.sandbox.tokens.revoke();
  await stand.database.pool.query(`update daybook.authorisation set status = 'needsReconnect'`);

  const note =
    'note: This consent does not cover "acme" (Acme), which needs one of its own: press Reconnect beside it in the list of connections.';
  await consent('/connections/globex/reconnect', [tenants[1] ?? '']);
  expect(browser.notices).toEqual(['done: "globex" (Globex) is connected again.', note]);
  expect(browser.page.match(/Needs reconnect/g)).toHaveLength(1);
  await browser.get('/connections/acme');
  expect(browser.page).toContain('Its Xero user has consented since, but not to Acme.');

  // To name another connection says it, too.
  await consent('/connect', [tenants[1] ?? '']);
  expect(browser.notices).toEqual([note]);

  await consent('/connections/acme/reconnect', [tenants[0] ?? '']);
  expect(browser.notices).toEqual(['done: "acme" (Acme) is connected again.']);
  await browser.get('/');
  expect(browser.page).not.toContain('Needs reconnect');
  expect(stand.errors).toEqual([]);
});
