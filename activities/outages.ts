import { marginMs } from '../model/quota.ts';
import type { Endpoint } from '../xero/api.ts';

export type Outages = ReturnType<typeof createOutages>;

/**
 * Which endpoints of Xero's are down, each for one organisation, and for how long it said. Others may answer all the while, so that
 * this is not of the quota ledger, which holds all calls of the organisation. Another worker learns of it by one call of its own.
 */
export function createOutages(now: () => number) {
  const ends = new Map<string, number>();
  const keyOf = (tenantId: string, endpoint: Endpoint) => `${tenantId} ${endpoint}`;
  return {
    /** Records that an endpoint is down for so long. Answers until when nobody asks. */
    began(tenantId: string, endpoint: Endpoint, retryAfterSeconds: number): number {
      const until = now() + retryAfterSeconds * 1_000 + marginMs;
      ends.set(keyOf(tenantId, endpoint), until);
      return until;
    },
    /** Until when to wait, as a permit that is refused; null where it may be asked for. */
    heldBack(tenantId: string, endpoint: Endpoint): { granted: false; reason: 'outage'; until: number } | null {
      const until = ends.get(keyOf(tenantId, endpoint));
      if (until === undefined) return null;
      if (until > now()) return { granted: false, reason: 'outage', until };
      ends.delete(keyOf(tenantId, endpoint));
      return null;
    },
  };
}
