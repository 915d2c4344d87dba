const minuteMs = 60_000;

/**
 * Shares of a minute's calls that many tenants have in common. While there are enough, whoever asks may have them. Once one
 * was refused, and for a minute after each refusal, those who want more than there is have equal parts of what is left when
 * all others have had what they want (max-min fairness).
 */
export interface Shares {
  /** The instant from which a tenant may have one more call; `now` when it may at once. */
  allowedFrom(tenant: string, limit: number, now: number): number;
  had(tenant: string, now: number): void;
  /** The tenant wants more than there is, or than its share. */
  refused(tenant: string, now: number): void;
}

export function createShares(): Shares {
  /** When each had its calls of the last minute, the oldest first. */
  const calls = new Map<string, number[]>();
  const refusals = new Map<string, number>();
  let lastRefusal = Number.NEGATIVE_INFINITY;

  /** Those older than a minute are let go here: one at a time, as calls come, and without a copy of what may be thousands. */
  function recent(tenant: string, now: number): number[] {
    const had = calls.get(tenant) ?? [];
    while (had[0] !== undefined && had[0] <= now - minuteMs) had.shift();
    return had;
  }

  return {
    allowedFrom(tenant, limit, now) {
      if (lastRefusal <= now - minuteMs) return now;
      const wanted: number[] = [];
      for (const name of new Set([...calls.keys(), ...refusals.keys(), tenant])) {
        const wantsMore = name === tenant || (refusals.get(name) ?? Number.NEGATIVE_INFINITY) > now - minuteMs;
        wanted.push(wantsMore ? Number.POSITIVE_INFINITY : recent(name, now).length);
      }
      const oldestOfShare = recent(tenant, now).at(-Math.max(1, shareOf(limit, wanted)));
      return oldestOfShare === undefined ? now : oldestOfShare + minuteMs;
    },
    had(tenant, now) {
      const had = recent(tenant, now);
      had.push(now);
      calls.set(tenant, had);
    },
    refused(tenant, now) {
      refusals.set(tenant, now);
      lastRefusal = now;
    },
  };
}

/** The most that each may have so that all of `limit` is used, the modest have what they want, and the others as much as each other. */
function shareOf(limit: number, wanted: number[]): number {
  let left = limit;
  const modestFirst = wanted.toSorted((a, b) => a - b);
  for (const [index, wants] of modestFirst.entries()) {
    const share = Math.floor(left / (wanted.length - index));
    if (wants > share) return share;
    left -= wants;
  }
  return limit;
}
