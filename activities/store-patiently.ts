import { sleep } from '@temporalio/activity';
import type pg from 'pg';
import { type InvoicePage, storeInvoicePage } from '../storage/invoice-pages.ts';
import { type JournalPage, storePage } from '../storage/pages.ts';
import { isAway } from '../storage/pool.ts';
import { type RunAtWork, runAtWork } from '../storage/runs.ts';

const tries = 8;
const firstWaitMs = 250;
const longestWaitMs = 8_000;

/**
 * Stores a page, and keeps it in hand for half a minute while Postgres is away: fetching it again would cost a call. False
 * when another attempt has stored it and this one is a zombie.
 */
export function storePatiently(pool: pg.Pool, page: JournalPage): Promise<boolean> {
  return patiently(
    pool,
    page.runId,
    () => storePage(pool, page),
    ({ nextOffset }) => nextOffset === page.through,
  );
}

/** The same for a page of invoices. */
export function storeInvoicesPatiently(pool: pg.Pool, page: InvoicePage): Promise<boolean> {
  const isBehind = ({ invoicePlace }: RunAtWork) =>
    invoicePlace.second === page.next.second && invoicePlace.page === page.next.page;
  return patiently(pool, page.runId, () => storeInvoicePage(pool, page), isBehind);
}

async function patiently(
  pool: pg.Pool,
  runId: string,
  store: () => Promise<boolean>,
  isBehind: (run: RunAtWork) => boolean,
): Promise<boolean> {
  for (let tried = 1; ; tried++) {
    try {
      const moved = await store();
      if (moved || tried === 1) return moved;
      // The commit may have happened with its answer lost; then the run stands just behind this page.
      const run = await runAtWork(pool, runId);
      return run !== null && isBehind(run);
    } catch (error) {
      if (tried === tries || !isAway(error)) throw error;
      await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tried));
    }
  }
}
