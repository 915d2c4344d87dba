import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callsLeft, concurrentCalls } from '../../model/minute.ts';
import { giveWay, leavesOf } from '../../model/precedence.ts';
import { emptyLedger, type QuotaLedger, settle, takePermit } from '../../model/quota.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const silent = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

const instants = (maxLength: number) =>
  fc.array(
    fc.integer({ min: -60_000, max: 60_000 }).map((ms) => start + ms),
    { maxLength },
  );

const ledgers: fc.Arbitrary<QuotaLedger> = fc
  .record({
    remaining: fc.option(fc.integer({ min: 0, max: 60 })),
    counted: instants(60).map((counted) => counted.sort((a, b) => a - b)),
    leases: instants(6),
  })
  .map(({ remaining, counted, leases }) => ({
    ...emptyLedger,
    leases,
    minute: { remaining, limit: remaining === null ? null : 60, counted, leaptAt: 0 },
  }));

describe('a backfill gives way', () => {
  test('never where another import may not call either, and never for longer than a minute', () => {
    fc.assert(
      fc.property(ledgers, fc.boolean(), (ledger, others) => {
        const permit = takePermit(ledger, start);
        expect(giveWay(permit, ledger, start, leavesOf(false, others))).toBe(permit);
        const given = giveWay(permit, ledger, start, leavesOf(true, others));
        if (!permit.granted || given.granted) {
          expect(given).toBe(permit);
          return;
        }
        expect(given.until).toBeGreaterThan(start);
        expect(given.until).toBeLessThanOrEqual(start + 60_000);
      }),
    );
  });

  test('so two calls of each minute and one at once are free for others, half of it and three while others are open', () => {
    fc.assert(
      fc.property(ledgers, fc.boolean(), (ledger, others) => {
        const given = giveWay(takePermit(ledger, start), ledger, start, leavesOf(true, others));
        if (!given.granted) return;
        const { minute, leases } = given.ledger;
        expect(concurrentCalls - leases.length).toBeGreaterThanOrEqual(others ? 3 : 1);
        const left = callsLeft(minute, leases.length, start);
        if (left !== null) expect(left).toBeGreaterThanOrEqual(others ? 30 : 2);
      }),
    );
  });

  test.each([1, 10, 60])('and makes a call in each minute all the same, where a minute has %i', (perMinute) => {
    let ledger = emptyLedger;
    let now = start;
    let calls = 0;
    for (let asked = 0; asked < 500 && now < start + 10 * 60_000; asked++) {
      const permit = giveWay(takePermit(ledger, now), ledger, now, leavesOf(true, true));
      if (!permit.granted) {
        now = permit.until;
        continue;
      }
      calls++;
      now += 500;
      const used = Math.min(perMinute, (calls % perMinute) + 1);
      ledger = settle(permit.ledger, permit.call, { ...silent, minuteRemaining: perMinute - used }, now);
    }
    expect(calls).toBeGreaterThanOrEqual(9);
  });
});
