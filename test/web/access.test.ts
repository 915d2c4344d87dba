import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage } from '../../cli/web.ts';
import { ConfigurationError, loadConfig } from '../../config/config.ts';
import { listen } from '../../web/listen.ts';
import { encoded, startWebStand, type WebStand } from './web-stand.ts';

describe('The connect page is opened by its admin only', () => {
  const password = 'correct horse battery';
  let stand: WebStand;
  beforeAll(async () => {
    stand = await startWebStand({ password });
  });
  afterAll(() => stand.close());

  const enter = (given: string, { origin = stand.origin, cookie = '' } = {}) =>
    stand.ask('/enter', {
      method: 'POST',
      headers: { origin, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      body: encoded({ password: given }),
    });

  test('every answer, also an error, has the strict headers', async () => {
    const browser = await stand.browser();
    const { cookie } = browser;
    const answers = {
      enter: await stand.ask('/enter'),
      list: await stand.ask('/', { headers: { cookie } }),
      style: await stand.ask('/style.css'),
      redirect: await stand.ask('/'),
      'not signed in': await stand.ask('/connect'),
      'not found': await stand.ask('/nowhere', { headers: { cookie } }),
      'wrong host': await stand.ask('/', { headers: { host: 'evil.example' } }),
      forged: await stand.ask('/connect', { method: 'POST', headers: { cookie } }),
      callback: await stand.ask('/oauth/callback?state=x&code=y', { headers: { cookie } }),
    };
    const varying = ['date', 'connection', 'content-length', 'transfer-encoding', 'content-type', 'location'];
    for (const [name, { headers }] of Object.entries(answers)) {
      const strict = Object.fromEntries(Object.entries(headers).filter(([header]) => !varying.includes(header)));
      expect(strict, name).toEqual({
        'cache-control': 'no-store',
        'content-security-policy':
          "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'origin-agent-cluster': '?1',
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'x-download-options': 'noopen',
        'x-frame-options': 'DENY',
        'x-permitted-cross-domain-policies': 'none',
        'x-xss-protection': '0',
      });
    }
    expect(Object.values(answers).map(({ status }) => status)).toEqual([200, 200, 200, 303, 401, 404, 403, 403, 403]);
  });

  test('what is stored of links and sessions opens nothing', async () => {
    const [link, browser] = [await stand.newLink(), await stand.browser()];
    const secret = browser.cookie.split('=')[1] ?? '';
    const { rows } = await stand.database.pool.query(
      `select (select json_agg(l) from daybook.web_link l) as links, (select json_agg(s) from daybook.web_session s) as sessions`,
    );
    const stored = JSON.stringify(rows);
    for (const text of [link, secret]) {
      expect(stored).not.toContain(text);
      expect(stored).not.toContain(Buffer.from(text).toString('hex'));
    }
    for (const [hash] of stored.matchAll(/(?<=\\\\x)[0-9a-f]{64}/g)) {
      expect((await stand.ask('/connect', { headers: { cookie: `daybook_session=${hash}` } })).status).toBe(401);
    }
    expect((await stand.ask('/connect', { headers: { cookie: browser.cookie } })).status).toBe(200);
  });

  test('the password opens it; a wrong one does not, five times a minute, which keeps out no browser that has been in', async () => {
    const right = await enter(password);
    expect([right.status, right.headers['set-cookie']]).toEqual([
      303,
      [
        expect.stringMatching(
          /^daybook_known=[\w-]{43}\.[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Strict$/,
        ),
        expect.stringMatching(/^daybook_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
      ],
    ]);
    const known = `${right.headers['set-cookie']?.[0]}`.split(';')[0] ?? '';
    expect((await enter(password, { origin: 'https://evil.example' })).status).toBe(403);
    for (const wrong of ['', 'correct', `${password} `, 'x', password.toUpperCase()]) {
      expect((await enter(wrong)).status).toBe(401);
    }
    expect((await enter(password)).status).toBe(429);
    for (const forged of ['daybook_known=x', `${known}x`, known.replace('=', '=x')]) {
      expect((await enter(password, { cookie: forged })).status, forged).toBe(429);
    }

    // Nobody who guesses locks out a browser that has been in: it has five tries of its own.
    expect((await enter(password, { cookie: known })).status).toBe(303);
    for (let tries = 0; tries < 5; tries += 1) expect((await enter('x', { cookie: known })).status).toBe(401);
    expect((await enter(password, { cookie: known })).status).toBe(429);
    const { rows } = await stand.database.pool.query('select actor from daybook.web_session where actor like $1', [
      '%pass%',
    ]);
    expect(rows).toEqual([{ actor: 'web (password)' }, { actor: 'web (password)' }]);
  });

  test('an address or a form with the character NUL is nobody’s, and no fault of the page', async () => {
    const browser = await stand.browser();
    const { cookie } = browser;
    for (const path of ['/connections/%00', '/connections/a%00/disconnect', '/setup/%00', '/enter/%00', '/?x=%00']) {
      expect((await stand.ask(path, { headers: { cookie } })).status, path).toBe(404);
    }
    await browser.get('/connect');
    await browser.post('/connections/acme/applications', { application: 'a\0b' });
    expect(browser.page).toContain('This form is not one of this session');
    expect(stand.errors).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('it listens on this machine’s own addresses only', () => {
    const port = Number(new URL(stand.origin).port).toString(16).toUpperCase().padStart(4, '0');
    const listening = ['tcp', 'tcp6'].flatMap((family) =>
      readFileSync(`/proc/self/net/${family}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === '0A')
        .map(([, local]) => local?.split(':')[0]),
    );
    expect(listening).toContain('0100007F');
    for (const address of listening) expect(['0100007F', '00000000000000000000000001000000']).toContain(address);
  });

  test('a port that was asked for and is taken is not replaced by another', async () => {
    const taken = await listen('localhost', 0, () => {});
    const config = loadConfig({ DAYBOOK_WEB_PORT: `${taken?.port}` });
    expect(await openPage(config)).toBeNull();
    const other = await openPage({ ...config, web: { ...config.web, isPortChosen: false } });
    expect(other?.origin).toMatch(/^http:\/\/localhost:\d+$/);
    expect(other?.origin).not.toContain(`:${taken?.port}`);
    await other?.close();
    await taken?.close();
  });

  test('elsewhere it listens only with a password and the origin of a proxy', () => {
    const problems = (environment: Record<string, string>) => {
      try {
        loadConfig(environment);
        return [];
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        return error.message.split('\n');
      }
    };
    const [host, origin] = ['DAYBOOK_WEB_HOST', 'DAYBOOK_WEB_ORIGIN'];
    const outside = { [host]: '0.0.0.0', [origin]: 'https://books.example', DAYBOOK_WEB_PASSWORD: password };
    expect(problems(outside)).toEqual([]);
    expect(loadConfig(outside).redirectUri).toBe('https://books.example/oauth/callback');
    expect(problems({ [host]: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^DAYBOOK_WEB_PASSWORD is missing: DAYBOOK_WEB_HOST is 0\.0\.0\.0, which others can reach/),
      expect.stringMatching(/^DAYBOOK_WEB_ORIGIN is missing/),
    ]);
    expect(problems({ [host]: '::' })).toHaveLength(2);
    for (const own of ['localhost', '127.0.0.1', '::1']) expect(problems({ [host]: own })).toEqual([]);
    expect(problems({ ...outside, DAYBOOK_WEB_PASSWORD: 'short' })).toEqual([expect.stringMatching(/12 characters/)]);
    expect(problems({ ...outside, [origin]: 'http://books.example' })).toEqual([expect.stringMatching(/https:/)]);
    expect(problems({ ...outside, [origin]: 'https://books.example/path' })).toEqual([
      expect.stringMatching(/without a path/),
    ]);
  });
});
