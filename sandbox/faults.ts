import type { Exchange } from './exchange.ts';
import type { LimitProblem } from './limits.ts';
import { randomStream } from './seeded.ts';

/** What goes wrong. Kinds marked (token) are for `/connect/token` only. */
export type FaultAction =
  /** 500 in Xero's problem envelope, or an HTML page. */
  | { kind: 'problem500' | 'html500' | 'html502' | 'html503' | 'html504' | 'html200' | 'empty500' }
  /** 503 in plain text. */
  | { kind: 'offline503' | 'maintenance503' }
  /** 429; without `retryAfter` the header is absent. A text such as `soon` sends a bad header. */
  | { kind: 'rateLimited'; problem: LimitProblem; retryAfter?: number | string }
  /** 200 whose JSON stops half way: `Content-Length` true to the cut text (truncatedJson), or connection cut (cutBody). */
  | { kind: 'truncatedJson' | 'cutBody' }
  /** The socket destroyed, before the work is done (default) or after: the latter is a lost answer. */
  | { kind: 'reset'; when?: 'before' | 'after' }
  /** No answer for `ms`, then the true one; for ever without `ms`. */
  | { kind: 'stall'; ms?: number }
  | { kind: 'delay'; ms: number; when?: 'before' | 'after' }
  | { kind: 'tokenExpired' | 'authenticationUnsuccessful' | 'authorizationUnsuccessful' }
  | { kind: 'forbiddenDisconnected' | 'forbiddenRole' | 'notFound' | 'notModified' }
  /** (token) rotated, but the answer lacks refresh_token. */
  | { kind: 'noRefreshToken' }
  /** (token) */
  | { kind: 'invalidGrant' | 'invalidClient' }
  /** The true JSON under a wrong type, behind a byte order mark, or with broken compression. */
  | { kind: 'wrongContentType' | 'byteOrderMark' | 'brokenGzip' }
  /** A page of journals bent: fewer rows (legal: a short page is not the end), backwards, its first row twice, or one under a wrong number. */
  | BentPage
  /** Any answer at all. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string };

interface FaultMatch {
  /** Begins with this; without a leading `/` it is under `/api.xro/2.0/`. A RegExp in process only. Default: every path. */
  path?: string | RegExp;
  tenantId?: string;
  /** Query parameters that must have these values, e.g. `{ offset: '100' }`. */
  query?: Record<string, string>;
  /** For `/connect/token`: only this grant type. */
  grantType?: string;
  /** The nth matching call, from 1; or several. */
  nth?: number | number[];
  everyNth?: number;
  /** Strikes at most so often. */
  times?: number;
  /** 0 … 1, decided by `seed`. */
  probability?: number;
  seed?: number;
}

export interface BentPage {
  kind: 'page';
  rows?: number;
  reversed?: boolean;
  repeated?: boolean;
  /** The journal of this number comes with another, wherever it is on the page; asked for by its own as before. */
  misnumbered?: { number: number; as: number };
}

export interface Fault {
  match: FaultMatch;
  do: FaultAction;
}

interface Armed extends Fault {
  seen: number;
  struck: number;
  random: () => number;
}

interface ActiveFault extends Fault {
  /** Matching calls seen, and how many it struck. */
  readonly seen: number;
  readonly struck: number;
}

export interface FaultScript {
  add(...faults: Fault[]): void;
  clear(): void;
  list(): ActiveFault[];
}

export interface FaultPlayer extends FaultScript {
  /** The actions that strike this call: any number of delays, at most one other. */
  strike(
    exchange: Exchange,
    tenantId: string | null,
    grantType?: string,
  ): { delays: DelayAction[]; action?: FaultAction };
}

export type DelayAction = Extract<FaultAction, { kind: 'delay' }>;

/** @param seed where random faults without a seed of their own begin; @param print gets a line for each such seed. */
export function faultScript(seed: number, print: (line: string) => void): FaultPlayer {
  let armed: Armed[] = [];
  let made = 0;

  function matches(match: FaultMatch, exchange: Exchange, tenantId: string | null, grantType?: string): boolean {
    if (match.path instanceof RegExp && !match.path.test(exchange.path)) return false;
    if (typeof match.path === 'string') {
      const prefix = match.path.startsWith('/') ? match.path : `/api.xro/2.0/${match.path}`;
      if (!exchange.path.startsWith(prefix)) return false;
    }
    if (match.tenantId !== undefined && match.tenantId !== tenantId) return false;
    if (match.grantType !== undefined && match.grantType !== grantType) return false;
    return Object.entries(match.query ?? {}).every(([name, value]) => exchange.query.get(name) === value);
  }

  function strikes(fault: Armed): boolean {
    const { nth, everyNth, times, probability } = fault.match;
    if (times !== undefined && fault.struck >= times) return false;
    if (nth !== undefined && !(Array.isArray(nth) ? nth.includes(fault.seen) : fault.seen === nth)) return false;
    if (everyNth !== undefined && fault.seen % everyNth !== 0) return false;
    // Drawn even when it decides nothing, so that call n always meets draw n.
    return probability === undefined || fault.random() < probability;
  }

  return {
    add(...faults) {
      for (const fault of faults) {
        made++;
        const own = fault.match.seed ?? seed * 1000 + made;
        if (fault.match.probability !== undefined) {
          print(`sandbox: fault ${fault.do.kind} strikes with probability ${fault.match.probability}, seed ${own}`);
        }
        armed.push({ match: fault.match, do: fault.do, seen: 0, struck: 0, random: randomStream(own) });
      }
    },
    clear() {
      armed = [];
    },
    list: () => armed.map(({ match, do: action, seen, struck }) => ({ match, do: action, seen, struck })),
    strike(exchange, tenantId, grantType) {
      const delays: DelayAction[] = [];
      let action: FaultAction | undefined;
      for (const fault of armed) {
        if (!matches(fault.match, exchange, tenantId, grantType)) continue;
        fault.seen++;
        if (fault.do.kind !== 'delay' && action) continue;
        if (!strikes(fault)) continue;
        fault.struck++;
        if (fault.do.kind === 'delay') delays.push(fault.do);
        else action = fault.do;
      }
      return { delays, ...(action ? { action } : {}) };
    },
  };
}
