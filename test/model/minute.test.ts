import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callsLeft } from '../../model/minute.ts';
import {
  block,
  blockedUntil,
  emptyLedger,
  type QuotaLedger,
  type SpentCall,
  settle,
  takePermit,
} from '../../model/quota.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const silent = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };
const minuteMs = 60_000;

/** Windows as Xero documents them, as older pages of its do, and as programs that imitate it count. */
const kinds = ['fixed', 'begun by a call', 'sliding'] as const;

/** Xero's side: how many calls are left after this one, or null when it is refused. */
function xeroMinute(kind: (typeof kinds)[number], anchor: number, limit: number) {
  let windowEnds = kind === 'fixed' ? start + anchor : 0;
  let used = 0;
  let recent: number[] = [];
  return {
    arrive(at: number): number | null {
      if (kind === 'sliding') {
        recent = recent.filter((other) => other > at - minuteMs);
        if (recent.length >= limit) return null;
        recent.push(at);
        return limit - recent.length;
      }
      if (at >= windowEnds) {
        used = 0;
        while (windowEnds <= at) windowEnds = kind === 'fixed' ? windowEnds + minuteMs : at + minuteMs;
      }
      return used >= limit ? null : limit - ++used;
    },
    retryAfter: (at: number) =>
      Math.ceil(((kind === 'sliding' ? (recent[0] ?? at) + minuteMs : windowEnds) - at) / 1_000),
  };
}

const side = fc.record({
  kind: fc.constantFrom(...kinds),
  anchor: fc.integer({ min: 0, max: minuteMs - 1 }),
  limit: fc.constantFrom(7, 60, 2_500),
});
/** How much of a call's time is the way there, before Xero counts it: half of it at most, and never more than a second. */
const wayThere = fc.double({ min: 0, max: 0.5, noNaN: true });
const arrives = (sentAt: number, latency: number, way: number) => sentAt + Math.min(latency * way, 1_000);

const addOne = (said: number | null) => (said === null ? null : said + 1);

interface Step {
  at: number;
  counted: boolean;
  lands: number;
  call: SpentCall;
  said: number | null;
}

/** Calls as fast as the ledger allows, `lanes` at once, for some minutes; every refusal fails. Answers the calls made. */
function callOn(
  xero: ReturnType<typeof xeroMinute>,
  lanes: number,
  minutes: number,
  latencyOf: (call: number) => [number, number],
) {
  let steps: Step[] = [];
  let ledger: QuotaLedger = emptyLedger;
  let now = start;
  let calls = 0;
  const end = start + minutes * minuteMs;
  while (now < end) {
    const permit = steps.length < lanes ? takePermit(ledger, now) : null;
    if (permit?.granted) {
      const [latency, way] = latencyOf(calls++);
      ledger = permit.ledger;
      steps.push({ at: arrives(now, latency, way), counted: false, lands: now + latency, call: permit.call, said: 0 });
    } else {
      now = Math.max(now, Math.min(...steps.map(({ at }) => at), permit && !permit.granted ? permit.until : end));
    }
    for (const step of steps.filter(({ at }) => at <= now)) {
      if (!step.counted) {
        step.said = xero.arrive(step.at);
        expect(step.said).not.toBeNull();
        [step.counted, step.at] = [true, step.lands];
      } else {
        ledger = settle(ledger, step.call, { ...silent, minuteRemaining: step.said }, now);
        steps = steps.filter((other) => other !== step);
      }
    }
  }
  return calls;
}

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
