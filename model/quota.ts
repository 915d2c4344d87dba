import {
  afterAnswer,
  afterRefusal,
  afterSending,
  afterTakingBack,
  callsLeft,
  concurrentCalls,
  emptyMinute,
  type MinuteLedger,
  moreLeftAt,
  xerosLimit,
} from './minute.ts';
import type { LimitName, WaitReason } from './run.ts';

/**
 * Xero's limits as arithmetic: a ledger of what is known, and whether one more call may be made now. Pure: the clock is
 * handed in, the ledger is stored by `storage/quota.ts`.
 *
 * Xero says with each answer how many calls are left of the minute and the day. Those headers are the truth, other programs
 * may share the quota; what we count ourselves is only an estimate between two answers. A server that states no limit is
 * not paced, but obeyed when it says 429.
 * Source: https://developer.xero.com/documentation/guides/oauth2/limits/
 */

/** What one answer of Xero says of its limits; null where it says nothing. */
export interface QuotaReading {
  dayRemaining: number | null;
  minuteRemaining: number | null;
  appMinuteRemaining: number | null;
}

/** Of a call that was not made, or whose answer told nothing. */
export const nothingSaid: QuotaReading = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

/** What is known of one tenant's quota, or of the app's. Instants are milliseconds since 1970. */
export interface QuotaLedger {
  minute: MinuteLedger;
  dayRemaining: number | null;
  /** When Xero last said what is left of the day, or a call was spent of a reserve to hear it; null when neither was. */
  dayHeardAt: number | null;
  /** Until when Xero refuses (from a 429, or in an outage), and which limit it named. */
  blockedUntil: number | null;
  blockedBy: WaitReason | null;
  /** One for each call in flight. */
  leases: Lease[];
  /** Calls spent so far, ever: tells which of two calls was sent first, and how many were sent between them. */
  sent: number;
}

/** A place among the calls that Xero allows at once. */
export interface Lease {
  /** When to stop believing in the call, should its process have died. No two of a ledger have the same. */
  until: number;
  /** For whom it was made, a run say; empty where that is not known. */
  holder: string;
}

/** A call that was spent, as the ledger knows it. */
export interface SpentCall {
  /** Until when its lease is. */
  lease: number;
  /** The ledger's `sent` with this call. */
  sent: number;
  /** Calls that were in flight when it was sent. */
  besides: number;
}

export const emptyLedger: QuotaLedger = {
  minute: emptyMinute,
  dayRemaining: null,
  dayHeardAt: null,
  blockedUntil: null,
  blockedBy: null,
  leases: [],
  sent: 0,
};

/** A crashed process holds its place among the concurrent calls no longer than this. */
export const leaseMs = 60_000;
/** Clocks and rounding: a call leaves a little after the instant that Xero named, never before. */
export const marginMs = 250;

export type Permit =
  | { granted: true; ledger: QuotaLedger; call: SpentCall }
  | { granted: false; reason: WaitReason; until: number };

/**
 * How long after the last answer one call is made of a reserve: the page is imported like any other, and its answer tells
 * whether the day has begun again. Nothing else would: only a 429 names that instant, and it comes when all is used up.
 */
const reserveCheckMs = 3_600_000;

/** Who wants a call, and what bounds it beside Xero. */
export interface Wanted {
  holder?: string;
  /** How many of the day's calls are left to others. */
  reserve?: number;
  /** How many may be in flight. */
  atOnce?: number;
}

/** Spends one call, or says until when to wait. The call is spent before it is made: a crash counts too many, never too few. */
export function takePermit(
  ledger: QuotaLedger,
  now: number,
  { holder = '', reserve = 0, atOnce = concurrentCalls }: Wanted = {},
): Permit {
  const refusedUntil = believedBlock(ledger, now);
  if (refusedUntil > now) return { granted: false, reason: ledger.blockedBy ?? 'minute', until: refusedUntil };
  const reserved = reserve > 0 && ledger.dayRemaining !== null && ledger.dayRemaining <= reserve;
  const heardAt = ledger.dayHeardAt ?? Number.NEGATIVE_INFINITY;
  // A clock that was ahead wrote what lies ahead.
  const nextCheck = (heardAt > now + leaseMs ? Number.NEGATIVE_INFINITY : heardAt) + reserveCheckMs;
  if (reserved && nextCheck > now) return { granted: false, reason: 'reserve', until: nextCheck };
  const leases = inFlight(ledger.leases, now);
  if (leases.length >= atOnce) return { granted: false, reason: 'concurrent', until: now + marginMs };
  if (callsLeft(ledger.minute, leases.length, now) === 0) {
    return { granted: false, reason: 'minute', until: moreLeftAt(ledger.minute, leases.length, 0, now) };
  }

  // A millisecond apart at least, so that each call has its own and the order of sending shows.
  const lease = Math.max(now + leaseMs, ...leases.map((other) => other.until + 1));
  const call = { lease, sent: ledger.sent + 1, besides: leases.length };
  return {
    granted: true,
    call,
    ledger: {
      minute: afterSending(ledger.minute),
      // Zero left today is no reason not to ask: only a 429 tells when the day's window resets, and it costs no call.
      dayRemaining: ledger.dayRemaining === null ? null : Math.max(0, ledger.dayRemaining - 1),
      dayHeardAt: reserved ? now : ledger.dayHeardAt,
      blockedUntil: null,
      blockedBy: null,
      leases: [...leases, { until: lease, holder }],
      sent: call.sent,
    },
  };
}

