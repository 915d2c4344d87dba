import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../support/crash.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { type Point, points, type TokenWork } from '../xero/token-process.ts';
import { startTokenStand } from '../xero/token-stand.ts';

// Whatever happens to the process that refreshes, wherever in the refresh, and whatever Xero does with a token that is used
// twice (nobody documents it): no authorisation is lost while Xero's grace holds.

const graces = ['sibling', 'same', 'latestWins', 'none'] as const;
type TokenStand = Awaited<ReturnType<typeof startTokenStand>>;
let stands: { grace: (typeof graces)[number]; stand: TokenStand }[];
beforeAll(async () => {
  stands = await Promise.all(graces.map(async (grace) => ({ grace, stand: await startTokenStand(grace) })));
});
afterAll(() => Promise.all(stands.map(({ stand }) => stand.stop())));

const heldMs = 4_000;

interface Case {
  grace: (typeof graces)[number];
  stand: TokenStand;
  point: Point;
  id: string;
  authEventId: string;
}

async function authorise(stand: TokenStand): Promise<{ id: string; authEventId: string }> {
  const stored = await stand.consent();
  if (stored.kind !== 'authorised' || stored.authEventId === null) throw new Error('no consent');
  await stand.expire(stored.authorisationId);
  return { id: stored.authorisationId, authEventId: stored.authEventId };
}

/** One authorisation for each point and grace, in an order that the seed decides, all being refreshed in one process. */
async function begin(seed: string, reach: (url: string) => string = (url) => url) {
  const random = seededRandom(seed);
  const cases: Case[] = [];
  for (const { grace, stand } of stands) {
    stand.sandbox.faults.clear();
    const held = { path: '/connect/token', grantType: 'refresh_token' };
    stand.sandbox.faults.add(
      { match: { ...held, query: { point: 'sent' } }, do: { kind: 'delay', ms: heldMs } },
      { match: { ...held, query: { point: 'rotated' } }, do: { kind: 'delay', ms: heldMs, when: 'after' } },
    );
    for (const point of points) cases.push({ grace, stand, point, ...(await authorise(stand)) });
  }
  cases.sort(() => random() - 0.5);
  const work: TokenWork = {
    tokenKeys: stands[0]?.stand.tokenKeys ?? '',
    places: stands.map(({ stand }) => ({ databaseUrl: reach(stand.databaseUrl), xero: stand.xero })),
    asked: cases.map(({ id, point, grace }) => ({
      place: graces.indexOf(grace),
      authorisationId: id,
      point,
      clients: 1,
    })),
  };
  const running = runProcess('test/xero/token-process.ts', { env: { TOKEN_WORK: JSON.stringify(work) } });
  for (const { id } of cases) await running.line(new RegExp(`reached ${id}`));
  return { cases, running, random };
}

/** Pairs that Xero gave out for an authorisation, and those that are stored. */
async function pairs({ stand, id, authEventId }: Case): Promise<{ given: number; stored: number }> {
  const given = stand.sandbox.tokens
    .events()
    .filter((event) => event.authEventId === authEventId && event.outcome === 'ok').length;
  return { given, stored: (await stand.row(id)).pairs };
}

/** What the sweep does within Xero's grace, then one more refresh: an authorisation that lives gives a new token. */
async function afterwards({ stand, id }: Case): Promise<'lives' | 'lost'> {
  const sweeper = stand.process();
  for (const seconds of [50, 600]) {
    await stand.age(id, seconds);
    await sweeper.sweep();
  }
  const { generation } = await stand.row(id);
  const answer = await stand.process().accessToken(id, { notThis: generation });
  return answer.kind === 'token' ? 'lives' : 'lost';
}

const proceed = ({ pid }: TestProcess) => process.kill(pid, 'SIGUSR2');
const label = ({ grace, point }: Case) => `${point}, ${grace}`;
const inGrace = ({ grace }: Case) => grace !== 'none';

/** One after the other within a grace, as each sweep is for all of a database. */
async function fates(cases: Case[]): Promise<Map<Case, 'lives' | 'lost'>> {
  const found = new Map<Case, 'lives' | 'lost'>();
  const ofGrace = (grace: string) => cases.filter((each) => each.grace === grace);
  await Promise.all(
    graces.map(async (grace) => {
      for (const each of ofGrace(grace)) found.set(each, await afterwards(each));
    }),
  );
  return found;
}

