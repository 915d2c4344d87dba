import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultAction } from '../../sandbox/server.ts';
import {
  databasePlaces,
  findLeaks,
  formsOf,
  type Places,
  secretsOf,
  temporalPlaces,
  watchPostgres,
} from '../support/leaks.ts';
import { runRows, untilProgress } from '../support/observe.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Login {
  password: string;
  url: string;
}

describe('No token or secret is in histories, logs, errors or a plain column', () => {
  let stand: Stand;
  let worker: TestProcess;
  const runs: { workflowId: string; runId: string }[] = [];
  const printed: Places = {};
  const passwords = new Map<string, string[]>();
  let postgresLog: () => Places;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 900, seed: 51, limits: { minute: 10_000 } }, worker: false });
    postgresLog = await watchPostgres(stand);
    worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: loud() });
  });
  afterAll(async () => {
    await worker.end('SIGTERM');
    await stand.database.pool.query(
      `do $$ begin execute format('drop owned by %1$I; drop role %1$I', daybook.readers_role()); end $$`,
    );
    await stand.close();
  });

  const loud = () => ({ ...stand.environment, DAYBOOK_LOG_LEVEL: 'trace' });
  const newest = () => stand.sandbox.tokens.events().at(-1);

  /** What the API is sent, as it might throw it back at whoever sent it. */
  const apiEcho = () => `Authorization: Bearer ${newest()?.accessToken}`;
  /** What the token endpoint is sent, with the token it is sent when that is known beforehand. */
  function tokenEcho(refreshToken: string | null = ''): string {
    const { clientId, clientSecret } = stand.sandbox;
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    return `Authorization: Basic ${basic} & secret=${clientSecret} & refresh_token=${refreshToken}`;
  }
  /** As long as makes whoever shortens it to 300 characters cut through the middle of a secret. */
  const cutEcho = (secret: string | null | undefined) => `${'x'.repeat(270)}${secret}`;
  const answer = (status: number, body: string, headers: Record<string, string> = {}): FaultAction => ({
    kind: 'answer',
    status,
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const problem = (detail: string) => JSON.stringify({ Title: 'An error occurred', Detail: detail });

  const onJournals = (nth: number, action: FaultAction) =>
    stand.sandbox.faults.add({ match: { path: 'Journals', nth }, do: action });
  const onToken = (nth: number, action: FaultAction) =>
    stand.sandbox.faults.add({ match: { path: '/connect/token', nth }, do: action });

  async function start(filters: Record<string, unknown>) {
    const started = await stand.imports.startJournals({ connection: stand.connection, application, ...filters });
    runs.push(started);
    return started.workflowId;
  }

  async function importThroughFaults(filters: Record<string, unknown> = {}) {
    return endOf(await start(filters));
  }

  async function endOf(workflowId: string) {
    const ending = await stand.imports.ending(workflowId);
    printed[`outcome of run ${runs.length}`] = JSON.stringify(ending);
    stand.sandbox.faults.clear();
    return ending;
  }

  async function command(args: string[], code: number, environment: Record<string, string> = {}) {
    const child = runProcess('bin/daybook.mjs', { args, env: { ...loud(), ...environment } });
    expect([await child.exited, child.output()]).toEqual([code, expect.any(String)]);
    printed[`daybook ${args.slice(0, 2).join(' ')} #${Object.keys(printed).length}`] = child.output();
    return child.output();
  }

  test('an import through servers that echo the request at us in answers, headers and pages', async () => {
    const said = apiEcho();
    onJournals(2, answer(500, problem(said), { 'www-authenticate': said, 'x-echo': said }));
    onJournals(4, answer(200, `<html>${said}</html>`));
    onJournals(6, answer(503, said, { 'content-type': 'text/plain' }));
    onJournals(8, answer(500, problem(cutEcho(newest()?.accessToken))));
    onJournals(10, answer(401, problem(`AuthenticationUnsuccessful ${said}`), { 'www-authenticate': said }));
    expect(await importThroughFaults()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.tokens.refreshes).toBe(1);
  }, 90_000);

  test('runs that fail, wait for the admin and are cancelled, with the echo in their messages', async () => {
    onJournals(1, answer(400, problem(apiEcho())));
    expect(await importThroughFaults({ full: true })).toMatchObject({ ok: false, failure: 'RefusedByXero' });
    onJournals(1, answer(403, problem(`User doesn't have permission ${apiEcho()}`)));
    expect(await importThroughFaults({ full: true })).toMatchObject({ ok: false, failure: 'NotEntitled' });

    stand.sandbox.tokens.expireAccessTokens();
    const sent = tokenEcho(newest()?.issued);
    onToken(1, answer(400, JSON.stringify({ error: 'invalid_grant', error_description: sent })));
    stand.sandbox.faults.add({
      match: { path: '/connect/token' },
      do: answer(400, JSON.stringify({ error: 'invalid_grant', error_description: tokenEcho() })),
    });
    const lost = await start({ endingAtJournalId: 800 });
    await untilProgress(stand, lost, ({ status }) => status === 'needsReconnect', 60_000);
    await stand.imports.cancel(lost);
    expect(await endOf(lost)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
  }, 90_000);

  test('the command’s own output, also when connecting fails', async () => {
    const { connection, organisation } = stand;
    const connect = ['connect', '--consent', '--name', connection, '--application', application];
    stand.sandbox.faults.add({
      match: { path: '/connect/token' },
      do: answer(400, JSON.stringify({ error: 'invalid_grant', error_description: tokenEcho() })),
    });
    await command([...connect, '--tenant', organisation.tenantId], 2);
    stand.sandbox.faults.clear();
    const scopes = { XERO_SCOPES: 'openid offline_access accounting.journals.read accounting.settings.read' };
    await command([...connect, '--tenant', organisation.tenantId, '--json'], 0, scopes);
    await command(['import', 'journals', '--connection', connection, '--application', application, '--follow'], 0);
    await command(['connections', 'list', '--json'], 0);
    await command(['connections', 'show', connection], 0);
    expect(await command(['status', '--json'], 0)).toContain('caughtUp');
    const workflowId = `import-journals-${connection}`;
    const [row] = (await runRows(stand, workflowId)).slice(-1);
    runs.push({ workflowId, runId: row?.run_id ?? '' });
  }, 120_000);

  test('a refresh through a token endpoint that does the same', async () => {
    const spent = newest();
    stand.sandbox.tokens.expireAccessTokens();
    onToken(1, answer(500, JSON.stringify({ error: 'server_error', error_description: tokenEcho(spent?.issued) })));
    onToken(2, answer(400, JSON.stringify({ error: 'invalid_request', error_description: cutEcho(spent?.issued) })));
    onToken(3, answer(401, JSON.stringify({ error: 'invalid_client', error_description: tokenEcho(spent?.issued) })));
    onToken(4, answer(200, `{"access_token":"${spent?.accessToken}", "token_ty`));
    expect(await importThroughFaults({ full: true })).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  }, 90_000);

  test('passwords of applications, new and renewed, which are shown once and log in', async () => {
    for (const act of ['add', 'rotate']) {
      const said = await command(['applications', act, application, '--json'], 0);
      // This once it is printed, for whoever asked.
      delete printed[Object.keys(printed).at(-1) ?? ''];
      const { password, url } = JSON.parse(said.split('\n').find((line) => line.startsWith('{')) ?? '') as Login;
      passwords.set(`password of an application, ${act}`, [password]);
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      expect((await client.query('select from xero.journal limit 1')).rowCount).toBe(1);
      await client.end();
    }
  }, 60_000);

  test('disconnecting, with an application that goes: the tokens, until then sealed, are gone', async () => {
    const tokens = async () => {
      const { rows } = await stand.database.pool.query<{ sealed: Record<string, unknown> }>(
        'select sealed from daybook.authorisation_token where sealed is not null',
      );
      return rows;
    };
    const sealed = await tokens();
    expect(sealed.length).toBeGreaterThan(0);
    for (const each of sealed) expect(each.sealed).toHaveProperty('ciphertext');
    await command(['connections', 'remove', stand.connection], 0);
    expect(await tokens()).toEqual([]);
    await command(['applications', 'remove', application], 0);
  }, 60_000);

  test('none of them holds a secret: histories, queries, tables, worker’s log, outputs', async () => {
    const secrets = new Map([...secretsOf(stand), ...passwords]);
    for (const [kind, least] of [
      ['access token', 4],
      ['refresh token', 4],
      ['code verifier', 2],
      ['id token', 1],
      ['password of an', 2],
    ] as const) {
      expect([...secrets.keys()].filter((name) => name.startsWith(kind)).length).toBeGreaterThanOrEqual(least);
    }
    const places = {
      ...(await temporalPlaces(stand, runs)),
      ...(await databasePlaces(stand)),
      ...printed,
      ...postgresLog(),
      'worker’s output': worker.output(),
    };
    expect(Object.values(places).filter((text) => text.length > 100).length).toBeGreaterThan(20);
    expect(findLeaks(secrets, places)).toEqual([]);
  });

  test('and the search would have found one: a planted token is found in every kind of place', async () => {
    const token = newest()?.accessToken ?? '';
    const { connection, database, temporal, taskQueue } = stand;
    const workflowId = uniqueName('canary');
    const planted = await temporal.client.workflow.start('importJournals', {
      taskQueue,
      workflowId,
      args: [{ connection, application, [token]: 1 }],
    });
    await stand.imports.ending(workflowId);
    await database.pool.query(
      `insert into daybook.quarantine (tenant_id, stream, run_id, reason, payload)
       values (gen_random_uuid(), 'journals', gen_random_uuid(), 'planted', $1)`,
      [`…${token.slice(-30)}`],
    );
    const places = {
      ...(await temporalPlaces(stand, [{ workflowId, runId: planted.firstExecutionRunId }])),
      ...(await databasePlaces(stand)),
      ...postgresLog(),
      output: `{"level":50,"reason":"Bearer ${token}"}`,
    };
    const found = findLeaks(secretsOf(stand), places).filter((leak) => leak.startsWith('access token'));
    const inLog = Object.keys(postgresLog()).map((place) => `in ${place}`);
    for (const place of [`in history of ${workflowId}`, 'in table daybook.quarantine', 'in output', ...inLog]) {
      expect(found.filter((leak) => leak.endsWith(place))).toHaveLength(1);
    }
    // In other clothes, wherever it begins in what is encoded.
    for (const wrap of [
      encodeURIComponent,
      base64,
      (text: string) => base64(`u:${text}`),
      (text: string) => base64(`user:${text}`),
    ]) {
      const text = wrap('a+secret/with=all.of~it');
      expect(formsOf('a+secret/with=all.of~it').filter((form) => text.includes(form)).length).toBeGreaterThan(0);
    }
  });
});
