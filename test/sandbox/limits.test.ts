import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startClock } from '../../sandbox/clock.ts';
import { limitBook } from '../../sandbox/limits.ts';
import { type Answered, caller, type Get, sandboxFor } from './xero-client.ts';

const left = ({ headers }: Answered): (string | null)[] =>
  ['X-DayLimit-Remaining', 'X-MinLimit-Remaining', 'X-AppMinLimit-Remaining'].map((name) => headers.get(name));
const refusal = ({ status, text, headers }: Answered) => [
  status,
  text,
  headers.get('X-Rate-Limit-Problem'),
  headers.get('Retry-After'),
];

async function times(n: number, get: Get): Promise<Answered[]> {
  const all: Answered[] = [];
  for (let k = 0; k < n; k++) all.push(await get('Journals?offset=99999'));
  return all;
}

describe('limits', () => {
  it('every tenanted answer says what remains, refusals and mistakes too', async () => {
    const get = caller(await sandboxFor());
    expect(left(await get('Journals'))).toEqual(['4999', '59', '9999']);
    expect(left(await get('Journals?offset=x'))).toEqual(['4998', '58', '9998']);
    expect(left(await get('Nowhere'))).toEqual(['4997', '57', '9997']);
    const connections = await get('/connections');
    expect(left(connections)).toEqual([null, null, '9996']);
  });

  it('the 61st call of a minute gets 429: no body, `minute`, whole seconds to wait; it costs no day quota', async () => {
    const sandbox = await sandboxFor({ organisations: 2, limits: { minute: 3, minuteWindowSeconds: 600 } });
    const get = caller(sandbox);
    const answers = await times(5, get);
    expect(answers.map((each) => each.status)).toEqual([200, 200, 200, 429, 429]);
    const last = answers[4] as Answered;
    expect(refusal(last).slice(0, 3)).toEqual([429, '', 'minute']);
    expect(last.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    expect(left(last).slice(0, 2)).toEqual(['4997', '0']);
    // The other organisation has a window of its own.
    expect((await caller(sandbox, 1)('Accounts')).status).toBe(200);
  });

  it('a day window given in seconds begins with the first call and reopens when it said', async () => {
    const sandbox = await sandboxFor({ limits: { day: 4, dayWindowSeconds: 2 } });
    const get = caller(sandbox);
    const began = Date.now();
    const answers = await times(5, get);
    const [status, text, problem, wait] = refusal(answers[4] as Answered);
    expect([status, text, problem]).toEqual([429, '', 'day']);
    expect(Number(wait)).toBeGreaterThanOrEqual(1);
    expect(Number(wait)).toBeLessThanOrEqual(2);
    await sleep(Number(wait) * 1000);
    expect((await get('Journals')).status).toBe(200);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(sandbox.calls.early()).toEqual([]);
  });

  it('more than 5 calls in flight: `concurrent`, without Retry-After, and the place is free again once answered', async () => {
    const sandbox = await sandboxFor({ latencyMs: 150 });
    const get = caller(sandbox);
    const answers = await Promise.all(Array.from({ length: 8 }, () => get('Accounts')));
    const refused = answers.filter((each) => each.status === 429);
    expect(refused.map(refusal)).toEqual(Array(3).fill([429, '', 'concurrent', null]));
    expect(
      Math.max(
        ...sandbox.calls
          .all()
          .filter((each) => each.status === 200)
          .map((each) => each.inFlight),
      ),
    ).toBe(5);
    for (let round = 0; round < 3; round++) {
      const next = await Promise.all(Array.from({ length: 5 }, () => get('Accounts')));
      expect(next.every((each) => each.status === 200)).toBe(true);
    }
  });

  it('the app’s minute counts all tenants and /connections', async () => {
    const sandbox = await sandboxFor({ organisations: 2, limits: { appMinute: 3, minuteWindowSeconds: 600 } });
    expect((await caller(sandbox, 0)('Accounts')).status).toBe(200);
    expect((await caller(sandbox, 1)('Accounts')).status).toBe(200);
    expect((await caller(sandbox)('/connections')).status).toBe(200);
    expect(refusal(await caller(sandbox, 1)('Accounts'))).toEqual([429, '', 'appminute', null]);
    expect(refusal(await caller(sandbox)('/connections'))).toEqual([429, '', 'appminute', null]);
  });

  it('the log marks a call that comes before the named time, and none that waits', async () => {
    const sandbox = await sandboxFor({ limits: { minute: 1, minuteWindowSeconds: 1 } });
    const get = caller(sandbox);
    let refused = await get('Accounts');
    while (refused.status === 200) refused = await get('Accounts');
    await get('Accounts');
    const [early, ...more] = sandbox.calls.early();
    expect(more).toEqual([]);
    expect(early?.earlyByMs).toBeGreaterThan(0);
    sandbox.calls.reset();
    await sleep(Number(refused.headers.get('Retry-After')) * 1000 + 20);
    await get('Accounts');
    expect(sandbox.calls.all()).toMatchObject([
      { early: false, path: '/api.xro/2.0/Accounts', tenantId: sandbox.organisations[0]?.tenantId },
    ]);
  });

  it('limits change while running', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    await get('Accounts');
    sandbox.limits.set({ day: 1 });
    expect((await get('Accounts')).headers.get('X-Rate-Limit-Problem')).toBe('day');
    sandbox.limits.set({ day: 100 });
    expect(left(await get('Accounts'))[0]).toBe('98');
    sandbox.limits.set({ dayWindowSeconds: 1000 });
    expect(left(await get('Accounts'))[0]).toBe('99');
  });
});

describe('windows', () => {
  it('are fixed and anchored differently from tenant to tenant', () => {
    const clock = startClock(1);
    const book = limitBook(clock, { minute: 1, day: 1e9 });
    const waits = Array.from({ length: 200 }, (_, tenant) => {
      book.take('app', `tenant-${tenant}`);
      book.release('app', `tenant-${tenant}`);
      const verdict = book.take('app', `tenant-${tenant}`);
      return verdict.admitted ? 0 : (verdict.retryAfter ?? 0);
    });
    expect(new Set(waits).size).toBeGreaterThan(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60);
    clock.advance(60_000);
    expect(book.take('app', 'tenant-0').admitted).toBe(true);
  });

  it('shrink with timeScale, and Retry-After stays in real seconds, rounded up', () => {
    const book = limitBook(startClock(60), { day: 0 });
    expect([book.current.minuteWindowSeconds, book.current.dayWindowSeconds]).toEqual([1, 1440]);
    const verdict = book.take('app', 'tenant');
    expect(verdict).toMatchObject({ admitted: false, problem: 'day' });
    if (!verdict.admitted) expect(Number.isInteger(verdict.retryAfter)).toBe(true);
  });
});
