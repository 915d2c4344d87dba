import { afterPage, type InvoicePlace, isComplete, modifiedSinceOf } from '../model/invoice-cursor.ts';
import type { PageOutcome } from '../model/run.ts';
import { callXero } from './call-xero.ts';
import type { Dependencies } from './index.ts';
import { createPageOutcomes, passOver, type Reading } from './page-outcomes.ts';
import type { Slices } from './slices.ts';
import { storeInvoicesPatiently } from './store-patiently.ts';

/** Reads invoices by keyset, one call after the other, as each says where the next begins. */
export function createReadInvoices(dependencies: Dependencies, slices: Slices) {
  const { xero, now, stopping } = dependencies;
  const { standing, ended } = createPageOutcomes(dependencies);

  return async function readInvoices(run: Reading): Promise<PageOutcome> {
    const began = now();
    let place = run.invoicePlace;
    let largest = run.largestPage;
    // A slice has one page at least, whatever the clock does.
    for (let pages = 0; pages === 0 || (now() - began < slices.lengthMs() && !stopping()); pages++) {
      const askedAt = new Date(now());
      const outcome = await ask(run, place).catch((trouble: Error) => passOver(trouble, pages > 0));
      if (outcome === null) break;
      if (outcome.kind !== 'answered') return ended(run, outcome);
      const { body, count, lastSecond, pageCount } = outcome.answer;
      const complete = isComplete(count, Math.abs(place.page), pageCount, largest);
      const after = afterPage(place, { count, lastSecond, complete });
      // Before the next is asked for: at the same UpdatedDateUTC only what was asked for after a copy was stored may replace it.
      const stored =
        (count === 0 && after.ended) ||
        (await storeInvoicesPatiently(dependencies, {
          ...run,
          place,
          next: after.next,
          body,
          count,
          askedAt,
        }));
      if (!stored) break;
      if (after.ended) return { kind: 'caughtUp', ...(await standing(run)) };
      place = after.next;
      largest = Math.max(largest, count);
    }
    return { kind: 'imported', ...(await standing(run)) };
  };

  function ask(run: Reading, place: InvoicePlace) {
    const page = Math.abs(place.page);
    return callXero(dependencies, run, 'invoices', (call) =>
      xero.invoices({ ...call, page, modifiedSince: modifiedSinceOf(place) }),
    );
  }
}
