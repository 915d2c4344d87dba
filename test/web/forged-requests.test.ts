import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Ask, type Browser, encoded, startWebStand, type WebStand } from './web-stand.ts';

describe('A forged request is refused, and changes nothing', () => {
  let stand: WebStand;
  let browser: Browser;
  let other: Browser;
  let expired: { idle: Browser; over: Browser };
  let setup: string;
  let tenantId: string;
  beforeAll(async () => {
    stand = await startWebStand();
    [browser, other] = [await stand.browser(), await stand.browser()];
    expired = { idle: await stand.browser(), over: await stand.browser() };
    tenantId = stand.sandbox.organisations[0]?.tenantId ?? '';
    // One that is connected, and one that is to be named.
    setup = await consented(browser);
    await browser.post(setup, { connect: tenantId, [`name ${tenantId}`]: 'acme', application: 'planning' });
    setup = await consented(browser);
    await Promise.all(Object.values(expired).map((each) => each.get('/')));
    await other.get('/');
  });
  afterAll(() => stand.close());

  const query = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
  const pathOf = (address: string) => address.replace(stand.origin, '');

  async function begin(by: Browser): Promise<string> {
    await by.get('/connect');
    await by.post('/connect');
    return pathOf(stand.sandbox.consent(by.consentAddress, { tenantIds: [tenantId] }));
  }
  async function consented(by: Browser): Promise<string> {
    await by.get(await begin(by));
    return by.path;
  }

  /** Every row of schema daybook, but for when a session was seen last, and what its next page says. */
  async function snapshot(): Promise<string> {
    const tables = await query(`select tablename as name from pg_tables where schemaname = 'daybook' order by 1`);
    const rows = await Promise.all(
      tables.map(async ({ name }) => {
        const found = await query(`select to_jsonb(t) - '{seen_at,notices}'::text[] as row from daybook."${name}" t`);
        return [name, found.map(({ row }) => JSON.stringify(row)).sort()];
      }),
    );
    expect(rows.length).toBeGreaterThan(15);
    return JSON.stringify([rows, stand.sandbox.tokens.calls, stand.sandbox.calls.all().length]);
  }

  interface Change {
    path: string;
    fields: Record<string, string>;
  }
  /** Every route that changes something, and what its own form would send. */
  const changes = (): Record<string, Change> => ({
    'sign out': { path: '/leave', fields: {} },
    connect: { path: '/connect', fields: {} },
    reconnect: { path: '/connections/acme/reconnect', fields: {} },
    name: { path: setup, fields: { connect: tenantId, [`name ${tenantId}`]: 'other', application: 'planning' } },
    applications: { path: '/connections/acme/applications', fields: { newApplication: 'mallory' } },
    disconnect: { path: '/connections/acme/disconnect', fields: {} },
  });
  const genuine = ({ path, fields }: Change): [string, Required<Ask>] => [
    path,
    { method: 'POST', headers: browser.ownHeaders, body: encoded({ token: browser.token, ...fields }) },
  ];
  const without = (headers: Record<string, string>, ...names: string[]) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

  const headers = (change: (own: Record<string, string>) => Record<string, string>) => (ask: Required<Ask>) => ({
    ...ask,
    headers: change(ask.headers),
  });
  const body = (change: (own: string) => string) => (ask: Required<Ask>) => ({ ...ask, body: change(ask.body) });
  const token = (value: () => string) => body((own) => own.replace(/token=[^&]*/, `token=${value()}`));

  const forgeries: Record<string, [number[], (ask: Required<Ask>) => Required<Ask>]> = {
    'no cookie': [[401], headers((own) => without(own, 'cookie'))],
    'a made-up cookie': [[401], headers((own) => ({ ...own, cookie: `daybook_session=${'x'.repeat(43)}` }))],
    'the cookie of a session unused for half an hour': [
      [401],
      headers((own) => ({ ...own, cookie: expired.idle.cookie })),
    ],
    'the cookie of a session older than 12 hours': [[401], headers((own) => ({ ...own, cookie: expired.over.cookie }))],
    'a foreign Origin': [[403], headers((own) => ({ ...own, origin: 'https://evil.example' }))],
    'a foreign Origin, from an old browser': [
      [403],
      headers((own) => ({ ...without(own, 'sec-fetch-site'), origin: 'https://evil.example' })),
    ],
    'the Origin of another port': [
      [403],
      headers((own) => ({ ...own, origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' })),
    ],
    'Origin null': [[403], headers((own) => ({ ...without(own, 'sec-fetch-site'), origin: 'null' }))],
    'neither Origin nor Sec-Fetch-Site': [[403], headers((own) => without(own, 'origin', 'sec-fetch-site'))],
    'Sec-Fetch-Site: cross-site': [[403], headers((own) => ({ ...own, 'sec-fetch-site': 'cross-site' }))],
    'Sec-Fetch-Site: cross-site, without Origin': [
      [403],
      headers((own) => ({ ...without(own, 'origin'), 'sec-fetch-site': 'cross-site' })),
    ],
    'Sec-Fetch-Site: same-site': [[403], headers((own) => ({ ...own, 'sec-fetch-site': 'same-site' }))],
    'Sec-Fetch-Site: none': [[403], headers((own) => ({ ...own, 'sec-fetch-site': 'none' }))],
    'no form token': [[403], body((own) => own.replace(/token=[^&]*&?/, ''))],
    'a made-up form token': [[403], token(() => 'x'.repeat(43))],
    'the form token of another session': [[403], token(() => other.token)],
    JSON: [
      [403],
      (ask) => ({ ...headers((own) => ({ ...own, 'content-type': 'application/json' }))(ask), body: '{"token":"x"}' }),
    ],
    'no content type': [[403], headers((own) => without(own, 'content-type'))],
    'a Host that leads here (DNS rebinding)': [
      [403],
      headers((own) => ({ ...own, host: 'evil.example', origin: 'http://evil.example' })),
    ],
    'the Host without its port': [[403], headers((own) => ({ ...own, host: 'localhost' }))],
    'GET instead of POST': [[200, 404], (ask) => ({ ...ask, method: 'GET', body: '' })],
    'PUT instead of POST': [[404], (ask) => ({ ...ask, method: 'PUT' })],
    'an oversized body': [[413], body((own) => `${own}&more=${'x'.repeat(70_000)}`)],
    'an oversized body of unknown length': [
      [413],
      (ask) => ({
        ...headers((own) => ({ ...own, 'transfer-encoding': 'chunked' }))(ask),
        body: `${ask.body}&more=${'x'.repeat(70_000)}`,
      }),
    ],
  };

  test.each(Object.entries(forgeries))('%s', async (_, [statuses, forge]) => {
    const ends: [Browser, string][] = [
      [expired.idle, "seen_at = now() - interval '31 minutes'"],
      [expired.over, 'expires_at = now()'],
    ];
    for (const [{ cookie }, set] of ends) {
      await query(`update daybook.web_session set ${set} where session_hash = sha256($1::bytea)`, [
        cookie.split('=')[1],
      ]);
    }
    const before = await snapshot();
    for (const [name, change] of Object.entries(changes())) {
      const [path, ask] = genuine(change);
      const { status } = await stand.ask(path, forge(ask));
      expect(statuses, name).toContain(status);
      expect(await snapshot(), name).toBe(before);
    }
  });

  test('a callback that does not belong to this session uses no code', async () => {
    const [own, foreign, forOther, old] = [
      await begin(browser),
      await begin(browser),
      await begin(other),
      await begin(browser),
    ];
    const [{ cookie }, stateOf] = [
      browser,
      (path: string) => new URL(path, stand.origin).searchParams.get('state') ?? '',
    ];
    await query(`update daybook.web_consent set expires_at = now() where state_hash = sha256($1::bytea)`, [
      stateOf(old),
    ]);
    const before = await snapshot();
    const callbacks: [string, Ask, number][] = [
      [own.replace(/state=[^&]*/, `state=${'x'.repeat(43)}`), { headers: { cookie } }, 403],
      [own.replace(/&?state=[^&]*/, ''), { headers: { cookie } }, 403],
      [forOther, { headers: { cookie } }, 403],
      [own, { headers: { cookie: other.cookie } }, 403],
      [own, { headers: { cookie: expired.idle.cookie } }, 401],
      [own, {}, 401],
      [own, { headers: { cookie, host: 'evil.example' } }, 403],
      [own, { method: 'POST', headers: { ...browser.ownHeaders, 'sec-fetch-site': 'cross-site' } }, 403],
      [old, { headers: { cookie } }, 403],
    ];
    for (const [path, ask, expected] of callbacks) {
      expect((await stand.ask(path, ask)).status).toBe(expected);
      expect(await snapshot()).toBe(before);
    }
    // And the session that began it gets through: once.
    expect(await stand.ask(foreign, { headers: { cookie } })).toMatchObject({
      status: 303,
      headers: { location: expect.stringMatching(/^\/setup\//) },
    });
    const after = await snapshot();
    expect(after).not.toBe(before);
    expect((await stand.ask(foreign, { headers: { cookie } })).status).toBe(403);
    expect(await snapshot()).toBe(after);
  });

  test('a set-up of another session is none', async () => {
    const before = await snapshot();
    const { fields } = changes().name ?? { fields: {} };
    expect((await other.get(setup)).text).toContain('This set-up is over');
    expect((await other.post(setup, fields)).text).toContain('This set-up is over');
    expect(await snapshot()).toBe(before);
  });

  test('a one-time link opens one session, within ten minutes; passwords are none where there is no password', async () => {
    const enter = (fields: Record<string, string>, more: Record<string, string> = {}): Promise<Answer> =>
      stand.ask('/enter', {
        method: 'POST',
        headers: { ...without(browser.ownHeaders, 'cookie'), ...more },
        body: encoded(fields),
      });
    const [link, late, foreign] = [await stand.newLink(), await stand.newLink(), await stand.newLink()];
    expect((await stand.ask(`/enter/${link}`)).status).toBe(200);
    expect((await enter({ link })).status).toBe(303);
    await query(`update daybook.web_link set expires_at = now() where link_hash = sha256($1::bytea)`, [late]);
    const before = await snapshot();
    const refused: [Promise<Answer>, number][] = [
      [enter({ link }), 401],
      [enter({ link: late }), 401],
      [enter({ link: 'x' }), 401],
      [enter({ link: foreign }, { origin: 'https://evil.example' }), 403],
      [enter({ link: foreign }, { 'sec-fetch-site': 'cross-site' }), 403],
      [enter({ link: foreign }, { host: 'evil.example' }), 403],
      [enter({ password: '' }), 401],
      [enter({}), 401],
    ];
    for (const [answer, status] of refused) expect((await answer).status).toBe(status);
    expect(await snapshot()).toBe(before);
  });

  test('and the genuine requests, of which these were forged, do change something', async () => {
    const { 'sign out': leave, ...rest } = changes();
    for (const [name, change] of [...Object.entries(rest), ['sign out', leave] as const]) {
      if (change === undefined) continue;
      const before = await snapshot();
      const { status } = await stand.ask(...genuine(change));
      expect([200, 303], name).toContain(status);
      expect(await snapshot(), name).not.toBe(before);
    }
    // The cookie is worth nothing any more.
    expect((await stand.ask('/connections/acme', { headers: { cookie: browser.cookie } })).status).toBe(401);
    expect(stand.errors).toEqual([]);
  });
});
