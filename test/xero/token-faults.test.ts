import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FaultAction } from '../../sandbox/server.ts';
import { findAuthorisation } from '../../storage/authorisations.ts';
import { refresh } from '../../xero/refresh.ts';
import { createTokenEndpoint } from '../../xero/token-endpoint.ts';
import { startScripted } from './scripted-server.ts';
import { startTokenStand } from './token-stand.ts';

let stand: Awaited<ReturnType<typeof startTokenStand>>;
beforeAll(async () => {
  stand = await startTokenStand();
});
afterAll(() => stand.stop());
beforeEach(() => {
  stand.sandbox.faults.clear();
  stand.sandbox.tokens.setGrace('sibling');
});

const refreshes = { path: '/connect/token', grantType: 'refresh_token' };
const graces = ['sibling', 'same', 'latestWins'] as const;
const once = (action: FaultAction) => stand.sandbox.faults.add({ match: { ...refreshes, times: 1 }, do: action });

const passing: FaultAction[] = [
  { kind: 'empty500' },
  { kind: 'html502' },
  { kind: 'html503' },
  { kind: 'html504' },
  { kind: 'html200' },
  { kind: 'truncatedJson' },
  { kind: 'cutBody' },
  { kind: 'reset' },
  { kind: 'reset', when: 'after' },
  { kind: 'stall' },
  { kind: 'invalidClient' },
  { kind: 'answer', status: 429, headers: { 'retry-after': '3' } },
  { kind: 'answer', status: 403, body: '<html>firewall</html>' },
  { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:9/' } },
  { kind: 'answer', status: 400, body: '{"error":"unauthorized_client"}' },
  { kind: 'answer', status: 400, body: '{"error":"invalid_request"}' },
  { kind: 'answer', status: 400, body: 'invalid_grant' },
  { kind: 'answer', status: 500, body: '{"error":"invalid_grant"}' },
  { kind: 'answer', status: 200, body: '{"token_type":"Bearer"}' },
];

test.each(passing)('never needs a reconnect after %j, and recovers', async (action) => {
  const id = await stand.authorise();
  await stand.expire(id);
  once(action);
  const tokens = stand.process(stand.xero, 0.5);
  const answer = await tokens.accessToken(id);
  expect(answer).toMatchObject({ kind: 'unavailable', message: expect.stringContaining(id) });
  expect(await stand.row(id)).toMatchObject({ status: 'active', generation: 1 });
  expect(await tokens.accessToken(id)).toMatchObject({ kind: 'token', generation: 2 });
});

test('nobody listens at the token endpoint: unavailable, and no attempt is left open', async () => {
  const id = await stand.authorise();
  await stand.expire(id);
  const gone = await startScripted();
  await gone.close();
  const nobody = stand.process({ ...stand.xero, identityUrl: gone.url });
  expect(await nobody.accessToken(id)).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  expect(await stand.row(id)).toMatchObject({ status: 'active', open: 0 });
});

test.each(graces)('an answer lost after the rotation loses nothing (%s)', async (grace) => {
  stand.sandbox.tokens.setGrace(grace);
  const id = await stand.authorise();
  await stand.expire(id);
  once({ kind: 'reset', when: 'after' });
  expect(await stand.process().accessToken(id)).toMatchObject({ kind: 'unavailable' });
  expect(await stand.row(id)).toMatchObject({ open: 1, pairs: 1 });
  // Nobody asks: the sweep does it, at 45 s and again at 10 minutes, and only then forgets the attempt.
  const swept = stand.process();
  expect(await swept.sweep()).toEqual({ refreshed: 0, failed: 0 });
  await stand.age(id, 50);
  expect(await swept.sweep()).toEqual({ refreshed: 1, failed: 0 });
  expect(await stand.row(id)).toMatchObject({ status: 'active', generation: 2, open: 1 });
  await stand.age(id, 60);
  expect(await swept.sweep()).toEqual({ refreshed: 0, failed: 0 });
  await stand.age(id, 600);
  expect(await swept.sweep()).toEqual({ refreshed: 1, failed: 0 });
  expect(await stand.row(id)).toMatchObject({ status: 'active', generation: 3, open: 0 });
  expect(await stand.process().accessToken(id, { notThis: 3 })).toMatchObject({ kind: 'token', generation: 4 });
});

test.each(graces)('a worker whose lock died stores its late answer too, and the chain goes on (%s)', async (grace) => {
  stand.sandbox.tokens.setGrace(grace);
  const id = await stand.authorise();
  await stand.expire(id);
  once({ kind: 'delay', ms: 900, when: 'after' });
  const late = stand.process(stand.xero, 5).accessToken(id);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await stand.pool.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(await stand.process().accessToken(id)).toMatchObject({ kind: 'token', generation: 2 });
  expect(await late).toMatchObject({ kind: 'token' });
  const row = await stand.row(id);
  expect(row).toMatchObject({ status: 'active', pairs: 3, open: 0 });
  expect(await stand.process().accessToken(id, { notThis: row.generation })).toMatchObject({ kind: 'token' });
});

test('invalid_grant for the token in use is answered from an earlier one', async () => {
  const id = await stand.authorise();
  expect(await stand.process().accessToken(id, { notThis: 1 })).toMatchObject({ generation: 2 });
  once({ kind: 'invalidGrant' });
  expect(await stand.process().accessToken(id, { notThis: 2 })).toMatchObject({ kind: 'token', generation: 3 });
  expect(await stand.row(id)).toMatchObject({ status: 'active', outcomes: ['stored', 'stored', 'rejected', 'stored'] });
});

test('a new consent is needed only when every token was rejected, and is asked for without more calls', async () => {
  const stored = await stand.consent();
  if (stored.kind !== 'authorised') throw new Error(stored.message);
  const id = stored.authorisationId;
  await stand.process().accessToken(id, { notThis: 1 });
  stand.sandbox.tokens.revoke(stored.authEventId ?? '');
  await stand.expire(id);
  const before = stand.sandbox.tokens.calls;
  const answers = await Promise.all([1, 2, 3].map(() => stand.process().accessToken(id)));
  for (const answer of answers) {
    const message = expect.stringMatching(/^Xero does not accept the consent any more \(revoked, /);
    expect(answer).toMatchObject({ kind: 'needsReconnect', message });
    expect(JSON.stringify(answer)).not.toContain(id);
  }
  expect(stand.sandbox.tokens.calls - before).toBe(2);
  expect(await stand.row(id)).toMatchObject({ status: 'needsReconnect', open: 0 });
  expect(await stand.process().sweep()).toEqual({ refreshed: 0, failed: 0 });
});

test('a rejection is not the last word while another worker still waits for its answer', async () => {
  stand.sandbox.tokens.setGrace('none');
  const id = await stand.authorise();
  await stand.expire(id);
  once({ kind: 'reset', when: 'after' });
  expect(await stand.process().accessToken(id)).toMatchObject({ kind: 'unavailable' });
  expect(await stand.process().accessToken(id)).toMatchObject({ kind: 'unavailable' });
  await stand.age(id, 130);
  expect(await stand.process().accessToken(id)).toMatchObject({ kind: 'needsReconnect' });
});

test('a pair that cannot be stored is held until Postgres is back', async () => {
  const id = await stand.authorise();
  const seen = await findAuthorisation(stand.pool, id);
  if (seen === null) throw new Error('no authorisation');
  let down = 0;
  const connect = () => (down > 0 && down-- > 0 ? Promise.reject(new Error('postgres is away')) : stand.pool.connect());
  const pool = { query: stand.pool.query.bind(stand.pool), connect } as unknown as typeof stand.pool;
  const endpoint = createTokenEndpoint(stand.xero, stand.now);
  const spend = endpoint.refresh;
  endpoint.refresh = async (token) => {
    const answer = await spend(token);
    down = 7;
    return answer;
  };
  const waits: number[] = [];
  const pause = async (milliseconds: number) => void waits.push(milliseconds);
  const { keys, now, log } = stand;
  expect(await refresh({ pool, keys, endpoint, now, log, pause }, seen)).toMatchObject({
    kind: 'stored',
    generation: 2,
  });
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000]);
});

