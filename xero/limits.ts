import type { QuotaReading } from '../model/quota.ts';
import type { LimitName } from '../model/run.ts';

/** Response headers with lower-case names. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Reads how many calls are left. Source: https://developer.xero.com/documentation/guides/oauth2/limits/ */
export function readLimits(headers: Headers): QuotaReading {
  return {
    dayRemaining: wholeNumber(headers['x-daylimit-remaining']),
    minuteRemaining: wholeNumber(headers['x-minlimit-remaining']),
    appMinuteRemaining: wholeNumber(headers['x-appminlimit-remaining']),
  };
}

function wholeNumber(value: string | undefined): number | null {
  return value !== undefined && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : null;
}

/** Xero's windows last a day at most, so a longer wait is a mistake of whoever wrote it and is not believed. */
const longestWaitSeconds = 2 * 86_400;

/**
 * Reads Retry-After: seconds until the next call may be made, rounded up and at least 1, or null when the header is
 * absent or names no usable time. Xero sends seconds; proxies in front of it also send the date form of RFC 9110
 * §10.2.3, which is taken against the answer's own Date where there is one, so that our clock does not matter.
 */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return null;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : secondsUntil(value, headers.date, now);
  if (seconds === null || seconds > longestWaitSeconds) return null;
  return Math.max(1, Math.ceil(seconds));
}

function secondsUntil(date: string, sentAt: string | undefined, now: number): number | null {
  // Date.parse reads almost anything, "-5" too; the forms of RFC 9110 all begin with a weekday.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(date)) return null;
  const until = Date.parse(date);
  if (Number.isNaN(until)) return null;
  const sent = sentAt === undefined ? Number.NaN : Date.parse(sentAt);
  return (until - (Number.isNaN(sent) ? now : sent)) / 1_000;
}

/**
 * Which limit a 429 is about. Xero names it in X-Rate-Limit-Problem, in several spellings over the years ("day",
 * "DayLimit", "Daily", "minute", "appminute", "concurrent"), so it is compared by its beginning. Without a usable name
 * the numbers tell: a spent window, else the length of the wait, and no wait named means the concurrent limit, the only
 * one for which Xero sends no Retry-After.
 */
export function readWindow(headers: Headers, limits: QuotaReading, retryAfterSeconds: number | null): LimitName {
  const problem = headers['x-rate-limit-problem']?.trim().toLowerCase() ?? '';
  if (problem.startsWith('app')) return 'appMinute';
  if (problem.startsWith('da')) return 'day';
  if (problem.startsWith('min')) return 'minute';
  if (problem.startsWith('conc')) return 'concurrent';

  if (limits.dayRemaining === 0) return 'day';
  if (limits.appMinuteRemaining === 0) return 'appMinute';
  if (limits.minuteRemaining === 0) return 'minute';
  if (retryAfterSeconds === null) return 'concurrent';
  return retryAfterSeconds > 60 ? 'day' : 'minute';
}
