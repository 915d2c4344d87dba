import type pg from 'pg';
import type { Allowance } from '../model/lanes.ts';
import { limitOf } from '../model/minute.ts';
import { giveWay, type Leaves } from '../model/precedence.ts';
import {
  abandon,
  block,
  blockedUntil,
  marginMs,
  nothingSaid,
  type QuotaLedger,
  type QuotaReading,
  type SpentCall,
  settle,
  takePermit,
} from '../model/quota.ts';
import type { LimitName, WaitReason } from '../model/run.ts';
import {
  type QuotaScope,
  readLedger,
  type Spender,
  spendCall,
  type VersionedLedger,
  writeLedger,
} from '../storage/quota.ts';
import { createAppQuota } from './app-quota.ts';

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

/** What the end of a call changes in its ledger. */
type Ending = (ledger: QuotaLedger) => QuotaLedger;

export type Permits = ReturnType<typeof createPermits>;

/** For so long what became of calls may wait for the next one, which takes it along; where answers are slow it goes by itself. */
const restMs = 50;
/** … and so long, when Postgres was away. */
const retryMs = 1_000;

/**
 * The quota ledgers, as one worker sees them. Postgres holds the truth, and every change is a compare-and-set on the version
 * it was computed from; what is remembered here only spares the reading, as long as nobody else writes.
 */
export function createPermits({ pool, clientId, now }: { pool: pg.Pool; clientId: string; now: () => number }) {
  const known = new Map<string, VersionedLedger>();
  /** What became of calls and is not written yet: the next call that is spent takes it along, which spares a statement a page. */
  const unwritten = new Map<string, Ending[]>();
  /** Tenants for which that is looked at soon. */
  const resting = new Set<string>();
  const turns = new Map<string, Promise<unknown>>();
  const app = createAppQuota({ pool, clientId, now });

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

  async function current(tenantId: string, fresh: boolean): Promise<VersionedLedger & { endings: Ending[] }> {
    const remembered = fresh ? undefined : known.get(tenantId);
    const { version, ledger } = remembered ?? (await readLedger(pool, tenantScope(tenantId)));
    if (!remembered) known.set(tenantId, { version, ledger });
    const endings = unwritten.get(tenantId) ?? [];
    return { version, ledger: endings.reduce((ended, end) => end(ended), ledger), endings };
  }

  function wrote(tenantId: string, version: number, ledger: QuotaLedger, endings: Ending[]): void {
    known.set(tenantId, { version, ledger });
    const left = (unwritten.get(tenantId) ?? []).slice(endings.length);
    if (left.length > 0) unwritten.set(tenantId, left);
    else unwritten.delete(tenantId);
  }

  function end(tenantId: string, ending: Ending): void {
    unwritten.set(tenantId, [...(unwritten.get(tenantId) ?? []), ending]);
    writeWithin(tenantId, restMs);
  }

  function writeWithin(tenantId: string, ms: number): void {
    if (resting.has(tenantId)) return;
    resting.add(tenantId);
    setTimeout(() => {
      resting.delete(tenantId);
      void written(tenantId);
    }, ms);
  }

  async function written(tenantId: string): Promise<void> {
    const write = async () => {
      for (let fresh = false; unwritten.has(tenantId); fresh = true) {
        const { version, ledger, endings } = await current(tenantId, fresh);
        const written = await writeLedger(pool, tenantScope(tenantId), version, ledger);
        if (written !== null) wrote(tenantId, written, ledger, endings);
      }
    };
    // Where Postgres is away it is kept, and the next call, which cannot be spent without Postgres, takes it along. That may be
    // another worker's, which would not know of a refusal: so it is also tried again.
    await inTurn(tenantId, write).catch(() => {
      if (!pool.ending) writeWithin(tenantId, retryMs);
    });
  }

  return {
    /** Spends one call, or says until when to wait. Never made from memory alone: Postgres agrees to each. */
    take(asker: Spender & { tenantId: string; quotaReserve: number; leaves: Leaves | null }): Promise<PermitAnswer> {
      const { tenantId, quotaReserve: reserve, leaves } = asker;
      const holder = asker.runId ?? asker.connectionId;
      return inTurn(tenantId, async () => {
        // Asked last, as the tenant's own ledger refuses far more often, and asks again each moment.
        let fromApp: SpentCall | null = null;
        try {
          for (let fresh = false; ; fresh = true) {
            const { version, ledger, endings } = await current(tenantId, fresh);
            const permit = giveWay(takePermit(ledger, now(), { holder, reserve }), ledger, now(), { leaves, holder });
            if (!permit.granted) {
              // What is remembered may be older than what another worker wrote.
              if (fresh) return permit;
              continue;
            }
            if (fromApp === null) {
              const appPermit = await app.take(tenantId);
              if (!appPermit.granted) return appPermit;
              fromApp = appPermit.call;
            }
            const scope = tenantScope(tenantId);
            const spent = await spendCall(pool, scope, version, permit.ledger, asker);
            if (spent.version === null) continue;
            wrote(tenantId, spent.version, permit.ledger, endings);
            app.had(tenantId);
            const appCall = fromApp;
            fromApp = null;
            const { open, allowed } = spent;
            return { granted: true, tenantId, call: permit.call, appCall, open, allowed };
          }
        } finally {
          if (fromApp !== null) app.takeBack(fromApp);
        }
      });
    },

    /** Ends a call and believes what Xero said of the limits with its answer. */
    settle({ tenantId, call, appCall }: CallPermit, reading: QuotaReading): void {
      app.answered(appCall, reading.appMinuteRemaining);
      const at = now();
      end(tenantId, (ledger) => settle(ledger, call, reading, at));
    },

    /** Ends the calls of an attempt of a run that died with them. */
    async abandoned(tenantId: string, runId: string): Promise<void> {
      const at = now();
      end(tenantId, (ledger) => abandon(ledger, runId, at));
      await written(tenantId);
    },

    /** Waits until what became of a tenant's calls is in Postgres, if that is there. */
    written,

    /** Records a 429, for every worker: whoever asks for a permit next is told to wait. */
    async refused(
      { tenantId, call, appCall }: CallPermit,
      reason: LimitName,
      retryAfterSeconds: number | null,
    ): Promise<void> {
      const at = now();
      const until = blockedUntil(reason, retryAfterSeconds, at);
      if (reason === 'appMinute') {
        end(tenantId, (ledger) => settle(ledger, call, nothingSaid, at));
        await app.refused(appCall, until);
      } else {
        app.answered(appCall, null);
        end(tenantId, (ledger) => block(ledger, call, reason, until, at));
      }
      await written(tenantId);
    },

    /**
     * Records that Xero, or this organisation in it, is down for so long, as a 429 is recorded: that concerns each page and stream
     * of the organisation. The call itself is settled apart from it. Answers until when nobody asks.
     */
    async down({ tenantId }: CallPermit, retryAfterSeconds: number): Promise<number> {
      const at = now();
      const until = at + retryAfterSeconds * 1_000 + marginMs;
      end(tenantId, (ledger) => block(ledger, null, 'outage', until, at));
      await written(tenantId);
      return until;
    },

    /** What a tenant is allowed, as far as this worker knows; null where Xero has not said. */
    async allowance(tenantId: string): Promise<Allowance> {
      const { dayRemaining, minute } = (await current(tenantId, false)).ledger;
      return { dayRemaining, minuteLimit: limitOf(minute) };
    },
  };
}

function tenantScope(tenantId: string): QuotaScope {
  return `tenant:${tenantId}`;
}
