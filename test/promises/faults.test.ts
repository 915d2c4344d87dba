import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { differences } from '../../cli/comparison.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import type { Fault, FaultAction } from '../../sandbox/server.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { countEvents, drawSeed, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

/** Organisation, accounts, tracking categories and one page of contacts, read when the journals are. */
const referenceCalls = 4;
let stand: Stand;
/** A stand that is closed at the end of the test. */
const open = async (context: Pick<TestContext, 'onTestFinished'>, journals: number, seed = 21) => {
  const opened = await startStand({ sandbox: { journals, seed, limits: { minute: 10_000 } }, xeroTimeoutMs: 2_500 });
  context.onTestFinished(opened.close);
  return opened;
};
const begin = async (journals: number) => {
  stand = await open({ onTestFinished }, journals);
};
const onJournals = (action: FaultAction, match: Fault['match'] = {}): Fault => ({
  match: { path: 'Journals', ...match },
  do: action,
});
const wrongNow = async ({ database, organisation } = stand) =>
  differences(await summariseLedger(database.pool, organisation.tenantId), organisation);

describe('What passes is survived: the result is the books, and nothing is quarantined', () => {
  const passing: FaultAction[] = [
    { kind: 'problem500' },
    { kind: 'html500' },
    { kind: 'empty500' },
    { kind: 'html502' },
    { kind: 'html503' },
    { kind: 'html504' },
    { kind: 'offline503' },
    { kind: 'maintenance503' },
    { kind: 'html200' },
    { kind: 'truncatedJson' },
    { kind: 'cutBody' },
    { kind: 'reset' },
    { kind: 'reset', when: 'after' },
    { kind: 'stall' },
    { kind: 'notModified' },
    { kind: 'brokenGzip' },
    // A firewall on the way, and a fault of Xero's permissions in the midst of an import that has them.
    { kind: 'answer', status: 403, body: '<html>Request blocked</html>', headers: { 'content-type': 'text/html' } },
    { kind: 'forbiddenRole' },
    { kind: 'notFound' },
    { kind: 'answer', status: 200, body: '' },
    { kind: 'answer', status: 200, body: '{"Status":"OK"}', headers: { 'content-type': 'application/json' } },
  ];

  // These wait for pauses between attempts nearly all of their time, so they do it together.
  test.concurrent('each of Xero’s troubles once, in one import: one call more for each, and no page twice', async (context) => {
    const stand = await open(context, passing.length * 200);
    stand.sandbox.faults.add(...passing.map((action, index) => onJournals(action, { nth: 2 * index + 2 })));
    const ended = await stand.importJournals();
    const pages = stand.organisation.books.count / 100;
    expect(stand.sandbox.faults.list().filter(({ struck }) => struck !== 1)).toEqual([]);
    expect(ended).toMatchObject({
      ok: true,
      result: {
        outcome: 'caughtUp',
        totals: { pages, stored: pages * 100, quarantined: 0, calls: pages + 1 + passing.length + referenceCalls },
      },
    });
    expect(await wrongNow(stand)).toEqual([]);
  }, 180_000);

  test.concurrent('a mix by lot, at 15 % of all calls', async (context) => {
    const seed = drawSeed('faults by lot');
    const stand = await open(context, 3_000, seed);
    // A refusal of the first page, or of one page three times, is one.
    const kinds = passing.filter(({ kind }) => !['answer', 'forbiddenRole', 'notFound'].includes(kind));
    // Independent draws in a row: together they strike 15 % of all calls.
    const probability = 1 - 0.85 ** (1 / kinds.length);
    stand.sandbox.faults.add(
      ...kinds.map((action, index) => onJournals(action, { probability, seed: (seed + index) % 2 ** 31 })),
    );
    const ended = await stand.importJournals();
    expect(ended).toMatchObject({
      ok: true,
      result: { outcome: 'caughtUp', totals: { stored: 3_000, quarantined: 0 } },
    });
    expect(await wrongNow(stand)).toEqual([]);
  }, 240_000);

  test('answers that are odd but true are stored as they are: short, reversed, doubled, wrongly typed', async () => {
    await begin(1_500);
    const odd: FaultAction[] = [
      { kind: 'page', rows: 7 },
      { kind: 'page', reversed: true },
      { kind: 'page', repeated: true },
      { kind: 'wrongContentType' },
      { kind: 'byteOrderMark' },
      { kind: 'delay', ms: 300 },
    ];
    stand.sandbox.faults.add(...odd.map((action, index) => onJournals(action, { nth: 2 * index + 1 })));
    const ended = await stand.importJournals();
    expect(stand.sandbox.faults.list().filter(({ struck }) => struck !== 1)).toEqual([]);
    expect(ended).toMatchObject({ ok: true, result: { totals: { stored: 1_500, quarantined: 0 } } });
    expect(await wrongNow()).toEqual([]);
  });

  test.each([{ kind: 'tokenExpired' }, { kind: 'authenticationUnsuccessful' }] as const)(
    'a 401 of kind $kind in mid-run costs one refresh and one call',
    async (action) => {
      await begin(500);
      const before = stand.sandbox.tokens.calls;
      stand.sandbox.faults.add(onJournals(action, { nth: 3 }));
      const ended = await stand.importJournals();
      expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { calls: 7 + referenceCalls } } });
      expect(stand.sandbox.tokens.calls - before).toBe(1);
      expect(stand.sandbox.tokens.refreshes).toBe(1);
      expect(await wrongNow()).toEqual([]);
      const { workflowId } = ended;
      const [row] = await runRows(stand, workflowId);
      expect(await countEvents(stand, workflowId, row?.run_id ?? '')).toMatchObject({ failedActivities: 0, timers: 0 });
    },
  );

  test('fresh tokens that are refused for a moment send nobody to reconnect', async () => {
    await begin(500);
    stand.sandbox.faults.add(onJournals({ kind: 'authenticationUnsuccessful' }, { nth: [2, 3, 4] }));
    const ended = await stand.importJournals();
    expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    if (!ended.ok) return;
    expect(await countEvents(stand, ended.workflowId, ended.result.runId)).toMatchObject({ timers: 0 });
    expect(await wrongNow()).toEqual([]);
  });

  test('tokens that really expire in mid-run are renewed once', async () => {
    await begin(600);
    stand.sandbox.setLatency(100);
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilRow(stand, workflowId, ({ pages }) => pages >= 2);
    stand.sandbox.tokens.expireAccessTokens();
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.tokens.refreshes).toBe(1);
    expect(await wrongNow()).toEqual([]);
  });

  test('a token endpoint that fails, stalls its answer or loses it does not lose the authorisation', async () => {
    await begin(600);
    const onToken = (action: FaultAction, nth: number): Fault => ({
      match: { path: '/connect/token', nth },
      do: action,
    });
    stand.sandbox.faults.add(
      onJournals({ kind: 'tokenExpired' }, { nth: 2 }),
      onToken({ kind: 'html503' }, 1),
      onToken({ kind: 'reset', when: 'after' }, 2),
    );
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await wrongNow()).toEqual([]);
  });
});

