import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concurrentCalls } from '../../model/minute.ts';
import {
  block,
  blockedUntil,
  emptyLedger,
  leaseMs,
  nothingSaid,
  type QuotaLedger,
  type SpentCall,
  settle,
  takePermit,
  wakesAt,
} from '../../model/quota.ts';
import type { WaitReason } from '../../model/run.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const noCall = { lease: 0, sent: 0, besides: 0 };

function granted(ledger: QuotaLedger, now: number) {
  const permit = takePermit(ledger, now);
  if (!permit.granted) throw new Error(`refused: ${permit.reason}`);
  return permit;
}

describe('a permit', () => {
  test('is refused while a 429 stands, whatever is said in the meantime', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_600 }),
        fc.constantFrom('minute' as const, 'day' as const),
        fc.integer({ min: 0, max: 5_000 }),
        (retryAfter, reason, minuteRemaining) => {
          const { ledger, call } = granted(emptyLedger, start);
          const blocked = block(ledger, call, reason, blockedUntil(reason, retryAfter, start), start);
          const late = settle(
            blocked,
            { lease: start + leaseMs, sent: 1, besides: 0 },
            { ...nothingSaid, minuteRemaining },
            start + 1,
          );
          const named = start + retryAfter * 1_000;
          expect(takePermit(late, named).granted).toBe(false);
          // What is left of an old minute says nothing of the one that has begun when the time named has come.
          if (reason === 'minute' || minuteRemaining > 0) expect(takePermit(late, named + 1_000).granted).toBe(true);
        },
      ),
    );
  });

  test('of a spent minute is asked for again soon while a call is in flight, whose answer may tell of a new one', () => {
    const { ledger, call } = granted(emptyLedger, start);
    const first = settle(ledger, call, { ...nothingSaid, minuteRemaining: 59 }, start);
    const second = granted(first, start);
    const blocked = block(second.ledger, second.call, 'minute', start + 2_000, start);
    const probe = granted(blocked, start + 2_000);
    expect(takePermit(probe.ledger, start + 2_000)).toEqual({ granted: false, reason: 'minute', until: start + 3_000 });
    const told = settle(probe.ledger, probe.call, { ...nothingSaid, minuteRemaining: 59 }, start + 2_500);
    expect(takePermit(told, start + 3_000).granted).toBe(true);
    // It may tell nothing new; then the time is known that a spent minute takes at most.
    const spent = settle(probe.ledger, probe.call, { ...nothingSaid, minuteRemaining: 0 }, start + 2_500);
    const refused = takePermit(spent, start + 3_000);
    expect(refused).toMatchObject({ granted: false, reason: 'minute' });
    if (!refused.granted) expect(refused.until).toBeGreaterThan(start + 30_000);
  });

  test('is given to five calls at once and not to a sixth, until one ends or its lease runs out', () => {
    let ledger = emptyLedger;
    const calls: SpentCall[] = [];
    for (let call = 0; call < concurrentCalls; call++) {
      const permit = granted(ledger, start + call);
      ledger = permit.ledger;
      calls.push(permit.call);
    }
    expect(takePermit(ledger, start + 10)).toMatchObject({ granted: false, reason: 'concurrent' });
    expect(takePermit(settle(ledger, calls[2] ?? noCall, nothingSaid, start + 10), start + 10).granted).toBe(true);
    expect(takePermit(ledger, start + leaseMs + 1).granted).toBe(true);
  });

  test('is given within a minute of Xero’s, whatever was written before a clock was set back', () => {
    let ledger = emptyLedger;
    const later = start + 3_600_000;
    for (let calls = 0; calls < 10; calls++) {
      const permit = granted(ledger, later + calls);
      ledger = settle(permit.ledger, permit.call, { ...nothingSaid, minuteRemaining: 9 - calls }, later + calls + 1);
    }
    for (let calls = 0; calls < concurrentCalls; calls++)
      ledger = { ...ledger, leases: [...ledger.leases, { until: later + leaseMs + calls, holder: '' }] };
    expect(takePermit(ledger, later + 100).granted).toBe(false);
    expect(takePermit(ledger, start).granted).toBe(true);
  });

  test.each(['minute', 'concurrent', 'appMinute', 'outage', 'day'] as const)(
    'is not refused for days because a clock was ahead when a wait for "%s" was written',
    (reason) => {
      const ahead = start + 3 * 86_400_000;
      const { ledger, call } = granted(emptyLedger, ahead);
      const blocked = block(ledger, call, reason, ahead + 3_000, ahead);
      expect(takePermit(blocked, ahead).granted).toBe(false);
      expect(takePermit(blocked, start).granted).toBe(true);
      // A refusal by a clock that is right takes its place.
      expect(takePermit(block(blocked, null, reason, start + 5_000, start), start)).toMatchObject({
        granted: false,
        until: start + 5_000,
      });
    },
  );

  test('waits for no longer than an hour for a minute’s limit, and two days for a day’s, whatever is told', () => {
    const told = (reason: WaitReason) => {
      const permit = takePermit(block(emptyLedger, null, reason, start + 30 * 86_400_000, start), start);
      return permit.granted ? 0 : permit.until - start;
    };
    expect(told('minute')).toBeLessThan(3_700_000);
    expect(told('day')).toBe(2 * 86_400_000);
  });

  test('an answer of the day before that comes late does not take back what a later call was told', () => {
    const first = granted(emptyLedger, start);
    const second = granted(first.ledger, start + 1_000);
    const told = settle(second.ledger, second.call, { ...nothingSaid, dayRemaining: 4_999 }, start + 1_200);
    expect(settle(told, first.call, { ...nothingSaid, dayRemaining: 500 }, start + 9_000)).toMatchObject({
      dayRemaining: 4_999 - 1,
      dayHeardAt: start + 1_200,
    });
  });

  test('is not paced by a server that states no limit', () => {
    let ledger = emptyLedger;
    for (let call = 0; call < 1_000; call++) {
      const permit = granted(ledger, start + call);
      ledger = settle(permit.ledger, permit.call, nothingSaid, start + call);
    }
  });

  test('a zero of the day does not stop it: only a 429 tells when the day is over, and it costs no call', () => {
    const { ledger, call } = granted(emptyLedger, start);
    const spent = settle(ledger, call, { ...nothingSaid, dayRemaining: 0, minuteRemaining: 60 }, start);
    expect(takePermit(spent, start).granted).toBe(true);
  });
});