/** The leases that are believed in. One far ahead was written before the clock was set back, and would hold its place for as long. */
export function inFlight(leases: Lease[], now: number): Lease[] {
  return leases.filter(({ until }) => until > now && until < now + 2 * leaseMs);
}

/** Puts back a call that was spent and is not made. */
export function takeBack(ledger: QuotaLedger, call: SpentCall): QuotaLedger {
  return { ...ledger, leases: without(ledger.leases, call.lease), minute: afterTakingBack(ledger.minute) };
}

/** Ends a holder's calls in flight, of which nobody will hear the answers: they are counted as made, and hold no place any more. */
export function abandon(ledger: QuotaLedger, holder: string, now: number): QuotaLedger {
  const end = (left: QuotaLedger, { until }: Lease) =>
    settle(left, { lease: until, sent: ledger.sent, besides: 0 }, nothingSaid, now);
  return ledger.leases.filter((lease) => lease.holder === holder).reduce(end, ledger);
}

/** Ends a call and corrects the ledger by what Xero said with the answer. */
export function settle(ledger: QuotaLedger, call: SpentCall, reading: QuotaReading, now: number): QuotaLedger {
  const leases = without(ledger.leases, call.lease);
  const others = inFlight(leases, now);
  // Calls in flight may or may not be counted in the reading; taking them off again errs on the side of patience.
  const inFlightAfter = others.filter(({ until }) => until > call.lease).length;
  // An answer that was overtaken by that to a later call may be of the day before.
  const told = ledger.sent - call.sent <= inFlightAfter ? reading.dayRemaining : null;
  const dayRemaining = told === null ? ledger.dayRemaining : Math.max(0, told - others.length);
  const answered = {
    sent: call.sent,
    sentAt: call.lease - leaseMs,
    now,
    lastSent: ledger.sent,
    besides: call.besides,
    inFlightAfter,
  };
  const minute = afterAnswer(ledger.minute, answered, reading.minuteRemaining);
  return {
    ...ledger,
    leases,
    dayRemaining,
    minute,
    dayHeardAt: told === null ? ledger.dayHeardAt : now,
  };
}

/** How long to wait after a 429 that does not say: Xero sends Retry-After for the minute's and the day's limit only. */
const silentWaitMs: Record<LimitName, number> = { concurrent: 1_000, appMinute: 10_000, minute: 15_000, day: 300_000 };

/** Until when a 429 forbids the next call. */
export function blockedUntil(reason: LimitName, retryAfterSeconds: number | null, now: number): number {
  return now + (retryAfterSeconds === null ? silentWaitMs[reason] : retryAfterSeconds * 1_000 + marginMs);
}

/** A day's limit is waited for at most two days, any other an hour: longer was written by a clock that was ahead, and is asked about. */
function longestBlockMs(reason: WaitReason): number {
  return reason === 'day' ? 48 * 3_600_000 : 3_600_000 + leaseMs;
}

function believedBlock({ blockedUntil, blockedBy }: QuotaLedger, now: number): number {
  const isBelieved = blockedUntil !== null && blockedUntil <= now + longestBlockMs(blockedBy ?? 'minute');
  return isBelieved ? blockedUntil : Number.NEGATIVE_INFINITY;
}

const mostJitterMs = 60_000;

/**
 * By how much a run wakes later than its tenant's day begins, so that a thousand of them do not stampede: up to a twentieth
 * of its wait, a minute at most, and always the same for one run.
 */
function wakeJitterMs(runId: string, waitMs: number): number {
  let hash = 0x811c9dc5;
  for (const character of runId) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  // Ids that differ in their last character only must still lie far apart.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return Math.floor((hash / 2 ** 32) * Math.min(mostJitterMs, Math.max(0, waitMs) / 20));
}

/** When a run goes on that may not call until an instant. After a day's limit many may again at once, see {@link wakeJitterMs}. */
export function wakesAt(runId: string, reason: WaitReason, until: number, now: number): number {
  return reason === 'day' || reason === 'reserve' ? until + wakeJitterMs(runId, until - now) : until;
}

/** Records a 429, or an outage. An earlier, longer refusal stands. */
export function block(
  ledger: QuotaLedger,
  call: SpentCall | null,
  reason: WaitReason,
  until: number,
  now: number,
): QuotaLedger {
  const leases = call === null ? ledger.leases : without(ledger.leases, call.lease);
  const blockedUntil = Math.min(until, now + longestBlockMs(reason));
  if (believedBlock(ledger, now) >= blockedUntil) return { ...ledger, leases };
  const minute = afterBlock(ledger.minute, reason, inFlight(leases, now).length, ledger.sent, now);
  return { ...ledger, minute, leases, blockedUntil, blockedBy: reason };
}

function afterBlock(minute: MinuteLedger, reason: WaitReason, calls: number, sent: number, now: number): MinuteLedger {
  if (reason === 'minute') return afterRefusal(minute, calls, sent, now, xerosLimit);
  // Of the whole app's minute Xero says how much it is, and it is the same for all.
  return reason === 'appMinute' ? afterRefusal(minute, calls, sent, now) : minute;
}

function without(leases: Lease[], lease: number): Lease[] {
  return leases.filter(({ until }) => until !== lease);
}
