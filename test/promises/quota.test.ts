import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import type { Ending, StartedWorkflow } from '../../client/imports.ts';
import type { Call } from '../../sandbox/server.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { daybook } from '../support/daybook.ts';
import { countEvents, drawSeed, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const start = (stand: Stand) => stand.imports.startJournals({ connection: stand.connection, application });
const refusals = (stand: Stand) => stand.sandbox.calls.journals().filter(({ status }) => status === 429);
const wrongNow = async ({ database, organisation }: Stand) =>
  differences(await summariseLedger(database.pool, organisation.tenantId), organisation);

// Begun before the other tests and looked at after them, as it takes Xero's minute.
let paced: Stand;
let pacedEnding: Promise<Ending>;
beforeAll(async () => {
  // The window is shorter than Xero's, which no header tells: the import may only think it longer.
  paced = await startStand({ sandbox: { journals: 1_500, limits: { minute: 10, minuteWindowSeconds: 3 } } });
  const { workflowId } = await start(paced);
  pacedEnding = paced.imports.ending(workflowId);
});
afterAll(() => paced.close());

// This and the next wait for windows and named times of a Xero of their own, so they wait together.
describe.concurrent('A spent day makes the import wait on a durable timer, and never call too early', () => {
  const windowSeconds = 10;
  const journals = 20_000;
  const dayLimit = 50;
  const seed = drawSeed('books behind a daily limit');
  let stand: Stand;
  let run: StartedWorkflow;
  beforeAll(async () => {
    stand = await startStand({
      sandbox: { journals, seed, limits: { day: dayLimit, minute: 10_000, dayWindowSeconds: windowSeconds } },
    });
    run = await start(stand);
  });
  afterAll(() => stand.close());

  test.sequential('while it waits, the query, the database and Temporal say why and until when', async () => {
    const waiting = await untilProgress(stand, run.workflowId, ({ status }) => status === 'waiting');
    expect(waiting).toMatchObject({
      run: { runId: run.runId, connection: stand.connection },
      dayRemaining: 0,
      waitingFor: 'Xero’s daily limit is used up',
      totals: { pages: dayLimit, quarantined: 0 },
    });
    const until = Date.parse(waiting.waitingUntil ?? '');
    expect(until - Date.now()).toBeLessThan((windowSeconds + 1) * 1_000);
    const row = (await runRows(stand, run.workflowId))[0];
    expect(row).toMatchObject({ run_id: run.runId, status: 'waiting', ended_at: null });
    expect(row?.waiting_until?.toISOString()).toBe(waiting.waitingUntil);
    await vi.waitFor(async () => {
      expect((await countEvents(stand, run.workflowId, run.runId)).timers).toBe(1);
    });
  });

  test.sequential('it wakes by itself, again and again, until every journal is stored', async () => {
    const awake = await untilRow(stand, run.workflowId, ({ pages }) => pages > dayLimit);
    expect(awake).toMatchObject({ status: 'running', waiting_until: null });
    const ending = await stand.imports.ending(run.workflowId);
    expect(ending).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { stored: journals } } });
    expect(await wrongNow(stand)).toEqual([]);
    expect(await runRows(stand, run.workflowId)).toMatchObject([{ status: 'caughtUp', waiting_until: null }]);
  }, 120_000);

  test.sequential('Xero refused at most once a window, no call came early, and the history shows timers and no failure', async () => {
    const windows = Math.ceil((journals / 100 + 1) / dayLimit);
    expect(stand.sandbox.calls.early()).toEqual([]);
    expect(refusals(stand).length).toBeLessThanOrEqual(windows);
    expect(refusals(stand).length).toBeGreaterThanOrEqual(windows - 1);
    const events = await countEvents(stand, run.workflowId, run.runId);
    expect(events).toMatchObject({ failedActivities: 0, failedTasks: 0 });
    expect(events.timers).toBeGreaterThanOrEqual(windows - 1);
    const made = stand.sandbox.calls.all().filter(({ path }) => path.startsWith('/api.xro/'));
    expect((await runRows(stand, run.workflowId))[0]?.calls).toBe(made.length);
  });
});

test.concurrent('`resume` in the middle of a wait makes no call early', async () => {
  // The day is over long after the test.
  const stand = await startStand({
    sandbox: { journals: 1_000, limits: { day: 4, minute: 10_000, dayWindowSeconds: 3_600 } },
  });
  try {
    const { workflowId, runId } = await start(stand);
    await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    const { activities } = await countEvents(stand, workflowId, runId);
    const before = stand.sandbox.calls.all().length;
    await stand.imports.resume(workflowId);
    // It asks anew whether it may call, hears that it may not, and waits as before.
    await vi.waitFor(
      async () => expect((await countEvents(stand, workflowId, runId)).activities).toBe(activities + 1),
      10_000,
    );
    const again = await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    expect(again).toMatchObject({ totals: { pages: 4 } });
    expect(stand.sandbox.calls.all()).toHaveLength(before);
    await stand.imports.cancel(workflowId);
    await stand.imports.ending(workflowId);
    expect(stand.sandbox.calls.all()).toHaveLength(before);
  } finally {
    await stand.close();
  }
});

