import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callsLeft } from '../../model/minute.ts';
import { block, blockedUntil, emptyLedger, type QuotaLedger, settle, takePermit } from '../../model/quota.ts';
import { callOn, kinds, minuteMs, silent, start, xeroMinute } from './xero-minute.ts';

const side = fc.record({
  kind: fc.constantFrom(...kinds),
  anchor: fc.integer({ min: 0, max: minuteMs - 1 }),
  limit: fc.constantFrom(7, 60, 2_500),
});
/** How much of a call's time is the way there, before Xero counts it: half of it at most, and never more than a second. */
const wayThere = fc.double({ min: 0, max: 0.5, noNaN: true });
const addOne = (said: number | null) => (said === null ? null : said + 1);

describe('A paced import never makes Xero say 429 for the minute, and uses what it allows', () => {
  test('one call after the other, whatever kind of window counts them and wherever it lies', () => {
    fc.assert(
      fc.property(
        side,
        wayThere,
        fc.array(fc.integer({ min: 20, max: 4_000 }), { minLength: 5, maxLength: 30 }),
        (xero, way, latencies) => {
          callOn(xeroMinute(xero.kind, xero.anchor, xero.limit), 1, 6, (call) => [
            latencies[call % latencies.length] ?? 0,
            way,
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('several in flight, whose answers overtake each other', () => {
    fc.assert(
      fc.property(
        side,
        wayThere,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 300, max: 4_000 }),
        fc.array(fc.integer({ min: 60, max: 150 }), { minLength: 20, maxLength: 60 }),
        fc.array(fc.integer({ min: 0, max: minuteMs }), { maxLength: 5 }),
        ({ kind, anchor, limit }, way, lanes, usual, percents, before) => {
          const latencies = percents.map((percent) => (usual * percent) / 100);
          const minutes = 6;
          const xero = xeroMinute(kind, anchor, limit);
          // Calls of others in the minute before hide as many of the limit.
          if (limit >= 60) for (const ago of before.toSorted((a, b) => b - a)) xero.arrive(start - ago);
          const calls = callOn(xero, lanes, minutes, (call) => [
            latencies[call % latencies.length] ?? 0,
            // Each takes a way of its own.
            way * ((call % 7) / 6),
          ]);
          const mean = latencies.reduce((sum, each) => sum + each, 0) / latencies.length;
          const possible = Math.min(limit, (lanes * minuteMs) / mean);
          expect(calls / minutes).toBeGreaterThan(0.9 * possible - 1);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test.each(kinds)('who tells what was left before the call, not after it, is not asked too much: %s', (kind) => {
  for (const lanes of [1, 5]) {
    const xero = xeroMinute(kind, 30_000, 60);
    const before = { ...xero, arrive: (at: number) => addOne(xero.arrive(at)) };
    expect(callOn(before, lanes, 6, () => [800 * lanes, 0.1]) / 6).toBeGreaterThan(57);
  }
});

test.each(kinds)('calls made just before an import, by connecting, do not slow it down for good: %s', (kind) => {
  const xero = xeroMinute(kind, 30_000, 60);
  for (let calls = 0; calls < 3; calls++) xero.arrive(start - 100);
  expect(callOn(xero, 5, 6, () => [4_000, 0.1]) / 6).toBeGreaterThan(58);
});

describe('Where other programs use the same quota', () => {
  test('their calls are noticed and count, so it is refused once a minute at most, a few times where the minute slides', () => {
    fc.assert(
      fc.property(
        side,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 100, max: 900 }),
        ({ kind, anchor }, theirs, latency) => {
          const xero = xeroMinute(kind, anchor, 60);
          let ledger: QuotaLedger = emptyLedger;
          let theirNext = start;
          let [made, refused] = [0, 0];
          const minutes = 10;
          for (let now = start; now < start + minutes * minuteMs; ) {
            for (; theirNext <= now; theirNext += minuteMs / theirs) xero.arrive(theirNext);
            const permit = takePermit(ledger, now);
            if (!permit.granted) {
              now = permit.until;
              continue;
            }
            const said = xero.arrive(now + 1);
            now += latency;
            if (said === null) {
              refused++;
              const until = blockedUntil('minute', xero.retryAfter(now), now);
              ledger = block(permit.ledger, permit.call, 'minute', until, now);
            } else {
              made++;
              ledger = settle(permit.ledger, permit.call, { ...silent, minuteRemaining: said }, now);
            }
          }
          expect(refused).toBeLessThanOrEqual((kind === 'sliding' ? 5 : 1) * minutes + 1);
          expect(made / minutes).toBeGreaterThan(0.75 * (60 - theirs) - 1);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a minute of which nothing is known any more is taken as a whole one', () => {
    const permit = takePermit(emptyLedger, start);
    if (!permit.granted) throw new Error(permit.reason);
    const { minute } = settle(permit.ledger, permit.call, { ...silent, minuteRemaining: 59 }, start + 200);
    expect(callsLeft({ ...minute, remaining: 0 }, 0, start + 200)).toBe(59);
    expect(callsLeft({ ...minute, remaining: 0 }, 0, start + 61_000)).toBe(60);
  });
});
