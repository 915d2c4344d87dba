/**
 * The minute's quota, for windows of any kind. Xero documents windows that are fixed and reset at a different time for each
 * tenant; older pages of Xero's, and programs that imitate it, count over the last sixty seconds instead. Two things are
 * true of both, and either is enough to call:
 *
 * - What an answer says to be left (`X-MinLimit-Remaining`) is left until it is spent, however the minute moves on.
 * - Where fewer calls than the limit were made in the last sixty seconds, one more is allowed, wherever the window begins.
 *
 * So a burst is allowed where Xero says so, and the pace of 60 a minute is kept without knowing when the window resets.
 * Source: https://developer.xero.com/documentation/guides/oauth2/limits/
 */
export interface MinuteLedger {
  /** Calls that are left at least, by the headers and what was spent since; null when Xero has not said. */
  remaining: number | null;
  /** What the headers have shown to be allowed a minute since Xero last refused, see {@link limitOf}; null when Xero has not said. */
  limit: number | null;
  /** Until when the calls answered in the last minute count, ascending; every `stride`th of them. */
  counted: number[];
  /** The number of the last call sent when many more were suddenly left: answers to it and those before may be of the old minute. */
  leaptAt: number;
}

export const emptyMinute: MinuteLedger = { remaining: null, limit: null, counted: [], leaptAt: 0 };

/** A call, seen from the answer to it. */
export interface AnsweredCall {
  /** Its number in the order of sending. */
  sent: number;
  sentAt: number;
  now: number;
  /** The number of the last call sent. */
  lastSent: number;
  /** Calls that were in flight when it was sent. */
  besides: number;
  /** Calls sent after it that are still in flight. */
  inFlightAfter: number;
}

/** Calls a minute for one organisation. */
export const xerosLimit = 60;
/** Calls that Xero allows at once for one organisation. */
export const concurrentCalls = 5;
/** Who shows this tells what was left before the call, as some programs do that imitate Xero; Xero tells what is left after it. */
const shownBeforeTheCall = xerosLimit + 1;
/** So many of them, at most, are taken to have been made by others just before. */
const callsJustBefore = 5;
const minuteMs = 60_000;
/** Clocks and rounding. */
const countedMarginMs = 250;
/** How soon to ask again for what the answer to a call in flight may bring. */
const askAgainMs = 1_000;
/** Limits are checked before the work is done: of a slow call, the way there is no longer than this. */
const longestWayMs = 1_000;
/** More calls remembered than this would make each write slow; of a larger limit only some are. */
const mostRemembered = 1_000;

/** How many calls may be made now, at least; null when Xero has stated no limit. */
export function callsLeft(minute: MinuteLedger, inFlight: number, now: number): number | null {
  const limit = limitOf(minute);
  if (minute.remaining === null || limit === null) return null;
  return Math.max(minute.remaining, limit - countedNow(minute, limit, inFlight, now));
}

/**
 * When to ask again whether more than `kept` calls are left; only where a limit is known. That instant is known, but the answer to a
 * call in flight may tell of a new minute sooner, above all to the first one after a 429.
 */
export function moreLeftAt(minute: MinuteLedger, inFlight: number, kept: number, now: number): number {
  const limit = limitOf(minute) ?? 0;
  const stillCounted = stillCounting(minute.counted, now);
  const tooMany = countedNow(minute, limit, inFlight, now) - (limit - kept - 1);
  const last = stillCounted[Math.min(stillCounted.length, Math.ceil(tooMany / strideOf(limit))) - 1];
  const leftAt = last ?? now + countedMarginMs;
  return inFlight > 0 ? Math.min(leftAt, now + askAgainMs) : leftAt;
}

export function afterSending(minute: MinuteLedger): MinuteLedger {
  return { ...minute, remaining: minute.remaining === null ? null : Math.max(0, minute.remaining - 1) };
}

export function afterTakingBack(minute: MinuteLedger): MinuteLedger {
  return { ...minute, remaining: minute.remaining === null ? null : minute.remaining + 1 };
}