describe.concurrent('When Xero says 429, no call is made before the time it named', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 500, limits: { minute: 10_000, day: 100_000 } } });
  });
  afterAll(() => stand.close());

  /** How long after the one refusal the next call came. */
  function patience(calls: Call[]): number {
    const refused = calls.findIndex(({ status }) => status === 429);
    const [refusal, next] = [calls[refused], calls[refused + 1]];
    if (!refusal || !next) throw new Error('There was no refusal, or no call after it.');
    return next.at - refusal.endedAt;
  }

  async function importThrough(problem: 'minute' | 'day' | 'concurrent' | 'appminute', retryAfter?: number | string) {
    stand.sandbox.faults.clear();
    stand.sandbox.calls.reset();
    stand.sandbox.faults.add({
      match: { path: 'Journals', nth: 3 },
      do: { kind: 'rateLimited', problem, ...(retryAfter === undefined ? {} : { retryAfter }) },
    });
    const ended = await stand.importJournals({ full: true });
    expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(refusals(stand)).toHaveLength(1);
    expect(stand.sandbox.calls.early()).toEqual([]);
    expect(await wrongNow(stand)).toEqual([]);
    return patience(stand.sandbox.calls.journals());
  }

  test.sequential('the minute’s, whose time is waited for to the end', async () => {
    expect(await importThrough('minute', 2)).toBeGreaterThanOrEqual(2_000);
  });

  test.sequential('the concurrent one, which names no time: it stands back a moment', async () => {
    expect(await importThrough('concurrent')).toBeGreaterThanOrEqual(1_000);
  });

  test.sequential('the whole app’s, which names no time either: it stands back longer', async () => {
    expect(await importThrough('appminute')).toBeGreaterThanOrEqual(9_000);
  });

  test.sequential('a time named as a date (RFC 9110) is waited for, too', async () => {
    const until = Math.ceil(Date.now() / 1_000) * 1_000 + 4_000;
    await importThrough('day', new Date(until).toUTCString());
    const [next] = stand.sandbox.calls.journals().slice(3);
    expect(next?.at).toBeGreaterThanOrEqual(until);
  });

  test.sequential('again and again, against all arithmetic: after five in a row it leaves Xero alone, on a durable timer', async () => {
    stand.sandbox.faults.clear();
    stand.sandbox.calls.reset();
    stand.sandbox.faults.add({
      match: { path: 'Journals', times: 5 },
      do: { kind: 'rateLimited', problem: 'minute', retryAfter: 1 },
    });
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application, full: true });
    const { waitingUntil } = await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    expect(Date.parse(waitingUntil ?? '') - Date.now()).toBeGreaterThan(25_000);
    expect(stand.sandbox.calls.journals().map(({ status }) => status)).toEqual(Array(5).fill(429));
    await stand.imports.resume(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.calls.early()).toEqual([]);
  });

  test.sequential.each([
    ['names none', undefined],
    ['names no time', 'soon'],
    ['names a date that is none', 'Wed, 99 Foo 2026'],
    ['names an absurd one', '99999999999'],
  ])('a day’s that %s: it waits some minutes, and can be cancelled', async (_, retryAfter) => {
    stand.sandbox.faults.clear();
    stand.sandbox.calls.reset();
    await stand.database.pool.query('delete from daybook.quota_ledger');
    stand.sandbox.faults.add({
      match: { path: 'Journals', nth: 3 },
      do: { kind: 'rateLimited', problem: 'day', ...(retryAfter === undefined ? {} : { retryAfter }) },
    });
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application, full: true });
    const { waitingUntil, waitingFor } = await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    const minutes = (Date.parse(waitingUntil ?? '') - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(1);
    expect(minutes).toBeLessThan(60);
    expect(waitingFor).toBe('Xero’s daily limit is used up');
    await stand.imports.resume(workflowId);
    await sleep(300);
    expect(stand.sandbox.calls.journals()).toHaveLength(3);
    await stand.imports.cancel(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
    expect(stand.sandbox.calls.journals()).toHaveLength(3);
    await stand.database.pool.query('delete from daybook.quota_ledger');
  });

  // The last: the sandbox remembers what it has named for longer than the others take.
  test.sequential('nor by whoever connects the organisation again meanwhile', async () => {
    stand.sandbox.faults.clear();
    stand.sandbox.calls.reset();
    const day = { kind: 'rateLimited', problem: 'day', retryAfter: 200 } as const;
    stand.sandbox.faults.add({ match: { path: 'Journals', nth: 2 }, do: day });
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application, full: true });
    await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    const words = ['connect', '--name', stand.connection, '--application', application, '--consent', '--no-browser'];
    const said = await daybook([...words, '--tenant', stand.organisation.tenantId], stand.environment);
    expect(said).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/could not be tried now: Xero refuses calls until/),
    });
    expect(stand.sandbox.calls.early()).toEqual([]);
    expect(stand.sandbox.calls.all().filter(({ path }) => path.includes('Organisation'))).toEqual([]);
    await stand.imports.cancel(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'cancelled' } });
    await stand.database.pool.query('delete from daybook.quota_ledger');
  });
});

describe('The limit a minute paces an import', () => {
  test('by its headers alone: all arrive, and Xero never has to say 429', async () => {
    expect(await pacedEnding).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(refusals(paced)).toEqual([]);
    expect(await wrongNow(paced)).toEqual([]);
  }, 120_000);
});
