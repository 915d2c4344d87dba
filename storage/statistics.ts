import type { Queryable } from './pool.ts';

/** From here on a run has changed the tables enough to mislead the planner: autovacuum looks only once a minute. */
const worthCounting = 500;

/**
 * Lets Postgres count the ledger's tables anew after a run that stored `stored` journals. Without it the views may be
 * planned as though the tables were empty, which takes minutes instead of milliseconds. Who counts already is not waited for.
 */
export async function countLedgerAnew(db: Queryable, stored: number): Promise<void> {
  if (stored < worthCounting) return;
  await db.query('analyze (skip_locked) xero.journal, xero.journal_line, xero.journal_line_tracking');
}
