import { cursorBefore, isPastEnd, type StartingPoint } from './cursor.ts';
import { dayMs, hourMs } from './days.ts';
import { xerosLimit } from './minute.ts';
import type { WaitReason } from './run.ts';
import { invoicesPerPage, journalsPerPage } from './streams.ts';

/**
 * What an import would cost, before it is started: how many calls are to come, and when they are made at Xero's pace of 60
 * a minute and so many a day. Pure: what is known, and the clock, are handed in. Instants are milliseconds since 1970.
 */

/** Organisation, accounts, tracking categories, contacts: a call each, once an hour at most; many contacts need more. */
const referenceCalls = 4;
/** Xero's daily limit of most tiers; on the Starter tier it is 1,000. */
export const usualCallsADay = 5_000;
const callMs = 60_000 / xerosLimit;

/** Two points of a stream as it is stored: how many rows there were at which instant, and how it grew since. */
export interface Growth {
  newest: { count: number; at: number };
  earlier: { count: number; at: number };
}

/** How many rows (or which journal number) there are at an instant, if the stream grows as it did; null where nothing tells. */
export function countAt(growth: Growth | null, instant: number): number | null {
  if (growth === null) return null;
  const { newest, earlier } = growth;
  const span = newest.at - earlier.at;
  const perMs = span > 0 ? (newest.count - earlier.count) / span : 0;
  return Math.max(0, Math.round(newest.count + perMs * (instant - newest.at)));
}

export interface CallsToCome {
  pages: number;
  /** The pages, the one that finds the end, and the reference data. */
  calls: number;
}

/**
 * Calls of an import of journals; null when nothing tells where it ends. Numbers have gaps, and a page holds 100 journals
 * whatever their numbers, so there may be fewer. `head` is the newest journal number there is, `since` the first one
 * created since the instant asked for.
 */
export function journalCalls(start: StartingPoint, head: number | null, since: number | null): CallsToCome | null {
  const { range } = start;
  const last = Math.min(head ?? Number.POSITIVE_INFINITY, range.endingAt ?? Number.POSITIVE_INFINITY);
  if (last === Number.POSITIVE_INFINITY) return null;
  const from = start.cursor ?? (since === null ? range.startingAt - 1 : cursorBefore(since, range));
  const pages = Math.ceil(Math.max(0, last - from) / journalsPerPage);
  const finding = start.cursor === null ? 1 : 0;
  const closing = isPastEnd(last, range) ? 0 : 1;
  return { pages, calls: finding + pages + closing + referenceCalls };
}

/** Calls of an import of so many invoices; null when nothing tells how many. Its last call finds nothing newer. */
export function invoiceCalls(invoices: number | null): CallsToCome | null {
  if (invoices === null) return null;
  const pages = Math.ceil(Math.max(0, invoices) / invoicesPerPage);
  return { pages, calls: pages + 1 + referenceCalls };
}

/** What is known of a tenant's quota without asking Xero. */
export interface QuotaStanding {
  /** Calls left of the day, as Xero last said; null when it never did. */
  dayRemaining: number | null;
  /** When the ledger was last written; null when it never was. */
  heardAt: number | null;
  blockedUntil: number | null;
  blockedBy: WaitReason | null;
}

/** How many calls imports may make, and when there are more. */
export interface Budget {
  /** Until the day begins again. */
  today: number;
  /** In each day after that. */
  aDay: number;
  /** When the day begins again: as Xero named it, or else the latest that it can be. */
  dayBeginsBy: number;
  isNamed: boolean;
  /** How much later than that an import hears of it at the most: it asks once an hour while a reserve is left to others. */
  heardWithinMs: number;
}

/** `reserve` is how many of a day's calls are left to others. */
export function budgetOf(quota: QuotaStanding, callsADay: number, reserve: number, now: number): Budget {
  const aDay = Math.max(0, callsADay - reserve);
  const heardWithinMs = reserve > 0 ? hourMs : 0;
  if (quota.blockedBy === 'day' && quota.blockedUntil !== null) {
    // Days follow each other at the same hour.
    const daysOver = Math.max(0, Math.floor((now - quota.blockedUntil) / dayMs) + 1);
    const dayBeginsBy = quota.blockedUntil + daysOver * dayMs;
    return { today: daysOver === 0 ? 0 : aDay, aDay, dayBeginsBy, isNamed: true, heardWithinMs };
  }
  const isOfToday = quota.dayRemaining !== null && quota.heardAt !== null && now - quota.heardAt < dayMs;
  const today = isOfToday ? Math.max(0, (quota.dayRemaining ?? 0) - reserve) : aDay;
  return { today, aDay, dayBeginsBy: now + dayMs, isNamed: false, heardWithinMs };
}

interface Suspension {
  /** From when the import sleeps. */
  from: number;
  /** When it goes on, at the latest. */
  until: number;
}

/** On which days the calls of an import are made, and when it sleeps. Instants are epoch milliseconds. */
export interface Timetable {
  finishedBy: number;
  /** On how many of the tenant's days it makes calls. */
  days: number;
  suspensions: number;
  /** The first of them. */
  first: Suspension[];
}

/** More than these are a rhythm that anybody can go on with. */
const mostSuspensions = 7;
/** Where a day's calls last until the next begins, the import only waits as for a minute's limit, or not at all. */
const shortestSleepMs = 60_000;

/** When so many calls are made, from now on; null when there are none in a day to make them with. */
export function timetableOf(calls: number, budget: Budget, now: number): Timetable | null {
  const { aDay, dayBeginsBy, heardWithinMs } = budget;
  const fitting = Math.floor((dayBeginsBy - now) / callMs);
  const atOnce = Math.min(calls, budget.today, fitting);
  if (calls <= atOnce) {
    return { finishedBy: now + calls * callMs, days: calls > 0 ? 1 : 0, suspensions: 0, first: [] };
  }
  // A day has room for 86,400 calls at this pace, whatever its quota is.
  const daily = Math.min(aDay, Math.floor((dayMs - heardWithinMs) / callMs));
  if (daily <= 0) return null;
  const later = calls - atOnce;
  const days = Math.ceil(later / daily);
  const beginOf = (day: number) => dayBeginsBy + day * dayMs + heardWithinMs;
  const sleepBefore = (day: number): Suspension => {
    const from = day === 0 ? now + atOnce * callMs : beginOf(day - 1) + daily * callMs;
    return { from, until: beginOf(day) };
  };
  // Of the first two sleeps each may be too short to be one; all that follow are as long as the second.
  const skipped = isSleep(sleepBefore(0)) ? 0 : 1;
  const sleeping = days === 1 || isSleep(sleepBefore(1)) ? days : 1;
  const suspensions = sleeping - skipped;
  const first = Array.from({ length: Math.min(suspensions, mostSuspensions) }, (_, nth) => sleepBefore(nth + skipped));
  const last = later - (days - 1) * daily;
  return {
    finishedBy: beginOf(days - 1) + last * callMs,
    days: days + (atOnce > 0 ? 1 : 0),
    suspensions,
    first,
  };
}

function isSleep({ from, until }: Suspension): boolean {
  return until - from >= shortestSleepMs;
}
