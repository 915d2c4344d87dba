import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyLedger, settle, takePermit } from '../../model/quota.ts';
import { starves } from '../../model/reserve.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const silent = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

describe('a reserve of the day’s calls', () => {
  test('is left to others but for one call an hour, and what goes beyond it is not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 600_000 }), fc.integer({ min: 0, max: 3 })), { maxLength: 300 }),
        (reserve, steps) => {
          const limit = 500;
          const dayEnds = start + 8 * 3_600_000;
          let used = 0;
          let ledger = emptyLedger;
          let now = start;
          let heardAt = 0;
          for (const [ms, others] of steps) {
            if (now < dayEnds && now + ms >= dayEnds) used = 0;
            now += ms;
            used = Math.min(limit, used + others);
            const permit = takePermit(ledger, now, { reserve });
            const left = limit - used;
            if (!permit.granted) {
              // The ledger may be behind what others used, never more generous than the hour.
              if (permit.reason === 'reserve') expect(permit.until - now).toBeLessThanOrEqual(3_600_000);
              continue;
            }
            if (left === 0) {
              ledger = settle(permit.ledger, permit.call, { ...silent, dayRemaining: 0 }, now);
              heardAt = now;
              continue;
            }
            if (ledger.dayRemaining !== null && ledger.dayRemaining <= reserve)
              expect(now - heardAt).toBeGreaterThanOrEqual(3_600_000);
            heardAt = now;
            used++;
            ledger = settle(permit.ledger, permit.call, { ...silent, dayRemaining: limit - used }, now);
          }
        },
      ),
    );
  });

  test('is not spent from by several calls that leave before Xero has said what is left', () => {
    const first = takePermit(emptyLedger, start, { reserve: 100 });
    const second = first.granted ? takePermit(first.ledger, start + 1, { reserve: 100 }) : first;
    if (!first.granted || !second.granted) throw new Error('Nothing was known of the day.');
    const told = settle(second.ledger, first.call, { ...silent, dayRemaining: 99 }, start + 4_000);
    expect(takePermit(told, start + 4_001, { reserve: 100 })).toEqual({
      granted: false,
      reason: 'reserve',
      until: start + 3_604_000,
    });
  });

  test('is no matter as long as more than it is left, and none is kept where none was set', () => {
    const left = (dayRemaining: number) => ({ ...emptyLedger, dayRemaining, dayHeardAt: start - 1_000 });
    expect(takePermit(left(11), start, { reserve: 10 }).granted).toBe(true);
    expect(takePermit(left(10), start, { reserve: 10 })).toEqual({
      granted: false,
      reason: 'reserve',
      until: start + 3_599_000,
    });
    expect(takePermit(left(0), start).granted).toBe(true);
  });

  test('what a clock that was ahead wrote is asked about at once', () => {
    const ahead = { ...emptyLedger, dayRemaining: 10, dayHeardAt: start + 86_400_000 };
    expect(takePermit(ahead, start, { reserve: 10 }).granted).toBe(true);
  });

  test('a new day, heard of by the call that asks, sets the import going', () => {
    const asked = takePermit({ ...emptyLedger, dayRemaining: 10, dayHeardAt: start - 3_600_000 }, start, {
      reserve: 10,
    });
    if (!asked.granted) throw new Error('The hour had passed.');
    expect(takePermit(asked.ledger, start + 1, { reserve: 10 })).toMatchObject({ granted: false, reason: 'reserve' });
    const answered = settle(asked.ledger, asked.call, { ...silent, dayRemaining: 4_999 }, start + 100);
    expect(takePermit(answered, start + 200, { reserve: 10 }).granted).toBe(true);
  });

  test('that is as large as the day leaves imports nothing, unless Xero has named more', () => {
    expect([starves(0, null), starves(999, 0), starves(500, 400)]).toEqual([null, null, null]);
    expect([starves(1_000, null), starves(4_999, 1_000)]).toEqual(['onStarter', 'onStarter']);
    expect([starves(5_000, null), starves(1_000_000, 4_999)]).toEqual(['always', 'always']);
    expect([starves(1_000, 4_500), starves(5_000, 20_000)]).toEqual([null, null]);
  });
});