describe('What does not pass ends the run at once, with a sentence and no refresh loop', () => {
  beforeEach(() => begin(300));

  test.each([
    ['authorizationUnsuccessful', 'NotEntitled', [/Advanced tier/, /accounting\.journals\.read/, /role/]],
    ['forbiddenRole', 'NotEntitled', [/permission/, /Advanced tier/, /accounting\.journals\.read/, /role/]],
    // Xero's words say disconnected; /connections says that it is not, so it is the user's role.
    ['forbiddenDisconnected', 'NotEntitled', [/although the organisation .* is connected/, /role/, /daybook connect/]],
  ] as const)('%s on Journals is %s', async (kind, failure, said) => {
    stand.sandbox.faults.add(onJournals({ kind }));
    const ended = await stand.importJournals();
    expect(ended).toMatchObject({ ok: false, failure });
    if (ended.ok) return;
    for (const words of said) expect(ended.message).toMatch(words);
    expect(ended.message).toContain(stand.connection);
    expect(stand.sandbox.calls.journals()).toHaveLength(1);
    expect(stand.sandbox.tokens.refreshes).toBeLessThanOrEqual(1);
    expect(await runRows(stand, ended.workflowId)).toMatchObject([{ status: 'failed', message: ended.message }]);
    const description = await stand.temporal.client.workflow.getHandle(ended.workflowId).describe();
    expect(description.status.name).toBe('FAILED');
  });

  test('the app’s tier itself, not scripted, is told the same way', async () => {
    const core = await startStand({ sandbox: { journals: 300, tier: 'core' } });
    onTestFinished(core.close);
    expect(await core.importJournals()).toMatchObject({ ok: false, failure: 'NotEntitled' });
    expect(core.sandbox.calls.journals()).toHaveLength(1);
  });

  test('a user who loses the role in mid-run keeps what was stored, and the next run goes on from there', async () => {
    stand.sandbox.faults.add(onJournals({ kind: 'forbiddenDisconnected' }, { nth: [3, 4, 5] }));
    expect(await stand.importJournals()).toMatchObject({ ok: false, failure: 'NotEntitled' });
    expect(stand.sandbox.calls.journals()).toHaveLength(5);
    const { rows } = await stand.database.pool.query('select count(*)::int as n from xero.journal');
    expect(rows).toEqual([{ n: 200 }]);
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { totals: { stored: 100 } } });
    expect(await wrongNow()).toEqual([]);
  });
});

test('A lost authorisation makes the run wait for the admin, and it goes on after reconnecting', async () => {
  await begin(800);
  stand.sandbox.setLatency(100);
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  await untilRow(stand, workflowId, ({ pages }) => pages >= 2);
  stand.sandbox.tokens.revoke();
  // Xero's access tokens outlive a revocation; here they end with it, so that the refresh is what finds it out.
  stand.sandbox.tokens.expireAccessTokens();
  const waiting = await untilProgress(stand, workflowId, ({ status }) => status === 'needsReconnect');
  expect(waiting.waitingFor).toMatch(/daybook connect/);
  await expect.poll(async () => (await runRows(stand, workflowId))[0]?.status).toBe('needsReconnect');
  const spent = stand.sandbox.calls.journals().length;
  await stand.imports.resume(workflowId);
  await untilProgress(stand, workflowId, ({ status }) => status === 'needsReconnect');

  const { database, environment, connection, organisation, sandbox } = stand;
  const { tenantId } = organisation;
  await connectOrganisation(
    {
      pool: database.pool,
      xero: sandboxSettings(sandbox),
      tokenKeys: environment.DAYBOOK_TOKEN_KEYS ?? '',
      actor: 'test',
      now: () => Date.now(),
    },
    { name: connection, applications: [application], tenantId },
    async (address) => sandbox.consent(address, { tenantIds: [tenantId] }),
  );
  await stand.imports.resume(workflowId);
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect(spent).toBeLessThan(8);
  expect(await wrongNow()).toEqual([]);
  expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'caughtUp', waiting_until: null }]);
});
