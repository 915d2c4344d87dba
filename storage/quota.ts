import type { QuotaStanding } from '../model/plan.ts';
import { emptyLedger, type Lease, type QuotaLedger } from '../model/quota.ts';
import type { WaitReason } from '../model/run.ts';
import type { Queryable } from './pool.ts';

/** Which quota: one tenant's, or that of the whole Xero app. */
export type QuotaScope = `tenant:${string}` | `app:${string}`;

interface LedgerRow {
  version: number;
  minute_remaining: number | null;
  minute_limit: number | null;
  minute_counted: number[];
  minute_leapt_at: number;
  day_remaining: number | null;
  reserve_asked_at: Date | null;
  blocked_until: Date | null;
  blocked_by: WaitReason | null;
  leases: Date[];
  lease_holders: string[];
  sent: number;
}

export interface VersionedLedger {
  version: number;
  ledger: QuotaLedger;
}

/** Reads a quota ledger; a scope never seen before has an empty one of version 0. */
export async function readLedger(db: Queryable, scope: QuotaScope): Promise<VersionedLedger> {
  const { rows } = await db.query<LedgerRow>(
    `select version, minute_remaining, minute_limit, minute_counted, minute_leapt_at, day_remaining, blocked_until, blocked_by,
            leases, lease_holders, sent, reserve_asked_at
       from daybook.quota_ledger where scope = $1`,
    [scope],
  );
  const row = rows[0];
  if (!row) return { version: 0, ledger: emptyLedger };
  return {
    version: row.version,
    ledger: {
      minute: {
        remaining: row.minute_remaining,
        limit: row.minute_limit,
        counted: row.minute_counted,
        leaptAt: row.minute_leapt_at,
      },
      dayRemaining: row.day_remaining,
      dayHeardAt: row.reserve_asked_at?.getTime() ?? null,
      blockedUntil: row.blocked_until?.getTime() ?? null,
      blockedBy: row.blocked_by,
      leases: leasesOf(row),
      sent: row.sent,
    },
  };
}

/** A worker from before leases had holders leaves those of others behind; whose they are is not known then. */
function leasesOf({ leases, lease_holders: holders }: LedgerRow): Lease[] {
  const areKnown = holders.length === leases.length;
  return leases.map((lease, at) => ({ until: lease.getTime(), holder: (areKnown && holders[at]) || '' }));
}

/** What is known of a tenant's quota, and since when, for a plan. */
export async function quotaStanding(db: Queryable, tenantId: string): Promise<QuotaStanding> {
  const { rows } = await db.query<Pick<LedgerRow, 'day_remaining' | 'blocked_until' | 'blocked_by'> & { heard: Date }>(
    `select day_remaining, blocked_until, blocked_by, updated_at as heard from daybook.quota_ledger where scope = $1`,
    [`tenant:${tenantId}`],
  );
  const [row] = rows;
  return {
    dayRemaining: row?.day_remaining ?? null,
    heardAt: row?.heard.getTime() ?? null,
    blockedUntil: row?.blocked_until?.getTime() ?? null,
    blockedBy: row?.blocked_by ?? null,
  };
}

const instant = (ms: number | null) => (ms === null ? null : new Date(ms));

/**
 * A version that nobody has had before, where a count would come again once a crash of Postgres has forgotten the last writes, and what
 * a worker remembers would pass for what is there. Below 2^53, as it is a number here.
 */
const newVersion = `1 + floor(random() * ${2 ** 48})::bigint`;

const ledgerValues = (scope: QuotaScope, from: number, ledger: QuotaLedger) => [
  scope,
  from,
  ledger.minute.remaining,
  ledger.minute.limit,
  ledger.minute.counted.map(Math.round),
  ledger.minute.leaptAt,
  ledger.dayRemaining,
  instant(ledger.blockedUntil),
  ledger.blockedBy,
  ledger.leases.map(({ until }) => new Date(until)),
  ledger.sent,
  instant(ledger.dayHeardAt),
  ledger.leases.map(({ holder }) => holder),
];

