import { concurrentCalls, marginMs, type Permit, type QuotaLedger } from './quota.ts';

/**
 * Imports that somebody waits for go before a backfill, which has days. The rule needs no queue: a backfill leaves a part
 * of each minute, and of the calls at once, to the organisation's other imports, more of it while one of them is open.
 */

/** How many calls a run leaves to other imports of its tenant. */
export interface Leaves {
  /** Of those that a minute has. */
  ofMinute: number;
  /** Of those that Xero allows at once. */
  atOnce: number;
}

/** An import that finds little new makes six calls: the overlap's page, the empty one, and four of reference data. */
const always: Leaves = { ofMinute: 6, atOnce: 1 };
/** While another is open it has half of the minute for itself, and most of the calls at once. */
const besideOthers: Leaves = { ofMinute: 30, atOnce: 3 };

/** What a run leaves to others; null for one that is no backfill. */
export function leavesOf(isBackfill: boolean, othersAreOpen: boolean): Leaves | null {
  if (!isBackfill) return null;
  return othersAreOpen ? besideOthers : always;
}

/**
 * Takes back a permit that was computed from a ledger where the call is to be left to others. At the beginning of a minute,
 * when nothing is known of it, one call is always allowed, so that a backfill goes on even where a minute has few.
 */
export function giveWay(permit: Permit, ledger: QuotaLedger, now: number, leaves: Leaves | null): Permit {
  if (!permit.granted || leaves === null) return permit;
  if (ledger.leases.filter((expiry) => expiry > now).length >= concurrentCalls - leaves.atOnce) {
    return { granted: false, reason: 'concurrent', until: now + marginMs };
  }
  const { minuteRemaining, minuteResetsBy } = ledger;
  if (minuteRemaining === null || minuteResetsBy === null || minuteResetsBy <= now) return permit;
  if (minuteRemaining > leaves.ofMinute) return permit;
  return { granted: false, reason: 'precedence', until: minuteResetsBy + marginMs };
}
