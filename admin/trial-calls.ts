import { setTimeout as sleep } from 'node:timers/promises';
import {
  block,
  blockedUntil,
  nothingSaid,
  type QuotaLedger,
  type SpentCall,
  settle,
  takePermit,
} from '../model/quota.ts';
import type { WaitReason } from '../model/run.ts';
import { changeLedger, type QuotaScope, readLedger, writeLedger } from '../storage/quota.ts';
import type { Ask, NotAsked } from '../xero/entitlement.ts';
import type { AdminPlace } from './place.ts';

/** So long a place beside the calls of imports is waited for, by all calls of a trial together. */
const patienceMs = 4_000;

/**
 * Makes an admin's few calls for an organisation within the same limits as imports make theirs: each is spent in the quota ledger
 * before it is made, and what Xero answers corrects that. Where no place comes free soon, it is not made.
 */
export function createTrialCalls(
  { pool, xero, now }: Pick<AdminPlace, 'pool' | 'xero' | 'now'>,
  tenantId: string,
): Ask {
  const tenant: QuotaScope = `tenant:${tenantId}`;
  const app: QuotaScope = `app:${xero.clientId}`;
  const giveUpAt = now() + patienceMs;

  async function take(): Promise<SpentCall | NotAsked> {
    for (;;) {
      // Of the app's own minute it is stored only that Xero refuses; the five at once are the organisation's.
      const appPermit = takePermit((await readLedger(pool, app)).ledger, now(), {
        atOnce: Number.POSITIVE_INFINITY,
      });
      const { version, ledger } = await readLedger(pool, tenant);
      const permit = appPermit.granted ? takePermit(ledger, now()) : appPermit;
      if (!permit.granted) {
        const { reason, until } = permit;
        if (until > giveUpAt) return { kind: 'notAsked', message: whyNot(reason, until) };
        await sleep(Math.max(1, until - now()));
      } else if ((await writeLedger(pool, tenant, version, permit.ledger)) !== null) {
        return permit.call;
      }
    }
  }

  const change = (scope: QuotaScope, by: (ledger: QuotaLedger) => QuotaLedger) => changeLedger(pool, scope, by);

  return async (send) => {
    const call = await take();
    if ('kind' in call) return call;
    const answer = await send().catch(async (aborted) => {
      await change(tenant, (ledger) => settle(ledger, call, nothingSaid, now()));
      throw aborted;
    });
    const answeredAt = now();
    if (answer.kind !== 'throttled') {
      await change(tenant, (ledger) => settle(ledger, call, answer.limits, answeredAt));
      return answer;
    }
    const { window, retryAfterSeconds } = answer;
    const until = blockedUntil(window, retryAfterSeconds, answeredAt);
    if (window === 'appMinute') {
      await change(app, (ledger) => block(ledger, null, window, until, answeredAt));
      await change(tenant, (ledger) => settle(ledger, call, nothingSaid, answeredAt));
    } else {
      await change(tenant, (ledger) => block(ledger, call, window, until, answeredAt));
    }
    return answer;
  };
}

function whyNot(reason: WaitReason, until: number): string {
  if (reason === 'concurrent') return 'imports make all the calls at once that Xero allows.';
  return `Xero refuses calls until ${new Date(until).toISOString()}.`;
}