/** Writes $3–$13, as a new version, over the version $2 of the scope $1; no row when another process was faster. */
const writeOver = `
  insert into daybook.quota_ledger as l (scope, version, minute_remaining, minute_limit, minute_counted, minute_leapt_at,
                                         day_remaining, blocked_until, blocked_by, leases, sent, reserve_asked_at,
                                         lease_holders)
  values ($1, ${newVersion}, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  on conflict (scope) do update
     set version = excluded.version, minute_remaining = excluded.minute_remaining, minute_limit = excluded.minute_limit,
         minute_counted = excluded.minute_counted, minute_leapt_at = excluded.minute_leapt_at,
         day_remaining = excluded.day_remaining, blocked_until = excluded.blocked_until, blocked_by = excluded.blocked_by,
         leases = excluded.leases, lease_holders = excluded.lease_holders, sent = excluded.sent,
         reserve_asked_at = excluded.reserve_asked_at, updated_at = now()
   where l.version = $2::bigint
  returning version`;

/** Stores a ledger over the version it was computed from. Answers its own; null when another process was faster and it must be computed anew. */
export async function writeLedger(
  db: Queryable,
  scope: QuotaScope,
  from: number,
  ledger: QuotaLedger,
): Promise<number | null> {
  const { rows } = await db.query<{ version: number }>({
    name: 'write-ledger',
    text: writeOver,
    values: ledgerValues(scope, from, ledger),
  });
  return rows[0]?.version ?? null;
}

/** Changes a ledger, whoever else writes it meanwhile. */
export async function changeLedger(
  db: Queryable,
  scope: QuotaScope,
  by: (ledger: QuotaLedger) => QuotaLedger,
): Promise<void> {
  for (let written: number | null = null; written === null; ) {
    const { version, ledger } = await readLedger(db, scope);
    written = await writeLedger(db, scope, version, by(ledger));
  }
}

/** Whether the call may be made, as things stand at the moment it is spent. */
export interface Spent {
  /** Of the ledger it was spent of; null when another process wrote that first: nothing was spent. */
  version: number | null;
  /** The run has not ended, nor been told to stop after the page in flight, and no newer attempt reads for it. */
  open: boolean;
  /** The application is still on the connection's list. */
  allowed: boolean;
}

/** Who spends: an attempt to read pages for a run, by the instant at which Temporal scheduled it. */
export interface Attempt {
  runId: string;
  scheduledAt: Date;
}

/** Who spends outside an import run: an application that asks through a connection. */
export interface Asker {
  runId?: undefined;
  connectionId: string;
  application: string;
}

export type Spender = Attempt | Asker;

/** Spends one call: the ledger with it taken off, and the run's count where there is a run, before the call is made. */
export async function spendCall(
  db: Queryable,
  scope: QuotaScope,
  from: number,
  ledger: QuotaLedger,
  spender: Spender,
): Promise<Spent> {
  const values = ledgerValues(scope, from, ledger);
  const { rows } = await db.query<Spent>(
    spender.runId === undefined
      ? { name: 'spend-call', text: spendForAsker, values: [...values, spender.connectionId, spender.application] }
      : { name: 'spend-call-of-run', text: spendForRun, values: [...values, spender.runId, spender.scheduledAt] },
  );
  return rows[0] ?? { version: null, open: false, allowed: false };
}

const spendForRun = `
  with written as (${writeOver}),
  counted as (
    update daybook.run_calls c set calls = calls + 1 from written, daybook.import_run r
     where c.run_id = $14 and r.run_id = $14 and r.ended_at is null and r.status <> 'stopping'
       and r.attempt_scheduled_at = $15
    returning c.run_id
  )
  select (select version from written) as version, exists (select from counted) as open,
         exists (select from daybook.connection_application a join daybook.import_run r using (connection_id, application)
                  where r.run_id = $14) as allowed`;

const spendForAsker = `
  with written as (${writeOver})
  select (select version from written) as version, true as open,
         exists (select from daybook.connection_application where connection_id = $14 and application = $15) as allowed`;
