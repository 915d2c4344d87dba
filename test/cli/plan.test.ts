import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counted } from '../../cli/counted.ts';
import { findConnection, reserveQuota } from '../../storage/connections.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

test('One of a thing is not said in the plural', () => {
  expect([0, 1, 2].map((count) => counted(count, 'calls'))).toEqual(['0 calls', '1 call', '2 calls']);
});

describe('A plan says what an import would cost, and makes no call to Xero', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 450, limits: { day: 300, minute: 10_000 } } });
  });
  afterAll(() => stand.close());

  const planFor = (who: string, kind: string, ...args: string[]) =>
    daybook(['plan', kind, '--connection', stand.connection, '--application', who, ...args], stand.environment);
  const plan = (kind: string, ...args: string[]) => planFor(application, kind, ...args);

  test('before anything is stored the newest number must be said; then it counts the days and the nights', async () => {
    const before = stand.sandbox.calls.all().length;
    const [unknown, given, wrong] = await Promise.all([
      plan('journals'),
      plan('journals', '--newest', '1000000', '--calls-a-day', '5000', '--json'),
      planFor('nobody', 'journals', '--from', '9', '--to', '3'),
    ]);
    expect(unknown).toMatchObject({ code: 0, stderr: '' });
    expect(unknown.stdout).toContain('How much is to come is not known');
    expect(JSON.parse(given.stdout)).toMatchObject({
      wanted: 'all journals',
      movesWatermark: true,
      newest: { number: 1_000_000, from: 'given' },
      cost: { pages: 10_000, calls: 10_005 },
      course: { suspensions: 2, days: 3 },
    });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/--to is 3, before --from 9\.\n.*"nobody" may not use/);
    expect(stand.sandbox.calls.all().length).toBe(before);
  });

  test('what is stored tells where the next import goes on, and what it makes is what was planned', async () => {
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    const { connectionId = '' } = (await findConnection(stand.database.pool, stand.connection)) ?? {};
    await reserveQuota(stand.database.pool, connectionId, 120);
    const [said, json, filtered] = await Promise.all([
      plan('journals'),
      plan('journals', '--json'),
      plan('journals', '--from', '101', '--to', '300'),
    ]);
    const { newest, cost, quota } = JSON.parse(json.stdout);
    expect(newest.number).toBeGreaterThanOrEqual(450);
    expect(quota).toMatchObject({ reserve: 120, callsADay: 5_000 });
    expect(quota.dayRemaining).toBeLessThan(300);
    expect(said.stdout).toMatch(/it goes on after \d+, looking again/);
    expect(said.stdout).toMatch(/120 of them are left to others/);
    expect(filtered.stdout).toMatch(/This import has filters: .* leaves that mark alone/);
    expect(filtered.stdout).toMatch(/2 pages at the most, 6 calls/);

    const again = await stand.importJournals();
    if (!again.ok) throw new Error(again.message);
    expect(again.result.totals.calls).toBeLessThanOrEqual(cost.calls);
  });

  test('a newest Journal ID that is older than what is stored is said to contradict it', async () => {
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    const { rows } = await stand.database.pool.query('select max(journal_number)::int as n from xero.journal');
    const [{ n } = { n: 0 }] = rows as { n: number }[];
    const { stdout } = await plan('journals', '--newest', '3');
    expect(stdout).toContain(
      `The newest Journal ID cannot be 3, as Journal ID ${n.toLocaleString('en-US')} is stored already;`,
    );
    const { contradicted, newest } = JSON.parse((await plan('journals', '--newest', '3', '--json')).stdout);
    expect([contradicted, newest.number]).toEqual([3, n]);
    expect(JSON.parse((await plan('journals', '--newest', '99999', '--json')).stdout).contradicted).toBeNull();
  });
});
