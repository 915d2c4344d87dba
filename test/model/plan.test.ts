import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startingPoint } from '../../model/cursor.ts';
import {
  type Budget,
  budgetOf,
  countAt,
  invoiceCalls,
  journalCalls,
  type QuotaStanding,
  timetableOf,
} from '../../model/plan.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const hour = 3_600_000;
const day = 24 * hour;
const unheard: QuotaStanding = { dayRemaining: null, heardAt: null, blockedUntil: null, blockedBy: null };

/** Of a day, some have more than can be made in it. */
const callsOfADay = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 86_000, max: 100_000 }));
const budgets: fc.Arbitrary<Budget> = fc.record({
  today: fc.oneof(fc.constant(0), callsOfADay),
  aDay: callsOfADay,
  dayBeginsBy: fc
    .oneof(
      fc.integer({ min: 1, max: day }),
      fc.integer({ min: 1, max: 200 }).map((seconds) => seconds * 1_000),
    )
    .map((ms) => now + ms),
  isNamed: fc.boolean(),
  heardWithinMs: fc.constantFrom(0, hour),
});
const someCalls = fc.integer({ min: 0, max: 200_000 });

/** The same by counting: second after second a call, as long as the day has one. */
function counted(calls: number, budget: Budget): { finishedBy: number; suspensions: number } {
  let at = now;
  let left = Math.min(budget.today, Math.floor((budget.dayBeginsBy - now) / 1_000));
  let begins = budget.dayBeginsBy;
  let suspensions = 0;
  for (let made = 0; made < calls; made++) {
    if (left === 0) {
      const until = begins + budget.heardWithinMs;
      if (until - at >= 60_000) suspensions++;
      at = until;
      begins += day;
      left = Math.min(budget.aDay, (day - budget.heardWithinMs) / 1_000);
    }
    left--;
    at += 1_000;
  }
  return { finishedBy: at, suspensions };
}

describe('the course of an import over days', () => {
  test('is that of making a call a second as long as the day has one', () => {
    fc.assert(
      fc.property(someCalls, budgets, (calls, budget) => {
        const { finishedBy, suspensions } = timetableOf(calls, budget, now) ?? {};
        expect({ finishedBy, suspensions }).toEqual(counted(calls, budget));
      }),
    );
  });

  test('sleeps from the last call of a day until the next begins, and is over after the last of its days', () => {
    fc.assert(
      fc.property(someCalls, budgets, (calls, budget) => {
        const course = timetableOf(calls, budget, now);
        let awakeAt = now;
        for (const { from, until } of course?.first ?? []) {
          expect(from).toBeGreaterThanOrEqual(awakeAt);
          // Shown to the minute, so that a shorter one would end where it begins.
          expect(until).toBeGreaterThanOrEqual(from + 60_000);
          awakeAt = until;
        }
        expect(course?.finishedBy).toBeGreaterThanOrEqual(awakeAt);
        expect(course?.first.length).toBe(Math.min(7, course?.suspensions ?? -1));
      }),
    );
  });

  test('is not finished sooner for more calls, a smaller day or a reserve', () => {
    const quotas = fc.record({
      dayRemaining: fc.option(fc.integer({ min: 0, max: 5_000 })),
      heardAt: fc.integer({ min: 0, max: 2 * day }).map((ms) => now - ms),
      blockedUntil: fc.option(fc.integer({ min: -2 * day, max: day }).map((ms) => now + ms)),
      blockedBy: fc.constantFrom('day' as const, 'minute' as const),
    });
    const finish = (...[calls, quota, aDay, reserve]: [number, QuotaStanding, number, number]) =>
      timetableOf(calls, budgetOf(quota, aDay, reserve, now), now)?.finishedBy ?? Number.POSITIVE_INFINITY;
    fc.assert(
      fc.property(
        someCalls,
        quotas,
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat(5_000),
        (calls, quota, aDay, reserve) => {
          const base = finish(calls, quota, aDay, reserve);
          expect(finish(calls + 1, quota, aDay, reserve)).toBeGreaterThanOrEqual(base);
          expect(finish(calls, quota, aDay, reserve + 1)).toBeGreaterThanOrEqual(base);
          expect(finish(calls, quota, Math.max(1, aDay - 1), reserve)).toBeGreaterThanOrEqual(base);
        },
      ),
    );
  });

  test('has no end where the reserve leaves nothing, but for what today has left', () => {
    const budget = budgetOf({ ...unheard, dayRemaining: 600, heardAt: now }, 500, 500, now);
    expect(timetableOf(100, budget, now)?.finishedBy).toBe(now + 100_000);
    expect(timetableOf(101, budget, now)).toBeNull();
  });

  test('is of any length at once: no day is counted by hand', () => {
    const course = timetableOf(Number.MAX_SAFE_INTEGER, budgetOf(unheard, 5_000, 0, now), now);
    expect(course?.suspensions).toBeGreaterThan(1e12);
  });
});