test('Xero is not called when the attempt cannot be written down', async () => {
  const id = await stand.authorise();
  await stand.expire(id);
  const before = stand.sandbox.tokens.calls;
  await stand.pool.query('alter table daybook.refresh_attempt rename to refresh_attempt_away');
  await expect(stand.process().accessToken(id)).rejects.toThrow('refresh_attempt');
  await stand.pool.query('alter table daybook.refresh_attempt_away rename to refresh_attempt');
  expect(stand.sandbox.tokens.calls).toBe(before);
});

test('spent tokens are pruned after a day, the one in use never; idle ones are kept alive', async () => {
  const id = await stand.authorise();
  await stand.process().accessToken(id, { notThis: 1 });
  await stand.age(id, 90_000);
  expect(await stand.process().keepAlive()).toEqual({ refreshed: 1, failed: 0 });
  expect((await stand.process().sweep()).failed).toBe(0);
  const { rows } = await stand.pool.query(
    `select generation, sealed is null as pruned from daybook.authorisation_token where authorisation_id = $1 order by 1`,
    [id],
  );
  expect(rows[0]).toEqual({ generation: 1, pruned: true });
  expect(rows[1]).toEqual({ generation: 2, pruned: false });
});

test('no token is found in a plain column, a log line or an answer', async () => {
  const id = await stand.authorise();
  const answer = await stand.process().accessToken(id, { notThis: 1 });
  const dump = await stand.pool.query(
    `select string_agg(r, ' ') as everything from (
       select a::text as r from daybook.authorisation a union all select t::text from daybook.authorisation_token t
       union all select x::text from daybook.refresh_attempt x) every_row`,
  );
  const shown = `${dump.rows[0].everything} ${inspect([stand.logged, answer], { depth: 20, showHidden: true })}`;
  const secrets = stand.sandbox.tokens.events().flatMap(({ presented, issued }) => [presented, issued]);
  expect(secrets.length).toBeGreaterThan(20);
  for (const secret of secrets) if (secret !== null) expect(shown).not.toContain(secret);
  if (answer.kind !== 'token') throw new Error(answer.message);
  expect(shown).not.toContain(answer.accessToken.reveal());
  expect(shown).not.toContain(stand.xero.clientSecret);
});
