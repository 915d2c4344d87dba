import type pg from 'pg';
import { giveWay, type Leaves } from '../model/precedence.ts';
import {
  block,
  blockedUntil,
  emptyLedger,
  type Permit,
  type QuotaLedger,
  type QuotaReading,
  type SpentCall,
  settle,
  takeBack,
  takePermit,
} from '../model/quota.ts';
import type { LimitName, WaitReason } from '../model/run.ts';
import { createShares } from '../model/shares.ts';
import {
  type QuotaScope,
  readLedger,
  type Spender,
  spendCall,
  type VersionedLedger,
  writeLedger,
} from '../storage/quota.ts';

/** One call, allowed and spent. Hand it back by `settle` or `refused`, whatever became of the call. */
export interface CallPermit {
  granted: true;
  tenantId: string;
  call: SpentCall;
  /** The same call in the ledger of the whole app. */
  appCall: SpentCall;
  /** What Postgres said when the call was spent: a call that is no longer wanted is not made. */
  open: boolean;
  allowed: boolean;
}

export type PermitAnswer = CallPermit | { granted: false; reason: WaitReason; until: number };

export type Permits = ReturnType<typeof createPermits>;

/** How long a worker may not know that another one was told to wait for the whole app. */
const appNewsMs = 1_000;

/**
 * The quota ledgers, as one worker sees them. Postgres holds the truth, and every change is a compare-and-set on the version
 * it was computed from; what is remembered here only spares the reading, as long as nobody else writes.
 */
export function createPermits({ pool, clientId, now }: { pool: pg.Pool; clientId: string; now: () => number }) {
  const known = new Map<string, VersionedLedger>();
  const turns = new Map<string, Promise<unknown>>();
  const appScope: QuotaScope = `app:${clientId}`;
  /** The minute's quota of the whole app, by the headers this worker sees: every worker sees them at each answer. */
  let app: QuotaLedger = emptyLedger;
  let appReadAt = 0;
  const shares = createShares();

  /** Calls of one tenant change its ledger one after the other: this worker does not race with itself. */
  function inTurn<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    const before = turns.get(tenantId) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    turns.set(tenantId, settled);
    void settled.then(() => {
      if (turns.get(tenantId) === settled) turns.delete(tenantId);
    });
    return mine;
  }

  async function current(tenantId: string, fresh: boolean): Promise<VersionedLedger> {
    const remembered = fresh ? undefined : known.get(tenantId);
    if (remembered) return remembered;
    const read = await readLedger(pool, tenantScope(tenantId));
    known.set(tenantId, read);
    return read;
  }

  async function change(tenantId: string, compute: (ledger: QuotaLedger) => QuotaLedger): Promise<void> {
    for (let fresh = false; ; fresh = true) {
      const { version, ledger } = await current(tenantId, fresh);
      const changed = compute(ledger);
      if (await writeLedger(pool, tenantScope(tenantId), version, changed)) {
        known.set(tenantId, { version: version + 1, ledger: changed });
        return;
      }
    }
  }

  async function takeFromApp(tenantId: string): Promise<Permit> {
    if (now() - appReadAt > appNewsMs) {
      appReadAt = now();
      const { blockedUntil, blockedBy } = (await readLedger(pool, appScope)).ledger;
      app = { ...app, blockedUntil, blockedBy };
    }
    // Five at once is a tenant's limit, not the app's.
    const permit = takePermit(app, now(), 0, Number.POSITIVE_INFINITY);
    const { limit } = app.minute;
    const shareFrom = limit === null ? now() : shares.allowedFrom(tenantId, limit, now());
    if (!permit.granted || shareFrom > now()) {
      shares.refused(tenantId, now());
      return { granted: false, reason: 'appMinute', until: permit.granted ? shareFrom : permit.until };
    }
    app = permit.ledger;
    return permit;
  }

  function appAnswered(call: SpentCall, minuteRemaining: number | null): void {
    app = settle(app, call, { ...silence, minuteRemaining }, now());
  }

  return {
    /** Spends one call, or says until when to wait. Never made from memory alone: Postgres agrees to each. */
    take(asker: Spender & { tenantId: string; quotaReserve: number; leaves: Leaves | null }): Promise<PermitAnswer> {
      const { tenantId, quotaReserve, leaves } = asker;
      return inTurn(tenantId, async () => {
        // Asked last, as the tenant's own ledger refuses far more often, and asks again each moment.
        let fromApp: SpentCall | null = null;
        try {
          for (let fresh = false; ; fresh = true) {
            const { version, ledger } = await current(tenantId, fresh);
            const permit = giveWay(takePermit(ledger, now(), quotaReserve), ledger, now(), leaves);
            if (!permit.granted) {
              // What is remembered may be older than what another worker wrote.
              if (fresh) return permit;
              continue;
            }
            if (fromApp === null) {
              const appPermit = await takeFromApp(tenantId);
              if (!appPermit.granted) return appPermit;
              fromApp = appPermit.call;
            }
            const scope = tenantScope(tenantId);
            const { spent, open, allowed } = await spendCall(pool, scope, version, permit.ledger, asker);
            if (!spent) continue;
            known.set(tenantId, { version: version + 1, ledger: permit.ledger });
            shares.had(tenantId, now());
            const appCall = fromApp;
            fromApp = null;
            return { granted: true, tenantId, call: permit.call, appCall, open, allowed };
          }
        } finally {
          if (fromApp !== null) app = takeBack(app, fromApp);
        }
      });
    },

    /** Ends a call and believes what Xero said of the limits with its answer. */
    settle({ tenantId, call, appCall }: CallPermit, reading: QuotaReading): Promise<void> {
      appAnswered(appCall, reading.appMinuteRemaining);
      return inTurn(tenantId, () => change(tenantId, (ledger) => settle(ledger, call, reading, now())));
    },

    /** Records a 429, for every worker: whoever asks for a permit next is told to wait. */
    async refused(
      { tenantId, call, appCall }: CallPermit,
      reason: LimitName,
      retryAfterSeconds: number | null,
    ): Promise<void> {
      appAnswered(appCall, null);
      const until = blockedUntil(reason, retryAfterSeconds, now());
      if (reason === 'appMinute') {
        appReadAt = 0;
        await blockApp(until);
      }
      await inTurn(tenantId, () =>
        change(tenantId, (ledger) =>
          reason === 'appMinute' ? settle(ledger, call, silence, now()) : block(ledger, call, reason, until, now()),
        ),
      );
    },

    /** Calls left today for a tenant, as far as this worker knows; null when Xero has not said. */
    async dayRemaining(tenantId: string): Promise<number | null> {
      return (await current(tenantId, false)).ledger.dayRemaining;
    },
  };

  async function blockApp(until: number): Promise<void> {
    for (;;) {
      const { version, ledger } = await readLedger(pool, appScope);
      if (await writeLedger(pool, appScope, version, block(ledger, null, 'appMinute', until, now()))) return;
    }
  }
}

const silence: QuotaReading = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

function tenantScope(tenantId: string): QuotaScope {
  return `tenant:${tenantId}`;
}
