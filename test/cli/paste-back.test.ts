import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { runProcess } from '../support/processes.ts';

describe('On a machine without a browser, the address it ended on is pasted into the terminal', () => {
  let database: TestDatabase;
  let sandbox: Sandbox;
  /** Has the port of the callback, as another program may. */
  const other = createServer((_, response) => response.end('another program'));
  let taken = 0;
  let earlier = '';

  beforeAll(async () => {
    [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox({ journals: 5 })]);
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    taken = (other.address() as AddressInfo).port;
  });
  afterAll(async () => {
    other.close();
    await sandbox.close();
    await database.drop();
  });
  beforeEach(() => database.pool.query('truncate daybook.connection, daybook.authorisation cascade'));

  function connect({ port, typing = true, args = [] }: { port: number; typing?: boolean; args?: string[] }) {
    return runProcess('bin/daybook.mjs', {
      args: ['connect', '--name', 'acme', '--application', 'planning', '--no-browser', ...args],
      typing,
      env: {
        DATABASE_URL: database.url,
        DAYBOOK_TOKEN_KEYS: `k1:${Buffer.alloc(32, 3).toString('base64')}`,
        XERO_CLIENT_ID: sandbox.clientId,
        XERO_CLIENT_SECRET: sandbox.clientSecret,
        XERO_REDIRECT_URI: `http://localhost:${port}/oauth/callback`,
        XERO_API_URL: sandbox.url,
        XERO_IDENTITY_URL: sandbox.url,
        XERO_LOGIN_URL: sandbox.url,
      },
    });
  }
  const connections = async () => (await database.pool.query('select name from daybook.connection')).rows;

  test('the port is taken: it says so, and takes the pasted address', async () => {
    const connecting = connect({ port: taken, args: ['--json'] });
    const address = await connecting.line(/^http.*authorize/);
    expect(await connecting.line(/^Port/)).toMatch(/Port \d+ is taken by another process, .*Paste here the address/);
    earlier = await sandbox.consent(address);
    connecting.type(`  "${earlier.replace('http://', '')}" `);
    expect([await connecting.exited, connecting.output()]).toEqual([0, expect.stringContaining('"name":"acme"')]);
    expect(await connections()).toEqual([{ name: 'acme' }]);
    expect(connecting.output()).not.toContain(new URL(earlier).searchParams.get('code'));
  });

  test('a wrong address is said to be wrong and asked for again, pasted or called', async () => {
    const port = await freePort();
    const connecting = connect({ port });
    const address = await connecting.line(/^http.*authorize/);
    const right = await sandbox.consent(address);
    const { searchParams: parameters } = new URL(right);
    const wrong: [string, RegExp][] = [
      ['yes', /^That is not the address the consent ends on: it begins with http:\/\/localhost/],
      ['http://[', /^That is not the address/],
      [address, /^That is the consent page’s own address/],
      [right.replace(/code=[^&]*&?/, ''), /^That address is cut short: it has to hold a code and a state/],
      [right.replace(/&state=.*/, ''), /^That address is cut short/],
      [earlier.replace(/:\d+/, `:${port}`), /^That address belongs to another consent .* its code was not used/],
    ];
    for (const [text, sentence] of wrong) {
      connecting.type(text);
      await connecting.line(sentence);
    }
    const forged = `http://localhost:${port}/oauth/callback?code=${parameters.get('code')}&state=forged%3Cb%3E`;
    const refused = await fetch(forged);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('another consent')]);
    expect(await connections()).toEqual([]);

    // The callback still comes first, if it comes.
    expect((await fetch(right)).status).toBe(200);
    expect(await connecting.exited).toBe(0);
    expect(connecting.output()).toContain(`Connected "${sandbox.organisations[0]?.name}" as "acme"`);
    expect(connecting.output().match(/Paste the address again/g)).toHaveLength(wrong.length);
    for (const secret of ['code', 'state'].map((name) => parameters.get(name) ?? 'missing')) {
      expect(connecting.output().replace(address, '')).not.toContain(secret);
    }
  });

  test('a declined consent pasted is a declined consent', async () => {
    const connecting = connect({ port: await freePort() });
    connecting.type(await sandbox.consent(await connecting.line(/^http.*authorize/), { deny: true }));
    expect([await connecting.exited, connecting.output()]).toEqual([
      2,
      expect.stringContaining('was declined in Xero'),
    ]);
  });

  test('no callback can come and nothing can be pasted: it ends at once and says why', async () => {
    const connecting = connect({ port: taken, typing: false });
    expect(await connecting.exited).toBe(2);
    expect(connecting.output()).toMatch(
      /is taken by another process, .* No address was pasted either\. Begin again\.\n$/,
    );
  });
});