test('a longer refusal stands against a shorter one that arrives later', () => {
  const day = block(emptyLedger, null, 'day', start + 3_600_000, start);
  expect(block(day, null, 'minute', start + 1_000, start)).toMatchObject({
    blockedUntil: start + 3_600_000,
    blockedBy: 'day',
  });
});

test.each([
  ['concurrent', 1_000],
  ['minute', 15_000],
  ['day', 300_000],
] as const)('a 429 for the limit "%s" without Retry-After is asked about again after %i ms', (reason, ms) => {
  expect(blockedUntil(reason, null, start)).toBe(start + ms);
});

test('a thousand runs that wait for one instant wake spread over a minute at most, each always at the same time', () => {
  const [waitMs, now] = [10 * 3_600_000, 1_000];
  const lateness = (run: string, wait: number, reason: WaitReason = 'day') =>
    wakesAt(run, reason, now + wait, now) - (now + wait);
  const wakes = Array.from({ length: 1_000 }, (_, run) => lateness(`0191b5d3-6446-7b3e-8e21-${run}`, waitMs));
  expect(Math.max(...wakes)).toBeLessThan(60_000);
  for (let second = 0; second < 60; second += 10) {
    const share = wakes.filter((ms) => ms >= second * 1_000 && ms < (second + 10) * 1_000).length / wakes.length;
    expect(share).toBeGreaterThan(0.1);
  }
  expect(lateness('a run', waitMs)).toBe(lateness('a run', waitMs));
  expect(lateness('a run', 20_000)).toBeLessThanOrEqual(1_000);
  expect(lateness('a run', -5)).toBe(0);
  expect(lateness('a run', waitMs, 'minute')).toBe(0);
});
