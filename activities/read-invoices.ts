import { afterPage, type InvoicePlace, isComplete, modifiedSinceOf } from '../model/invoice-cursor.ts';
import type { PageOutcome } from '../model/run.ts';
import { callXero } from './call-xero.ts';
import { InOrder } from './in-order.ts';
import type { Dependencies } from './index.ts';
import { createPageOutcomes, passOver, type Reading } from './page-outcomes.ts';
import type { Slices } from './slices.ts';
import { storeInvoicesPatiently } from './store-patiently.ts';

/** Reads invoices by keyset, one call after the other, as each says where the next begins; what it brought is stored meanwhile. */
export function createReadInvoices(dependencies: Dependencies, slices: Slices) {
  const { xero, now, stopping } = dependencies;
  const { reached, ended } = createPageOutcomes(dependencies);

  return async function readInvoices(run: Reading): Promise<PageOutcome> {
    const began = now();
    let place = run.invoicePlace;
    let largest = run.largestPage;
    const store = new InOrder();
    try {
      // A slice has one page at least, whatever the clock does.
      for (let pages = 0; pages === 0 || (now() - began < slices.lengthMs() && !stopping()); pages++) {
        const askedAt = new Date(now());
        const outcome = await ask(run, place).catch((trouble: Error) => passOver(trouble, pages > 0));
        if (outcome === null) break;
        if (outcome.kind !== 'answered') return await ended(run, outcome, store);
        const { body, count, lastSecond, pageCount } = outcome.answer;
        const complete = isComplete(count, Math.abs(place.page), pageCount, largest);
        const after = afterPage(place, { count, lastSecond, complete });
        const page = { ...run, place, next: after.next, body, count, askedAt };
        const isNothing = count === 0 && after.ended;
        // Another attempt has stored the page before, and this one is a zombie.
        if (!isNothing && !(await store.next(() => storeInvoicesPatiently(dependencies, page)))) break;
        if (after.ended) return await reached('caughtUp', run, store);
        // Among many nothing is gained by reading on: others keep Postgres busy meanwhile.
        if (slices.isCrowded()) await store.isDone();
        place = after.next;
        largest = Math.max(largest, count);
      }
      return await reached('imported', run, store);
    } finally {
      // Should storing fail here, something else ended the reading, and is told.
      await store.isDone().catch(() => false);
    }
  };

  function ask(run: Reading, place: InvoicePlace) {
    const page = Math.abs(place.page);
    return callXero(dependencies, run, (call) =>
      xero.invoices({ ...call, page, modifiedSince: modifiedSinceOf(place) }),
    );
  }
}
