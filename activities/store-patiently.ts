import { sleep } from '@temporalio/activity';
import type { Stream } from '../model/streams.ts';
import { type InvoicePage, storeInvoicePage } from '../storage/invoice-pages.ts';
import { type JournalPage, storePage } from '../storage/pages.ts';
import type { Pipeline } from '../storage/pipeline.ts';
import { isAway } from '../storage/pool.ts';
import { type RunAtWork, runAtWork } from '../storage/runs.ts';
import type { Dependencies } from './index.ts';

const tries = 8;
const firstWaitMs = 250;
const longestWaitMs = 8_000;

type Needed = Pick<Dependencies, 'pool' | 'meters'>;

/**
 * Stores a page, and keeps it in hand for half a minute while Postgres is away: fetching it again would cost a call. False
 * when another attempt has stored it and this one is a zombie.
 */
export function storePatiently(needed: Needed, pipeline: Pipeline, page: JournalPage): Promise<boolean> {
  return patiently(
    needed,
    page,
    () => storePage(needed.pool, page, pipeline),
    // Beyond it, where the page that was sent right behind is stored as well.
    ({ nextOffset }) => nextOffset !== null && nextOffset >= page.through,
  );
}

/** The same for a page of invoices. */
export function storeInvoicesPatiently(needed: Needed, page: InvoicePage): Promise<boolean> {
  const isBehind = ({ invoicePlace }: RunAtWork) =>
    invoicePlace.second === page.next.second && invoicePlace.page === page.next.page;
  return patiently(needed, { ...page, stream: 'invoices' }, () => storeInvoicePage(needed.pool, page), isBehind);
}

async function patiently(
  { pool, meters }: Needed,
  { runId, stream, count }: { runId: string; stream: Stream; count: number },
  store: () => Promise<boolean>,
  isBehind: (run: RunAtWork) => boolean,
): Promise<boolean> {
  for (let tried = 1; ; tried++) {
    try {
      const moved = await store();
      // The commit may have happened with its answer lost; then the run stands behind this page.
      const run = moved || tried === 1 ? null : await runAtWork(pool, runId);
      const isStored = moved || (run !== null && isBehind(run));
      if (isStored) meters.stored(stream, count);
      return isStored;
    } catch (error) {
      if (tried === tries || !isAway(error)) throw error;
      await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tried));
    }
  }
}
