import type pg from 'pg';
import { type Stream, streams } from '../model/streams.ts';
import { inTransaction } from './pool.ts';

/** From here on a run has changed the tables enough to mislead the planner: autovacuum looks only once a minute. */
const worthCounting = 50;
/** … and of tables that hold much already this share: with many organisations each counting would cost more than its run. */
const worthwhileShare = 0.2;

/** Rows looked at, in units of 300: with Postgres's own 100 this took a tenth of an import of 20,000 journals, with 10 a fiftieth. */
const enough = 10;

const written = {
  journals: ['xero.journal', 'xero.journal_line', 'xero.journal_line_tracking'],
  invoices: ['xero.invoice', 'xero.invoice_line_item', 'xero.invoice_line_item_tracking', 'xero.invoice_settlement'],
};

/** The views of the ledger read these with everything, and they come along with each run. */
const reference = ['xero.account', 'xero.contact', 'xero.tracking_category', 'xero.tracking_category_option'];

/**
 * Lets Postgres count anew the tables that a run wrote, if it `stored` enough rows, by itself or with the runs before it.
 * Without it the views may be planned as though the tables were empty, which takes minutes instead of milliseconds. Who
 * counts already is not waited for. The reference data is counted once it is `refreshed`.
 */
export async function countAnew(
  pool: pg.Pool,
  stream: Stream,
  stored: number,
  refreshed: Promise<unknown>,
): Promise<void> {
  if (stored < worthCounting) return;
  const tables = written[streams[stream].kind];
  // What a run has just stored may not have reached the statistics yet, so it speaks for itself too.
  const { rowCount } = await pool.query(
    `select from pg_class c join pg_stat_all_tables s on s.relid = c.oid
      where c.oid = $1::regclass and greatest(s.n_mod_since_analyze, $2) >= $3 * c.reltuples`,
    [tables[0], stored, worthwhileShare],
  );
  if (rowCount !== 1) return;
  await analyze(pool, tables);
  await Promise.allSettled([refreshed]);
  await analyze(pool, reference);
}

async function analyze(pool: pg.Pool, tables: readonly string[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(`set local default_statistics_target = ${enough}`);
    await client.query(`analyze (skip_locked) ${tables.join(', ')}`);
  });
}