describe('the budget', () => {
  test('is what Xero last said of today, and a whole day where that is older than a day or nothing was said', () => {
    const left = { ...unheard, dayRemaining: 700, heardAt: now - hour };
    expect(budgetOf(left, 5_000, 0, now)).toMatchObject({
      today: 700,
      aDay: 5_000,
      dayBeginsBy: now + day,
      isNamed: false,
    });
    expect(budgetOf(left, 5_000, 500, now)).toMatchObject({ today: 200, aDay: 4_500, heardWithinMs: hour });
    expect(budgetOf({ ...left, heardAt: now - day }, 5_000, 500, now).today).toBe(4_500);
    expect(budgetOf(unheard, 1_000, 0, now).today).toBe(1_000);
  });

  test('a day that Xero said is spent begins again when it named, and each day after at that hour', () => {
    const spent = (ms: number) => ({
      dayRemaining: 0,
      heardAt: now,
      blockedUntil: now + ms,
      blockedBy: 'day' as const,
    });
    expect(budgetOf(spent(hour), 5_000, 0, now)).toMatchObject({ today: 0, dayBeginsBy: now + hour, isNamed: true });
    expect(budgetOf(spent(-hour), 5_000, 0, now)).toMatchObject({ today: 5_000, dayBeginsBy: now + 23 * hour });
    expect(budgetOf({ ...spent(hour), blockedBy: 'minute' as never }, 5_000, 0, now).isNamed).toBe(false);
  });
});

describe('the calls to come', () => {
  test('are no fewer than reading needs, whatever the numbers that exist', () => {
    const filters = fc.record(
      {
        startingAtJournalId: fc.integer({ min: 1, max: 3_000 }),
        endingAtJournalId: fc.integer({ min: 1, max: 3_000 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 3_000 })),
        filters,
        fc.nat(3_000),
        (some, asked, watermark) => {
          const numbers = some.sort((a, b) => a - b);
          const start = startingPoint(asked, watermark);
          let cursor = start.cursor ?? 0;
          let calls = 0;
          while (start.range.endingAt === null || cursor < start.range.endingAt) {
            calls++;
            const page = numbers.filter((number) => number > cursor).slice(0, 100);
            if (page.length === 0) break;
            cursor = page.at(-1) ?? cursor;
          }
          const planned = journalCalls(start, numbers.at(-1) ?? 0, null)?.calls ?? 0;
          // An end beyond the newest number costs the empty page, which the plan cannot know of where a gap lies before it.
          expect(planned - 4).toBeGreaterThanOrEqual(calls - (start.range.endingAt === null ? 0 : 1));
        },
      ),
    );
  });

  test('of journals go on from the watermark, of a range are its own, and are unknown without an end', () => {
    const calls = (filters: object, watermark: number, head: number | null, since: number | null = null) =>
      journalCalls(startingPoint(filters, watermark), head, since);
    expect(calls({}, 0, 100_000)).toEqual({ pages: 1_000, calls: 1_005 });
    expect(calls({}, 100_000, 100_000)).toEqual({ pages: 1, calls: 6 });
    expect(calls({ startingAtJournalId: 101, endingAtJournalId: 300 }, 0, null)).toEqual({ pages: 2, calls: 6 });
    // The run begins an overlap before the first journal that it finds.
    expect(calls({ modifiedSince: '2026-11-01' }, 0, 1_000, 901)).toEqual({ pages: 2, calls: 8 });
    expect(calls({}, 0, null)).toBeNull();
  });

  test('of invoices are a thousand each, and one that finds nothing newer', () => {
    expect(invoiceCalls(2_500)).toEqual({ pages: 3, calls: 8 });
    expect(invoiceCalls(null)).toBeNull();
  });
});

test('a stream is expected to grow as it did', () => {
  const growth = { newest: { count: 10_000, at: now - day }, earlier: { count: 9_000, at: now - 11 * day } };
  expect(countAt(growth, now)).toBe(10_100);
  expect(countAt(growth, now - 21 * day)).toBe(8_000);
  expect(countAt({ ...growth, earlier: growth.newest }, now)).toBe(10_000);
  expect(countAt(null, now)).toBeNull();
});
