import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lanesFor } from '../../model/lanes.ts';
import { callsLeft, concurrentCalls } from '../../model/minute.ts';
import { giveWay, leavesOf } from '../../model/precedence.ts';
import { emptyLedger, type QuotaLedger, settle, takePermit } from '../../model/quota.ts';
import { callTogether, xeroMinute } from './xero-minute.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const holder = 'backfill';
const silent = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

const instant = fc.integer({ min: -60_000, max: 60_000 }).map((ms) => start + ms);

const ledgers: fc.Arbitrary<QuotaLedger> = fc
  .record({
    remaining: fc.option(fc.integer({ min: 0, max: 60 })),
    counted: fc.array(instant, { maxLength: 60 }).map((counted) => counted.sort((a, b) => a - b)),
    leases: fc.array(fc.record({ until: instant, holder: fc.constantFrom('import', 'backfill') }), { maxLength: 6 }),
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
        const permit = takePermit(ledger, start, { holder });
        expect(giveWay(permit, ledger, start, { leaves: leavesOf(false, others), holder })).toBe(permit);
        const given = giveWay(permit, ledger, start, { leaves: leavesOf(true, others), holder });
        if (!permit.granted || given.granted) {
          expect(given).toBe(permit);
          return;
        }
        expect(given.until).toBeGreaterThan(start);
        expect(given.until).toBeLessThanOrEqual(start + 60_000);
      }),
    );
  });

  test('so two calls of each minute and one at once are not its own, half of it and three while others are open', () => {
    fc.assert(
      fc.property(ledgers, fc.boolean(), (ledger, others) => {
        const asker = { leaves: leavesOf(true, others), holder };
        const given = giveWay(takePermit(ledger, start, { holder }), ledger, start, asker);
        if (!given.granted) return;
        const { minute, leases } = given.ledger;
        const own = leases.filter((lease) => lease.holder === holder);
        expect(concurrentCalls - own.length).toBeGreaterThanOrEqual(others ? 3 : 1);
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
      const permit = giveWay(takePermit(ledger, now), ledger, now, { leaves: leavesOf(true, true), holder });
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

  test.each([300, 1_000, 1_500, 2_000, 3_000, 4_000])(
    'and goes on beside an import that has as many calls in flight as it may, at %i ms an answer',
    (latency) => {
      const lanes = lanesFor(latency, { dayRemaining: null, minuteLimit: 60 }, 1_000);
      const backfill = { holder, lanes: Math.min(lanes, 2), leaves: leavesOf(true, true) };
      const xero = xeroMinute('fixed', 20_000, 60);
      const made = callTogether(xero, [{ holder: 'import', lanes, leaves: null }, backfill], 20, () => [latency, 0.5]);
      expect(made.backfill).toBeGreaterThanOrEqual(20 * 5);
      expect(made.import).toBeGreaterThanOrEqual(20 * 28);
    },
  );
});
