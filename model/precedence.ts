import { callsLeft, concurrentCalls, limitOf, moreLeftAt } from './minute.ts';
import { inFlight, marginMs, type Permit, type QuotaLedger } from './quota.ts';

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

/** An import that finds little new begins with two calls: the overlap's page and the empty one. What it needs next comes free soon. */
const always: Leaves = { ofMinute: 2, atOnce: 1 };
/** While another is open it has half of the minute for itself, and three of the five calls at once. */
const besideOthers: Leaves = { ofMinute: 30, atOnce: 3 };

/** What a run leaves to others; null for one that is no backfill. */
export function leavesOf(isBackfill: boolean, othersAreOpen: boolean): Leaves | null {
  if (!isBackfill) return null;
  return othersAreOpen ? besideOthers : always;
}

/** How many calls a run may have in flight itself. */
export function mostAtOnce(leaves: Leaves | null): number {
  return concurrentCalls - (leaves?.atOnce ?? 0);
}

/**
 * Takes back a permit that was computed from a ledger where the call is to be left to others. Of a minute that has few calls
 * half is left to them at most, so that a backfill goes on; and however many they have in flight, it has its own.
 */
export function giveWay(
  permit: Permit,
  ledger: QuotaLedger,
  now: number,
  { leaves, holder }: { leaves: Leaves | null; holder: string },
): Permit {
  if (!permit.granted || leaves === null) return permit;
  const leases = inFlight(ledger.leases, now);
  if (leases.filter((lease) => lease.holder === holder).length >= mostAtOnce(leaves)) {
    return { granted: false, reason: 'concurrent', until: now + marginMs };
  }
  const calls = leases.length;
  const kept = Math.min(leaves.ofMinute, Math.floor((limitOf(ledger.minute) ?? 0) / 2));
  const left = callsLeft(ledger.minute, calls, now);
  if (left === null || left > kept) return permit;
  return { granted: false, reason: 'precedence', until: moreLeftAt(ledger.minute, calls, kept, now) };
}
