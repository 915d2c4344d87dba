import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoBrowser } from '../support/chromium.ts';
import { daybook } from '../support/daybook.ts';
import { databasePlaces, findLeaks, secretsOf } from '../support/leaks.ts';
import { type BrowserStand, startBrowserStand } from './browser-stand.ts';

const leftOut = whyNoBrowser();
if (leftOut !== null) console.warn(leftOut);

describe.skipIf(leftOut !== null)('In a browser, an admin sets up connections from beginning to end', () => {
  let stand: BrowserStand;
  let page: BrowserStand['page'];
  let origin: string;
  const sessions: string[] = [];
  beforeAll(async () => {
    stand = await startBrowserStand();
    ({ page, origin } = stand);
  });
  afterAll(() => stand?.close());

  const press = (name: string | RegExp) => page.getByRole('button', { name }).click();
  const follow = (name: string | RegExp) => page.getByRole('link', { name }).first().click();
  /** Waits until the page with this heading is there. */
  const arrive = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  async function notices(): Promise<string[]> {
    await page.locator('.notice').first().waitFor();
    return page.locator('.notice').allInnerTexts();
  }
  const query = async (sql: string) => (await stand.database.pool.query(sql)).rows;
  /** The rows of the list, each as its cells. */
  const list = () => page.getByRole('table').first().locator('tbody tr').allInnerTexts();
  const look = (picture: string) => stand.look(picture);

  test('without a session it says how to get one; the printed link opens it once', async () => {
    await page.goto(origin);
    expect(await page.locator('main').textContent()).toContain('daybook web-link');
    await look('sign-in');
    await page.goto(stand.link);
    await look('welcome');
    await press('Open Daybook');
    await arrive('Connections');
    expect(await page.locator('main').textContent()).toContain('No organisation is connected yet');
    await look('empty');
    const [cookie] = await page.context().cookies(origin);
    sessions.push(cookie?.value ?? 'none');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
    // A script that got into the page could not read it; and the link is worth nothing any more.
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.goto(stand.link);
    await press('Open Daybook');
    expect(await notices()).toEqual([expect.stringContaining('This link was used already')]);
    await page.goto(origin);
    stand.complaints.length = 0;
  });

  test('set up: consent to two organisations, choose one, name it, say who may use it', async () => {
    await follow('Set up a connection');
    await arrive('Set up a connection');
    await look('set-up');
    await press('Connect to Xero');
    await stand.consentTo('Maple & Finch Ltd', 'Harbour Lane Coffee');
    await arrive('Which organisations?');
    // The code is not left in the address bar.
    expect(page.url()).toMatch(/\/setup\/[0-9a-f-]+$/);
    const maple = page.getByRole('group', { name: 'Maple & Finch Ltd' });
    expect(await maple.getByLabel('Name of the connection').inputValue()).toBe('maple-finch-ltd');
    await page.getByLabel('Connect Harbour Lane Coffee').uncheck();
    await maple.getByLabel('Name of the connection').fill('maple');
    await page.getByLabel('Its name').fill('planning');
    await look('name-it');
    await press('Save');
    expect(await notices()).toEqual([
      expect.stringContaining('"Maple & Finch Ltd" is connected as "maple", for planning'),
    ]);
    expect(await list()).toEqual([expect.stringMatching(/maple\s+Maple & Finch Ltd\s+● Connected\s+planning/)]);
  });

  test('a second connection, by keyboard alone', async () => {
    const at = () => page.evaluate('(document.activeElement.innerText || document.activeElement.name || "").trim()');
    /** Tab, as often as it takes to come there; what has the focus can be seen to have it. */
    async function tabTo(what: string | RegExp) {
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press('Tab');
        if (!String(await at()).match(what)) continue;
        const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
        expect({ what, outline }).not.toEqual({ what, outline: 'none' });
        return;
      }
      throw new Error(`Tab never came to ${what}; it is at ${await at()}.`);
    }
    await page.goto(origin);
    await page.keyboard.press('Tab');
    expect(await at()).toBe('Skip to the page’s content');
    await page.keyboard.press('Enter');
    await tabTo('Set up a connection');
    await page.keyboard.press('Enter');
    await arrive('Set up a connection');
    await tabTo('Connect to Xero');
    await page.keyboard.press('Enter');
    await page.getByText('wants access to your organisation').waitFor();
    await tabTo('tenant');
    await page.keyboard.press('Space');
    await tabTo('tenant');
    await page.keyboard.press('Space');
    await tabTo('Allow access');
    await page.keyboard.press('Enter');
    await arrive('Which organisations?');
    expect(await page.getByLabel('Connect Maple & Finch Ltd').isChecked()).toBe(false);
    expect(await page.getByLabel('Connect Harbour Lane Coffee').isChecked()).toBe(true);
    await tabTo(`name ${stand.sandbox.organisations[1]?.tenantId}`);
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('harbour');
    await tabTo('^application$');
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await arrive('Connections');
    expect(await list()).toEqual([
      expect.stringMatching(/^harbour\s+Harbour Lane Coffee\s+● Connected\s+planning/),
      expect.stringMatching(/^maple/),
    ]);
    // One Xero account, one authorisation.
    expect(await query('select count(distinct authorisation_id)::int as n from daybook.connection')).toEqual([
      { n: 1 },
    ]);
    await look('connections');
  });

  test('declined at Xero: nothing is connected, and it says so', async () => {
    await follow('Set up a connection');
    await press('Connect to Xero');
    await press('Cancel');
    expect(await notices()).toEqual([expect.stringContaining('The consent was declined in Xero')]);
    expect(await list()).toHaveLength(2);
  });

  test('an answer of Xero’s that is replayed, forged or carried into another browser connects nothing', async () => {
    const before = await query('select * from daybook.authorisation');
    const replayed = stand.callbacks[0] ?? '';
    for (const address of [replayed, `${origin}/oauth/callback?code=1234&state=forged`]) {
      expect((await page.goto(address))?.status()).toBe(403);
      await arrive('Nothing was connected');
    }
    // Begun here, and its answer opened in a browser of somebody else's, who is signed in too.
    await page.goto(`${origin}/connect`);
    await press('Connect to Xero');
    await page.getByText('wants access to your organisation').waitFor();
    const answer = stand.sandbox.consent(page.url());
    const theirs = await stand.browser.open();
    await theirs.goto((await daybook(['web-link'], stand.environment)).stdout.trim());
    await theirs.getByRole('button', { name: 'Open Daybook' }).click();
    await theirs.getByRole('heading', { name: 'Connections' }).waitFor();
    expect((await theirs.goto(answer))?.status()).toBe(403);
    expect(await query('select * from daybook.authorisation')).toEqual(before);
    // It was not used up by that.
    await page.goto(answer);
    await arrive('Which organisations?');
    await follow('Not now');
    await arrive('Connections');
    stand.complaints.length = 0;
  });

  test('a long name without spaces widens no page, on a telephone or in the list', async () => {
    const long = 'planning'.repeat(8).slice(0, 63);
    await daybook(['connections', 'allow', 'maple', '--application', long], stand.environment);
    async function fits(width: number, picture: string) {
      await page.setViewportSize({ width, height: 640 });
      await look(picture);
      expect([picture, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([picture, width]);
    }
    await page.goto(origin);
    await fits(1000, 'long-name-list');
    await fits(320, 'long-name-list-narrow');
    await follow('maple');
    await arrive('maple');
    await fits(320, 'long-name-connection');
    await page.goto(`${origin}/connect`);
    await press('Connect to Xero');
    await stand.consentTo('Maple & Finch Ltd');
    await arrive('Which organisations?');
    await fits(320, 'long-name-set-up');
    await page.setViewportSize({ width: 920, height: 640 });
    await follow('Not now');
    await arrive('Connections');
  });

  test('applications are changed; a lost authorisation is seen and reconnected', async () => {
    await follow('maple');
    await arrive('maple');
    expect(await page.getByRole('definition').allInnerTexts()).toContainEqual(
      expect.stringMatching(/^invoices, journals, reference data\s+as tried /),
    );
    await look('connection');
    await page.getByLabel('Another one').fill('bi tool');
    await press('Save');
    expect(await notices()).toEqual([expect.stringContaining('May use "maple" now: bi tool.')]);
    await stand.database.pool.query(
      `update daybook.authorisation set status = 'needsReconnect', message = 'Xero ended it.'`,
    );
    await follow('All connections');
    await arrive('Connections');
    expect(await list()).toEqual(Array(2).fill(expect.stringContaining('▲ Needs reconnect')));
    await look('needs-reconnect');
    await press('Reconnect maple');
    await stand.consentTo('Maple & Finch Ltd');
    expect(await notices()).toEqual([expect.stringContaining('"maple" (Maple & Finch Ltd) is connected again')]);
    expect(await list()).toEqual(Array(2).fill(expect.stringContaining('● Connected')));
  });

  test('disconnect asks once more, and ends the link at Xero', async () => {
    await follow('Edit harbour');
    await arrive('harbour');
    await follow('Disconnect …');
    await arrive('Disconnect harbour?');
    await look('disconnect');
    await press('Disconnect');
    expect(await notices()).toEqual([
      expect.stringMatching(/"harbour" is removed\. It is disconnected at Xero/),
      // This stand has none.
      expect.stringMatching(/^Note\. Temporal cannot be reached: Schedules/),
    ]);
    expect(await list()).toEqual([expect.stringMatching(/^maple/)]);
    await look('removed');
    await press('Sign out');
    await arrive('Sign in');
    expect(await query(`select distinct act from daybook.audit order by 1`)).toEqual(
      ['allow', 'connect', 'disconnect', 'reconnect'].map((act) => ({ act })),
    );
  });

  test('no token or secret came into an answer of the page, a table, a log of Postgres’s or of the page', async () => {
    const secrets = secretsOf(stand);
    for (const [index, value] of sessions.entries()) secrets.set(`session ${index}`, [value]);
    // The link itself is in the address of its own page, and on the line that was printed.
    const link = new Map([['link', [stand.link.split('/').at(-1) ?? '']]]);
    const stored = { ...(await databasePlaces(stand)), ...stand.postgresLog() };
    const answers = await stand.answers();
    expect(Object.keys(answers).length).toBeGreaterThan(30);
    expect(findLeaks(secrets, { ...answers, ...stored, 'the page’s output': stand.web.output() })).toEqual([]);
    expect(findLeaks(link, stored)).toEqual([]);
    // The search would have found them where they have to be.
    const carried = { requests: stand.callbacks.join('\n'), cookie: sessions.join('\n'), link: stand.link };
    const found = findLeaks(new Map([...secrets, ...link]), carried).join('\n');
    expect(found).toMatch(/code.* in requests[\s\S]*session 0 in cookie[\s\S]*link in link/);
  });

  test('and on the way the browser complained of nothing', () => {
    expect(stand.complaints).toEqual([]);
    expect(stand.web.output().split('\n').filter(Boolean)).toHaveLength(1);
  });
});
