import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyRing } from '../../xero/sealing.ts';
import { createTokens } from '../../xero/tokens.ts';
import { freePort } from '../support/free-port.ts';
import { databasePlaces, findLeaks, type Places, secretsOf, temporalPlaces, watchPostgres } from '../support/leaks.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

// As secrets.test.ts, for the ways to connect that it does not go.

describe('No token or secret of a callback handed over, of a custom connection, or of a consent that is ended is anywhere', () => {
  let stand: Stand;
  let web: TestProcess;
  let worker: TestProcess;
  let postgresLog: () => Places;
  const printed: Places = {};
  /** What the database held at moments that pass. */
  const moments: Places = {};
  const callbacks: string[] = [];
  const states = new Map<string, string[]>();
  const runs: { workflowId: string; runId: string }[] = [];
  const custom = { XERO_CLIENT_ID: 'daybook-sandbox-custom' };
  let page: Record<string, string>;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 300, seed: 52 }, worker: false });
    postgresLog = await watchPostgres(stand);
    page = { DAYBOOK_WEB_PORT: `${await freePort()}` };
    web = runProcess('bin/daybook.mjs', { args: ['web'], env: loud(page) });
    worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: loud(custom) });
    await web.line(/^The connect page: /, 60_000);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([web.end('SIGTERM'), worker.end('SIGTERM')]);
    await stand.close();
  });

  const loud = (more: Record<string, string>) => ({ ...stand.environment, ...more, DAYBOOK_LOG_LEVEL: 'trace' });
  const newest = () => stand.sandbox.tokens.events().at(-1);
  const fault = (path: string, status: number, body: object, times = 1) =>
    stand.sandbox.faults.add({
      match: { path, times },
      do: { kind: 'answer', status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    });
  /** What an endpoint was sent last, thrown back at whoever sent it. */
  const echo = () => `Bearer ${newest()?.accessToken} & ${stand.sandbox.clientSecret} & ${newest()?.verifier}`;

  async function run(name: string, args: string[], code: number, more: Record<string, string>) {
    const child = runProcess('bin/daybook.mjs', { args, env: loud(more) });
    expect([await child.exited, child.output()]).toEqual([code, expect.any(String)]);
    printed[name] = child.output();
  }

  /** A terminal's consent, whose callback the page serves. It stands still while the answer lies in the database. */
  async function connectThroughPage(name: string, code: number) {
    const args = ['connect', '--name', name, '--application', application, '--no-browser', '--json'];
    const terminal = runProcess('bin/daybook.mjs', { args, env: loud(page) });
    const address = await terminal.line(/^http.*authorize/, 60_000);
    const state = new URL(address).searchParams.get('state') ?? '';
    states.set(`state of ${name}`, [state]);
    const back = stand.sandbox.consent(address, { tenantIds: [stand.organisation.tenantId], userId: name });
    callbacks.push(back);
    process.kill(terminal.pid, 'SIGSTOP');
    const answer = await fetch(back);
    printed[`answer to the callback of ${name}`] = JSON.stringify([...answer.headers]) + (await answer.text());
    for (const [place, text] of Object.entries(await databasePlaces(stand))) moments[`${place}, ${name}`] = text;
    process.kill(terminal.pid, 'SIGCONT');
    expect([await terminal.exited, terminal.output()]).toEqual([code, expect.any(String)]);
    // The address is printed for the person, who takes the state to Xero.
    printed[`terminal of ${name}`] = terminal.output().replaceAll(address, '');
  }

  test('a callback that the page hands to a terminal, sealed; and one whose code Xero refuses, with the echo', async () => {
    await connectThroughPage('handed-over', 0);
    expect(moments['table daybook.consent_handover, handed-over']).toContain('ciphertext');
    fault('/connect/token', 400, { error: 'invalid_grant', error_description: echo() });
    await connectThroughPage('refused', 2);
    expect(printed['terminal of refused']).toContain('does not accept the token or code');
  }, 120_000);

  test('a custom connection: refused, connected, imported through, its token renewed', async () => {
    const connect = [
      'connect',
      '--custom',
      '--name',
      `${stand.connection}-custom`,
      '--application',
      application,
      '--json',
    ];
    fault('/connect/token', 401, { error: 'invalid_client', error_description: echo() });
    await run('a custom connection refused', connect, 2, custom);
    stand.sandbox.faults.clear();
    await run('a custom connection', connect, 0, custom);
    const before = stand.sandbox.tokens.calls;
    fault('Journals', 500, { Title: 'An error occurred', Detail: echo() });
    stand.sandbox.tokens.expireAccessTokens();
    fault('/connect/token', 500, { error: 'server_error', error_description: echo() });
    const started = await stand.imports.startJournals({ connection: `${stand.connection}-custom`, application });
    runs.push(started);
    expect(await stand.imports.ending(started.workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.tokens.calls - before).toBeGreaterThanOrEqual(1);
  }, 90_000);

  test('a consent of which no connection is made, ended while Xero echoes', async () => {
    await run('remove', ['connections', 'remove', 'handed-over', '--keep-at-xero'], 0, {});
    const { pool } = stand.database;
    const lines: unknown[] = [];
    const note = (facts: object, message: string) => lines.push(facts, message);
    const { environment, sandbox } = stand;
    const xero = {
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      redirectUri: 'http://localhost:8088/oauth/callback',
      scopes: [],
      ...{ apiUrl: sandbox.url, identityUrl: sandbox.url, loginUrl: sandbox.url },
    };
    const keys = createKeyRing(environment.DAYBOOK_TOKEN_KEYS ?? '');
    const log = { info: note, warn: note, error: note };
    const tokens = createTokens({ pool, xero, keys, now: () => Date.now(), log });
    await pool.query(`delete from daybook.connection where name = '${stand.connection}'`);
    await pool.query(`update daybook.authorisation set created_at = created_at - interval '7 hours'`);
    await pool.query(`update daybook.refresh_attempt set started_at = started_at - interval '7 hours'`);
    await pool.query('update daybook.authorisation_token set expires_at = now()');
    fault('/connections', 403, { Title: 'Forbidden', Detail: echo() });
    for (const ended of [1, 1]) expect(await tokens.endAbandoned()).toBe(ended);
    expect(lines.length).toBeGreaterThanOrEqual(6);
    printed['log of ending consents'] = JSON.stringify(lines);
  }, 120_000);

  test('none of them is in a table at any moment, Postgres’s log, a history, an output, an answer', async () => {
    const secrets = secretsOf(stand);
    const stored = { ...(await databasePlaces(stand)), ...moments, ...postgresLog() };
    const places = {
      ...stored,
      ...(await temporalPlaces(stand, runs)),
      ...printed,
      'the page’s output': web.output(),
      'the worker’s output': worker.output(),
    };
    const events = stand.sandbox.tokens.events();
    expect(new Set(events.map(({ grantType }) => grantType))).toEqual(
      new Set(['authorization_code', 'client_credentials', 'refresh_token']),
    );
    expect([...secrets.keys()].filter((name) => name.startsWith('code verifier')).length).toBeGreaterThanOrEqual(2);
    expect(findLeaks(secrets, places)).toEqual([]);
    // Of a state only its hash is stored; the person's terminal and browser have to know it.
    expect(findLeaks(states, { ...stored, 'the page’s output': web.output() })).toEqual([]);
    // The search would have found what it must find: the code where the browser brought it.
    const found = findLeaks(new Map([...secrets, ...states]), { callbacks: callbacks.join('\n') });
    expect(found.filter((leak) => leak.startsWith('code or refresh token spent'))).toHaveLength(1);
    expect(found.filter((leak) => leak.startsWith('state of'))).toHaveLength(2);
  });
});
