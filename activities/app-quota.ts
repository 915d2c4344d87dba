import type pg from 'pg';
import { limitOf } from '../model/minute.ts';
import {
  block,
  emptyLedger,
  nothingSaid,
  type Permit,
  type SpentCall,
  settle,
  takeBack,
  takePermit,
} from '../model/quota.ts';
import { createShares } from '../model/shares.ts';
import { changeLedger, type QuotaScope, readLedger } from '../storage/quota.ts';

/** How long a worker may not know that another one was told to wait for the whole app. */
const newsMs = 1_000;

/**
 * The minute's quota of the whole app, by the headers this worker sees: every worker sees them at each answer. Only a refusal is
 * written, for the others; of what each of them spends the headers tell.
 */
export function createAppQuota({ pool, clientId, now }: { pool: pg.Pool; clientId: string; now: () => number }) {
  const scope: QuotaScope = `app:${clientId}`;
  const shares = createShares();
  let ledger = emptyLedger;
  let readAt = 0;

  return {
    /** Spends one call for a tenant, or says until when to wait. */
    async take(tenantId: string): Promise<Permit> {
      if (now() - readAt > newsMs) {
        readAt = now();
        const { blockedUntil } = (await readLedger(pool, scope)).ledger;
        // Another worker was refused: what is left of the minute is not known here, either.
        if (blockedUntil !== null && blockedUntil > now())
          ledger = block(ledger, null, 'appMinute', blockedUntil, now());
      }
      // Five at once is a tenant's limit, not the app's.
      const permit = takePermit(ledger, now(), { atOnce: Number.POSITIVE_INFINITY });
      const limit = limitOf(ledger.minute);
      const shareFrom = limit === null ? now() : shares.allowedFrom(tenantId, limit, now());
      if (!permit.granted || shareFrom > now()) {
        shares.refused(tenantId, now());
        return { granted: false, reason: 'appMinute', until: permit.granted ? shareFrom : permit.until };
      }
      ledger = permit.ledger;
      return permit;
    },

    /** Puts back a call that is not made after all. */
    takeBack(call: SpentCall): void {
      ledger = takeBack(ledger, call);
    },

    /** A tenant's call is made. */
    had(tenantId: string): void {
      shares.had(tenantId, now());
    },

    answered(call: SpentCall, minuteRemaining: number | null): void {
      ledger = settle(ledger, call, { ...nothingSaid, minuteRemaining }, now());
    },

    /** Records that Xero refused a call for the whole app's minute, for every worker. */
    async refused(call: SpentCall, until: number): Promise<void> {
      ledger = block(ledger, call, 'appMinute', until, now());
      await changeLedger(pool, scope, (stored) => block(stored, null, 'appMinute', until, now()));
    },
  };
}