/** Corrects what is known by what an answer says to be left; null where it says nothing. */
export function afterAnswer(minute: MinuteLedger, call: AnsweredCall, stated: number | null): MinuteLedger {
  const shown = stated === null ? 0 : stated + 1;
  const isMore = shown > (minute.limit ?? 0);
  const known = { ...minute, limit: isMore ? limitShownBy(shown) : minute.limit };
  const limit = limitOf(known);
  if (limit === null) return minute;
  const said = stated !== null && known.limit === shownBeforeTheCall ? Math.max(0, stated - 1) : stated;
  const { now } = call;
  const countedBy = Math.min((call.sentAt + now) / 2, call.sentAt + longestWayMs);
  const own = call.sent % strideOf(limit) === 0 ? 1 : 0;
  const hidden = isMore ? Math.max(0, limit - shown) : 0;
  const before = remember(minute.counted, hidden, now + minuteMs + countedMarginMs, now);
  const counted = remember(before, own, countedBy + minuteMs + countedMarginMs, now);
  const heard = { ...known, counted };
  const sentAfter = call.lastSent - call.sent;
  // An answer that was overtaken by that to a later call tells nothing new.
  if (said === null || sentAfter > call.inFlightAfter) return heard;
  const ofOldMinute = call.sent <= minute.leaptAt;
  if (minute.remaining === null && ofOldMinute) return heard;
  // Calls overtake each other on their way: what is left if none that was in flight with this one was counted before it.
  const atLeast = Math.max(0, said - sentAfter - call.besides);
  if (minute.remaining === null || atLeast > minute.remaining) {
    // A leap by more than can be in flight is a new minute.
    const leapt = minute.remaining === null || atLeast > minute.remaining + concurrentCalls;
    return { ...heard, remaining: atLeast, leaptAt: leapt ? call.lastSent : minute.leaptAt };
  }
  const others = minute.remaining - said;
  if (others <= 0 || ofOldMinute) return heard;
  // Other programs use the quota, too: their calls count like ours from now on.
  const noticed = Math.ceil(others / strideOf(limit));
  return {
    ...heard,
    remaining: said,
    counted: remember(counted, noticed, now + minuteMs + countedMarginMs, now),
  };
}

/**
 * After Xero has refused a call for the minute's limit: once the time it names has come, one is allowed, and its answer tells more.
 * No more than `most` are believed in then: Xero may have allowed an organisation more than its sixty for a while, as it does when it
 * has just been connected, and each minute would end with a refusal. Where more is allowed still, the first answer of a minute shows it.
 */
export function afterRefusal(
  minute: MinuteLedger,
  inFlight: number,
  lastSent: number,
  now: number,
  most = Number.POSITIVE_INFINITY,
): MinuteLedger {
  const known = limitOf(minute);
  if (known === null) return { ...minute, leaptAt: lastSent };
  const limit = Math.min(known, most);
  const unseen = Math.max(0, limit - countedNow(minute, limit, inFlight, now));
  const counted = remember(minute.counted, unseen, now + minuteMs + countedMarginMs, now);
  return { limit: known > limit ? limit : minute.limit, remaining: 1, counted, leaptAt: lastSent };
}

/**
 * The limit is told by what is left of it only. Where that is a few calls short of Xero's sixty, they were made just before, as
 * connecting an organisation does; a minute that counts over the last sixty seconds would hide them from an import for good.
 */
function limitShownBy(shown: number): number {
  return shown < xerosLimit && shown >= xerosLimit - callsJustBefore ? xerosLimit : shown;
}

/** Calls a minute; null when Xero has stated no limit. */
export function limitOf({ limit }: MinuteLedger): number | null {
  return limit === shownBeforeTheCall ? xerosLimit : limit;
}

function strideOf(limit: number): number {
  return Math.ceil(limit / mostRemembered);
}

function countedNow({ counted }: MinuteLedger, limit: number, inFlight: number, now: number): number {
  const stride = strideOf(limit);
  return stillCounting(counted, now).length * stride + stride - 1 + inFlight;
}

/** What counts until long after a minute was written before the clock was set back. */
function stillCounting(counted: number[], now: number): number[] {
  return counted.filter((until) => until > now && until < now + 2 * minuteMs);
}

function remember(counted: number[], calls: number, until: number, now: number): number[] {
  const still = stillCounting(counted, now);
  return calls === 0 ? still : [...still, ...Array.from({ length: calls }, () => until)].sort((a, b) => a - b);
}
