import { expect } from 'vitest';
import { giveWay, type Leaves } from '../../model/precedence.ts';
import {
  block,
  blockedUntil,
  emptyLedger,
  type QuotaLedger,
  type SpentCall,
  settle,
  takePermit,
} from '../../model/quota.ts';

export const start = Date.parse('2026-11-22T10:00:00Z');
export const silent = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };
export const minuteMs = 60_000;

/** Windows as Xero documents them, as older pages of its do, and as programs that imitate it count. */
export const kinds = ['fixed', 'begun by a call', 'sliding'] as const;

/** Xero's side: how many calls are left after this one, or null when it is refused. */
export function xeroMinute(kind: (typeof kinds)[number], anchor: number, limits: number | ((at: number) => number)) {
  const limitAt = typeof limits === 'number' ? () => limits : limits;
  let windowEnds = kind === 'fixed' ? start + anchor : 0;
  let used = 0;
  let recent: number[] = [];
  return {
    arrive(at: number): number | null {
      const limit = limitAt(at);
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
    retryAfter(at: number): number {
      const freeAt = kind === 'sliding' ? (recent.at(-limitAt(at)) ?? at) + minuteMs : windowEnds;
      return Math.ceil((freeAt - at) / 1_000);
    },
  };
}

/** Xero counts a call on its way there: half of its time at most, and never more than a second. */
const arrives = (sentAt: number, latency: number, way: number) => sentAt + Math.min(latency * way, 1_000);

/** Somebody who calls, so many at once. */
export interface Caller {
  holder: string;
  lanes: number;
  leaves: Leaves | null;
}

interface Step {
  holder: string;
  at: number;
  counted: boolean;
  lands: number;
  call: SpentCall;
  said: number | null;
}

/** Calls as fast as the ledger allows, `lanes` at once, for some minutes. Answers the calls made; every refusal fails, unless it is heard. */
export function callOn(
  xero: ReturnType<typeof xeroMinute>,
  lanes: number,
  minutes: number,
  latencyOf: (call: number) => [number, number],
  refused?: (at: number) => void,
): number {
  return callTogether(xero, [{ holder: '', lanes, leaves: null }], minutes, latencyOf, refused)[''] ?? 0;
}

/** The same by several who share the ledger; the calls that each made, by holder. */
export function callTogether(
  xero: ReturnType<typeof xeroMinute>,
  callers: Caller[],
  minutes: number,
  latencyOf: (call: number) => [number, number],
  refused: (at: number) => void = () => expect.unreachable('Xero refused a call.'),
): Record<string, number> {
  let steps: Step[] = [];
  let ledger: QuotaLedger = emptyLedger;
  let now = start;
  let calls = 0;
  const made: Record<string, number> = {};
  const end = start + minutes * minuteMs;
  while (now < end) {
    let next = end;
    for (const { holder, lanes, leaves } of callers) {
      if (steps.filter((step) => step.holder === holder).length >= lanes) continue;
      const permit = giveWay(takePermit(ledger, now, { holder }), ledger, now, { leaves, holder });
      if (!permit.granted) {
        next = Math.min(next, permit.until);
        continue;
      }
      const [latency, way] = latencyOf(calls++);
      ledger = permit.ledger;
      made[holder] = (made[holder] ?? 0) + 1;
      const lands = now + latency;
      steps.push({ holder, at: arrives(now, latency, way), counted: false, lands, call: permit.call, said: 0 });
      next = now;
    }
    now = Math.max(now, Math.min(next, ...steps.map(({ at }) => at)));
    for (const step of steps.filter(({ at }) => at <= now)) {
      if (!step.counted) {
        step.said = xero.arrive(step.at);
        if (step.said === null) refused(now);
        [step.counted, step.at] = [true, step.lands];
      } else {
        ledger =
          step.said === null
            ? block(ledger, step.call, 'minute', blockedUntil('minute', xero.retryAfter(now), now), now)
            : settle(ledger, step.call, { ...silent, minuteRemaining: step.said }, now);
        steps = steps.filter((other) => other !== step);
      }
    }
  }
  return made;
}
