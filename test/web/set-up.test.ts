import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectCustom } from '../../admin/custom-connection.ts';
import { waitInWords } from '../../cli/run-words.ts';
import { recentRuns } from '../../storage/recent-runs.ts';
import { runProcess } from '../support/processes.ts';
import { type Browser, startWebStand, type WebStand } from './web-stand.ts';

describe('An admin sets up connections on the connect page', () => {
  const hostile = '<script>alert(1)</script> & "Sons"';
  let stand: WebStand;
  let browser: Browser;
  let tenants: string[];
  beforeAll(async () => {
    stand = await startWebStand({ sandbox: { organisations: [{ name: 'Øresund Café ApS' }, { name: hostile }] } });
    browser = await stand.browser();
    tenants = stand.sandbox.organisations.map(({ tenantId }) => tenantId);
  });
  afterAll(() => stand.close());

  const query = async (sql: string) => (await stand.database.pool.query(sql)).rows;
  const pathOf = (address: string) => address.replace(stand.origin, '');
  /** Presses Connect, consents at the sandbox, and is sent back. */
  async function connect(by: string, consent: Parameters<WebStand['sandbox']['consent']>[1]) {
    await browser.get('/');
    await browser.post(by);
    return browser.get(pathOf(stand.sandbox.consent(browser.consentAddress, consent)));
  }

  test('a consent for two organisations becomes two connections of one authorisation, each name suggested', async () => {
    await connect('/connect', { tenantIds: tenants });
    expect(browser.path).toMatch(/^\/setup\/[0-9a-f-]{36}$/);
    expect(browser.choices).toEqual([
      { tenantId: tenants[0], name: 'oresund-cafe-aps', ticked: true },
      { tenantId: tenants[1], name: 'script-alert-1-script-sons', ticked: true },
    ]);
    const fields = Object.fromEntries(browser.choices.map(({ tenantId, name }) => [`name ${tenantId}`, name]));
    expect((await browser.post(browser.path, { ...fields, connect: [] })).status).toBe(422);
    expect(browser.notices).toEqual(['failed: Choose at least one organisation to connect.']);
    expect((await browser.post(browser.path, { ...fields, connect: tenants })).text).toContain(
      'at least one application',
    );

    // One of them cannot be had as it was typed: the other is connected, and the page stays for this one.
    const typed = { ...fields, [`name ${tenants[1]}`]: 'Not a name!' };
    const newApplication = 'planning, bi tool';
    await browser.post(browser.path, { ...typed, connect: tenants, newApplication });
    expect(browser.notices).toEqual([
      'done: "Øresund Café ApS" is connected as "oresund-cafe-aps", for bi tool, planning.',
      expect.stringMatching(/^failed: The name "Not a name!" must begin with a small letter/),
    ]);
    expect(browser.choices.map(({ ticked }) => ticked)).toEqual([false, true]);
    await browser.post(browser.path, { ...fields, connect: tenants[1] ?? '', application: ['planning'] });
    expect(browser.path).toBe('/');
    expect(await query('select name, tenant_id from daybook.connection order by 1')).toEqual([
      { name: 'oresund-cafe-aps', tenant_id: tenants[0] },
      { name: 'script-alert-1-script-sons', tenant_id: tenants[1] },
    ]);
    expect(await query('select count(distinct authorisation_id)::int as n from daybook.connection')).toEqual([
      { n: 1 },
    ]);
    expect(await query('select actor, act, subject from daybook.audit order by audit_id')).toEqual([
      { actor: 'web (ada)', act: 'connect', subject: 'oresund-cafe-aps' },
      { actor: 'web (ada)', act: 'connect', subject: 'script-alert-1-script-sons' },
    ]);
  });

  test('whatever others can name is escaped, wherever it is shown', async () => {
    const name = 'script-alert-1-script-sons';
    for (const path of ['/', `/connections/${name}`, `/connections/${name}/disconnect`]) {
      const { text } = await browser.get(path);
      expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Sons&quot;');
      expect(text).not.toContain('<script');
    }
    // What comes in by an address: a link, a name that is not there, an answer of Xero's.
    const nasty = encodeURIComponent('"><script>alert(2)</script>');
    for (const path of [`/enter/${nasty}`, `/connections/${nasty}`, `/oauth/callback?error=${nasty}&state=${nasty}`]) {
      expect((await browser.get(path)).text).not.toContain('<script');
    }
  });

  test('a consent of a single organisation selects it by its authentication event, never the first', async () => {
    await connect('/connect', { tenantIds: [tenants[1] ?? ''] });
    // Connected already, so nothing is ticked but what the consent meant.
    expect(browser.choices).toEqual([
      { tenantId: tenants[0], name: 'oresund-cafe-aps-2', ticked: false },
      { tenantId: tenants[1], name: 'script-alert-1-script-sons-2', ticked: true },
    ]);
    expect(browser.page).toContain('Connected already, as script-alert-1-script-sons.');
  });

  test('access denied by the user connects nothing and says so', async () => {
    const before = await query('select * from daybook.authorisation');
    await connect('/connect', { deny: true });
    expect([browser.path, browser.notices]).toEqual([
      '/',
      [expect.stringMatching(/^failed: The consent was declined in Xero/)],
    ]);
    expect(await query('select * from daybook.authorisation')).toEqual(before);
    expect(await query('select * from daybook.web_consent')).toEqual([]);
  });

  test('a lost authorisation is seen; reconnected, all its connections and the imports that waited go on', async () => {
    await stand.database.pool.query(
      `update daybook.authorisation set status = 'needsReconnect', message = 'Xero ended it.'`,
    );
    await stand.database.pool.query(
      `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                       request, starting_at, moves_watermark, status)
       select gen_random_uuid(), 'import-journals', connection_id, name, 'planning', tenant_id, 'journals', '{}', 0, true,
              'needsReconnect' from daybook.connection where tenant_id = '${tenants[0]}'`,
    );
    await browser.get('/');
    expect(browser.page.match(/Needs reconnect/g)).toHaveLength(2);
    expect(browser.page).toContain('Waits until the connection is reconnected');
    // The wrong organisation first.
    await connect('/connections/oresund-cafe-aps/reconnect', { tenantIds: [tenants[1] ?? ''], userId: 'another user' });
    expect(browser.notices).toEqual([
      expect.stringMatching(/^failed: The consent does not cover the organisation of "oresund-cafe-aps"/),
    ]);
    expect(stand.resumed).toEqual([]);
    await connect('/connections/oresund-cafe-aps/reconnect', { tenantIds: [tenants[0] ?? ''] });
    expect(browser.notices).toEqual([
      'done: "oresund-cafe-aps" (Øresund Café ApS) is connected again.',
      'done: 1 waiting workflow looks again now.',
    ]);
    expect(stand.resumed).toEqual([['import-journals']]);
    await stand.database.pool.query(`delete from daybook.import_run`);
    await browser.get('/');
    expect(browser.page).not.toContain('Needs reconnect');
  });

  test('an import that waits is shown with the reason, in the words of `daybook status`', async () => {
    const { pool } = stand.database;
    await pool.query(
      `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                       request, starting_at, moves_watermark, status, waiting_until, waiting_for)
       select gen_random_uuid(), 'import-journals', connection_id, name, 'planning', tenant_id, 'journals', '{}', 0, true,
              'waiting', '2099-07-01T09:30:00Z', 'precedence' from daybook.connection where tenant_id = '${tenants[0]}'`,
    );
    // Others meet another limit of the same organisation meanwhile: that is not what this one waits for.
    await pool.query(
      `update daybook.quota_ledger set blocked_until = now() + interval '1 hour', blocked_by = 'minute' where scope = $1`,
      [`tenant:${tenants[0]}`],
    );
    const [told] = (await recentRuns(pool, 1)).map(waitInWords);
    const { text } = await browser.get('/');
    const shown = /data-label="What it does">(.*?)<\/td>/
      .exec(text)?.[1]
      ?.replace(/<time datetime="([^"]+)">.*?<\/time>/, '$1');
    expect(shown).toBe(`Waits, ${told}`);
    expect(shown).toMatch(/^Waits, goes on at 2099-07-01T09:30:00.000Z: .*imports that somebody waits for$/);
    await pool.query('delete from daybook.import_run');
    await pool.query('delete from daybook.quota_ledger');
  });

  test('applications are allowed and taken off; a connection is removed, at Xero too', async () => {
    const name = 'script-alert-1-script-sons';
    await browser.get(`/connections/${name}`);
    await browser.post(`/connections/${name}/applications`, { application: ['bi tool'], newApplication: 'board' });
    expect(browser.notices).toEqual([
      `done: May use "${name}" now: bi tool, board. May not use "${name}" any more: planning.`,
      `note: The Schedule of "${name}" fails from now on.`,
    ]);
    // One name is wrong: the page stays, with all that was filled in.
    const filled = { application: ['bi tool', 'planning'], newApplication: 'treasury, no/slash' };
    expect((await browser.post(`/connections/${name}/applications`, filled)).status).toBe(422);
    expect(browser.notices).toEqual([
      expect.stringMatching(/^failed: The application "no\/slash" must have only letters/),
    ]);
    expect(browser.page).toContain('name="newApplication" value="treasury, no/slash"');
    const ticked = [...browser.page.matchAll(/name="application" value="([^"]+)" checked/g)].map(([, one]) => one);
    expect(ticked).toEqual(['bi tool', 'planning']);
    await browser.get(`/connections/${name}/disconnect`);
    await browser.post(`/connections/${name}/disconnect`);
    expect(browser.notices).toEqual([
      expect.stringMatching(/^done: .* is removed\. It is disconnected at Xero\./),
      `note: The Schedule of "${name}" fails from now on.`,
    ]);
    expect(browser.page).toMatch(/Removed<\/span>/);
    expect(await query('select name from daybook.connection')).toEqual([{ name: 'oresund-cafe-aps' }]);
  });

  test('while the page has the port of the callback, `daybook connect` gets its callback through it', async () => {
    const env = {
      DATABASE_URL: stand.database.url,
      DAYBOOK_TOKEN_KEYS: stand.tokenKeys,
      XERO_CLIENT_ID: stand.xero.clientId,
      XERO_CLIENT_SECRET: stand.xero.clientSecret,
      XERO_REDIRECT_URI: stand.xero.redirectUri,
      XERO_API_URL: stand.xero.apiUrl,
      XERO_IDENTITY_URL: stand.xero.identityUrl,
      XERO_LOGIN_URL: stand.xero.loginUrl,
    };
    const args = ['connect', '--name', 'by-terminal', '--application', 'planning', '--no-browser'];
    const connecting = runProcess('bin/daybook.mjs', { args, env });
    const address = await connecting.line(/^http.*authorize/);
    // The browser need not be signed in: what it brings is of use to the terminal only.
    const back = pathOf(stand.sandbox.consent(address, { tenantIds: [tenants[1] ?? ''] }));
    const { status, text } = await stand.ask(back);
    expect([status, text]).toEqual([200, expect.stringContaining('Daybook goes on in the terminal')]);
    expect([await connecting.exited, connecting.output()]).toEqual([
      0,
      expect.stringContaining(`Connected "${hostile}" as "by-terminal"`),
    ]);
    expect((await stand.ask(back)).status).toBe(401);
    expect(await query('select * from daybook.consent_handover')).toEqual([]);
  });

  test('a custom connection is reconnected at once, as its app needs no consent', async () => {
    const { pool } = stand.database;
    const appOfTerminal = stand.xero.clientId;
    stand.xero.clientId = 'daybook-sandbox-custom';
    const place = { pool, xero: stand.xero, tokenKeys: stand.tokenKeys, actor: 'ada', now: () => Date.now() };
    await connectCustom(place, { name: 'by-app', applications: ['planning'] });
    await browser.get('/connections/by-app');
    await browser.post('/connections/by-app/reconnect');
    expect(browser.notices).toEqual(['done: "by-app" (Øresund Café ApS) is connected again.']);
    expect(browser.path).toBe('/');
    stand.xero.clientId = appOfTerminal;
    await browser.post('/connections/by-app/reconnect');
    expect(browser.consentAddress).toContain('/identity/connect/authorize');
  });

  test('organisations of the same name are told apart, and each is connected under a name of its own', async () => {
    const twins = await startWebStand({
      sandbox: { organisations: [{ name: 'Demo Company' }, { name: 'Demo Company' }] },
    });
    try {
      const visitor = await twins.browser();
      await visitor.get('/connect');
      await visitor.post('/connect');
      await visitor.get(twins.sandbox.consent(visitor.consentAddress).replace(twins.origin, ''));
      for (const { tenantId } of twins.sandbox.organisations) {
        expect(visitor.page).toContain(`<legend>Demo Company (tenant ${tenantId})</legend>`);
      }
      expect(visitor.choices.map(({ name }) => name)).toEqual(['demo-company', 'demo-company-2']);
    } finally {
      await twins.close();
    }
  });

  test('nothing went wrong unexpectedly', () => expect(stand.errors).toEqual([]));
});