test('kill -9 at every point of a refresh loses no authorisation while the grace holds', async () => {
  const { cases, running } = await begin('kill -9 in a refresh');
  await running.kill9();
  const unstored = new Map<Case, boolean>();
  for (const each of cases) {
    const { given, stored } = await pairs(each);
    unstored.set(each, given > stored);
  }
  const lost = (point: Point) => ['rotated', 'answered', 'storing'].includes(point);
  for (const [each, is] of unstored) expect(is, label(each)).toBe(lost(each.point));
  for (const [each, fate] of await fates(cases)) {
    // Without any grace an answer that died with its process is gone: no client can help that, and only that.
    expect(fate, label(each)).toBe(inGrace(each) || unstored.get(each) === false ? 'lives' : 'lost');
  }
});

test('a database cut at every point of a refresh loses no authorisation, whatever the grace', async () => {
  const [target] = stands;
  const { hostname: host, port } = new URL(target?.stand.databaseUrl ?? '');
  const proxy = await startFaultProxy({ host, port: Number(port) });
  const through = (url: string) => {
    const address = new URL(url);
    [address.hostname, address.port] = [proxy.host, String(proxy.port)];
    return address.href;
  };
  try {
    const { cases, running, random } = await begin('a database cut in a refresh', through);
    proxy.refuse();
    proceed(running);
    await new Promise((resolve) => setTimeout(resolve, 300 + random() * 700));
    proxy.heal();
    await running.line(/^done$/);
    expect(running.output()).not.toContain('lost');
    for (const each of cases) {
      const { given, stored } = await pairs(each);
      expect(stored, `pairs of ${label(each)}`).toBe(given);
    }
    for (const [each, fate] of await fates(cases)) expect(fate, label(each)).toBe('lives');
  } finally {
    await proxy.close();
  }
});

test('a process paused at every point of a refresh loses no authorisation, whatever the grace, and stores its late answer', async () => {
  const { cases, running } = await begin('a process paused in a refresh');
  process.kill(running.pid, 'SIGSTOP');
  // Somebody else needs the token meanwhile, and does not wait for the sleeper for ever.
  await Promise.all(
    stands.map(async ({ grace, stand }) => {
      const rescuer = stand.process(stand.xero, 5, 500);
      const asked = cases.filter((each) => each.grace === grace);
      const answers = await Promise.all(asked.map(({ id }) => rescuer.accessToken(id)));
      for (const [index, each] of asked.entries()) {
        expect(answers[index]?.kind, label(each)).toBe(
          grace === 'none' && ['rotated', 'answered', 'storing'].includes(each.point) ? 'unavailable' : 'token',
        );
      }
    }),
  );
  proceed(running);
  process.kill(running.pid, 'SIGCONT');
  await running.line(/^done$/);
  expect(running.output()).not.toContain('lost');
  for (const each of cases) {
    const { given, stored } = await pairs(each);
    expect(stored, `pairs of ${label(each)}`).toBe(given);
  }
  for (const [each, fate] of await fates(cases)) expect(fate, label(each)).toBe('lives');
});

test('fifty workers in five processes ask at expiry: one token call for each authorisation', async () => {
  const [first] = stands;
  if (!first) throw new Error('no stand');
  const { stand } = first;
  stand.sandbox.faults.clear();
  stand.sandbox.faults.add({ match: { path: '/connect/token' }, do: { kind: 'delay', ms: 200 } });
  const authorisations = await Promise.all(Array.from({ length: 8 }, () => authorise(stand)));
  const work: TokenWork = {
    tokenKeys: stand.tokenKeys,
    places: [{ databaseUrl: stand.databaseUrl, xero: stand.xero }],
    asked: authorisations.map(({ id }) => ({ place: 0, authorisationId: id, point: null, clients: 10 })),
  };
  const processes = Array.from({ length: 5 }, () =>
    runProcess('test/xero/token-process.ts', { env: { TOKEN_WORK: JSON.stringify(work) } }),
  );
  await Promise.all(processes.map((each) => each.line(/^ready$/)));
  for (const each of processes) proceed(each);
  await Promise.all(processes.map((each) => each.line(/^done$/)));
  const refreshes = stand.sandbox.tokens.events().filter(({ grantType }) => grantType === 'refresh_token');
  const calls = authorisations.map(
    ({ authEventId }) => refreshes.filter((event) => event.authEventId === authEventId).length,
  );
  expect(calls).toEqual(authorisations.map(() => 1));
});
