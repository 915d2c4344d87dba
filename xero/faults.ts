import type { QuotaReading } from '../model/quota.ts';
import type { LimitName } from '../model/run.ts';

/** What every fault carries. `message` is a sentence for people: what happened, to whom, and what to do. */
export interface FaultFacts {
  message: string;
  limits: QuotaReading;
  /** Xero's own number for the call, which its support asks for; null when it sent none. */
  correlationId: string | null;
}

/** 429. `retryAfterSeconds` is null when Xero named no time (always so for the concurrent limit). */
type Throttled = { kind: 'throttled'; window: LimitName; retryAfterSeconds: number | null } & FaultFacts;

/** 401: the access token is past its 30 minutes. Get another one and ask again, once. */
type TokenExpired = { kind: 'tokenExpired' } & FaultFacts;

/** 401: Xero does not know the access token (revoked, or from another app). One refresh may help, else a new consent. */
type TokenRejected = { kind: 'tokenRejected' } & FaultFacts;

/** 401 or 403: the app's tier, the consent's scopes or the user's role do not reach this resource. Refreshing never helps. */
type NotEntitled = { kind: 'notEntitled'; detail: string } & FaultFacts;

/** 403: the organisation is no longer connected to this app. */
type Disconnected = { kind: 'disconnected'; detail: string } & FaultFacts;

/** Xero understood and said no; the same call will get the same answer. */
export type Refused = { kind: 'refused'; status: number } & FaultFacts;

export type UnavailableCause = 'offline' | 'maintenance' | 'server' | 'network' | 'timeout' | 'badBody';

/** No usable answer now; the same call may succeed later. `retryAfterSeconds` is Xero's advice, null without any. */
export type Unavailable = {
  kind: 'unavailable';
  cause: UnavailableCause;
  reason: string;
  retryAfterSeconds: number | null;
} & FaultFacts;

/** Everything that can become of a call besides an answer. Expected, so a value and never thrown. */
export type XeroFault = Throttled | TokenExpired | TokenRejected | NotEntitled | Disconnected | Refused | Unavailable;

export const noLimits: QuotaReading = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };
