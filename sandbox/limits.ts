import type { Clock } from './clock.ts';
import { mixText } from './seeded.ts';

export type LimitProblem = 'minute' | 'day' | 'concurrent' | 'appminute';

export interface Limits {
  /** Calls a tenant in one minute window. */
  minute: number;
  /** Calls a tenant in one day window. */
  day: number;
  /** Calls of a tenant in flight. */
  concurrent: number;
  /** Calls of the app in one minute window, all tenants together. */
  appMinute: number;
  /** Real seconds of a minute window. Default: 60 of Xero's. */
  minuteWindowSeconds: number;
  /** Real seconds of a day window. Default: 86,400 of Xero's. */
  dayWindowSeconds: number;
  /** `fixed`: the day begins at an hour of its own for each tenant, as Xero's does; `firstCall`: with the first call. */
  dayAnchor: 'fixed' | 'firstCall';
}

interface Window {
  endsAt: number;
  used: number;
}

interface TenantUse {
  minute: Window;
  day: Window;
  inFlight: number;
}

type Verdict = { admitted: true } | { admitted: false; problem: LimitProblem; retryAfter?: number };

/** The limits of one app: per tenant in fixed windows anchored differently for each, and over all tenants a minute. */
export interface LimitBook {
  readonly current: Readonly<Limits>;
  /** Changes limits while running. Counts stay; windows that have begun keep their end unless their length changes. */
  set(partial: Partial<Limits>): void;
  /** Asks for one call and counts it when admitted. A refused call counts nowhere. */
  take(appId: string, tenantId: string): Verdict;
  /** A call outside any tenant (`/connections`): counts for the app only. */
  takeApp(appId: string): Verdict;
  release(appId: string, tenantId: string): void;
  /** Gives an admitted call back, for a scripted 429. */
  refund(appId: string, tenantId: string): void;
  headers(appId: string, tenantId: string): Record<string, string>;
  appHeaders(appId: string): Record<string, string>;
  inFlight(appId: string, tenantId: string): number;
  /** Forgets all counts. */
  reset(): void;
}

export function limitBook(clock: Clock, given: Partial<Limits> = {}): LimitBook {
  const limits: Limits = {
    minute: 60,
    day: 5000,
    concurrent: 5,
    appMinute: 10_000,
    minuteWindowSeconds: clock.realMs(60) / 1000,
    dayWindowSeconds: clock.realMs(86_400) / 1000,
    // Whoever says how long the day lasts wants to say when it begins, too.
    dayAnchor: given.dayWindowSeconds === undefined ? 'fixed' : 'firstCall',
    ...given,
  };
  const uses = new Map<string, TenantUse>();
  const apps = new Map<string, Window>();

  /** The end of the fixed window that `now` stands in, anchored by name. */
  function fixedEnd(name: string, lengthMs: number): number {
    const anchor = mixText(name) % Math.max(1, Math.floor(lengthMs));
    return anchor + (Math.floor((clock.now() - anchor) / lengthMs) + 1) * lengthMs;
  }

  function useOf(appId: string, tenantId: string): TenantUse {
    const key = `${appId} ${tenantId}`;
    const now = clock.now();
    let use = uses.get(key);
    if (!use) {
      use = { minute: { endsAt: 0, used: 0 }, day: { endsAt: 0, used: 0 }, inFlight: 0 };
      uses.set(key, use);
    }
    if (now >= use.minute.endsAt)
      use.minute = { endsAt: fixedEnd(`minute ${key}`, limits.minuteWindowSeconds * 1000), used: 0 };
    if (now >= use.day.endsAt) {
      const length = limits.dayWindowSeconds * 1000;
      use.day = { endsAt: limits.dayAnchor === 'fixed' ? fixedEnd(`day ${key}`, length) : now + length, used: 0 };
    }
    return use;
  }

  function appOf(appId: string): Window {
    const now = clock.now();
    let window = apps.get(appId);
    if (!window || now >= window.endsAt) {
      window = { endsAt: fixedEnd(`app ${appId}`, limits.minuteWindowSeconds * 1000), used: 0 };
      apps.set(appId, window);
    }
    return window;
  }

  // Whole seconds, rounded up, never 0: a client that waits exactly this long stands inside the next window.
  const secondsTo = (endsAt: number): number => Math.max(1, Math.ceil((endsAt - clock.now()) / 1000));
  const left = (limit: number, used: number): string => String(Math.max(0, limit - used));

  return {
    current: limits,
    set(partial) {
      const reanchorDay = partial.dayWindowSeconds !== undefined || partial.dayAnchor !== undefined;
      Object.assign(limits, partial);
      if (partial.dayWindowSeconds !== undefined && partial.dayAnchor === undefined) limits.dayAnchor = 'firstCall';
      for (const use of uses.values()) {
        if (partial.minuteWindowSeconds !== undefined) use.minute.endsAt = 0;
        if (reanchorDay) use.day.endsAt = 0;
      }
      if (partial.minuteWindowSeconds !== undefined) apps.clear();
    },
    take(appId, tenantId) {
      const use = useOf(appId, tenantId);
      const app = appOf(appId);
      if (use.inFlight >= limits.concurrent) return { admitted: false, problem: 'concurrent' };
      if (use.day.used >= limits.day) return { admitted: false, problem: 'day', retryAfter: secondsTo(use.day.endsAt) };
      if (use.minute.used >= limits.minute)
        return { admitted: false, problem: 'minute', retryAfter: secondsTo(use.minute.endsAt) };
      if (app.used >= limits.appMinute) return { admitted: false, problem: 'appminute' };
      use.inFlight++;
      use.day.used++;
      use.minute.used++;
      app.used++;
      return { admitted: true };
    },
    takeApp(appId) {
      const app = appOf(appId);
      if (app.used >= limits.appMinute) return { admitted: false, problem: 'appminute' };
      app.used++;
      return { admitted: true };
    },
    release(appId, tenantId) {
      const use = useOf(appId, tenantId);
      use.inFlight = Math.max(0, use.inFlight - 1);
    },
    refund(appId, tenantId) {
      const use = useOf(appId, tenantId);
      const app = appOf(appId);
      use.day.used = Math.max(0, use.day.used - 1);
      use.minute.used = Math.max(0, use.minute.used - 1);
      app.used = Math.max(0, app.used - 1);
    },
    headers(appId, tenantId) {
      const use = useOf(appId, tenantId);
      return {
        'X-DayLimit-Remaining': left(limits.day, use.day.used),
        'X-MinLimit-Remaining': left(limits.minute, use.minute.used),
        'X-AppMinLimit-Remaining': left(limits.appMinute, appOf(appId).used),
      };
    },
    appHeaders: (appId) => ({ 'X-AppMinLimit-Remaining': left(limits.appMinute, appOf(appId).used) }),
    inFlight: (appId, tenantId) => useOf(appId, tenantId).inFlight,
    reset() {
      for (const use of uses.values()) {
        use.minute.endsAt = 0;
        use.day.endsAt = 0;
      }
      apps.clear();
    },
  };
}
