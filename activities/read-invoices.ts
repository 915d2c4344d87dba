import { log } from '@temporalio/activity';
import {
  afterPage,
  type InvoicePageFacts,
  type InvoicePlace,
  isByNumber,
  isInOrder,
  modifiedSinceOf,
  overToNumbers,
} from '../model/invoice-cursor.ts';
import type { SliceOutcome } from '../model/run.ts';
import { firstSecondOf, type InvoicePage, storeInvoicePage } from '../storage/invoice-pages.ts';
import { runAtWork } from '../storage/runs.ts';
import type { AnsweredInvoices } from '../xero/api.ts';
import { bringTheSame } from '../xero/pages.ts';
import { type CallOutcome, callXero } from './call-xero.ts';
import type { Dependencies } from './index.ts';
import { createSliceOutcomes, type Reading } from './slice-outcomes.ts';
import type { Slices } from './slices.ts';
import { storePatiently } from './store-patiently.ts';

/** A page that was asked for, and when. */
interface Asked {
  askedAt: Date;
  outcome: CallOutcome<AnsweredInvoices>;
}

/**
 * Reads invoices by keyset, one call after the other, as each says where the next begins; by page number from where Xero's
 * answers show that they cannot be read so. A page is stored while the next is on its way.
 */
export function createReadInvoices(dependencies: Dependencies, slices: Slices) {
  const { pool, xero, meters, now, stopping } = dependencies;
  const { positionOf, ended } = createSliceOutcomes(dependencies);

  return async function readInvoices(run: Reading): Promise<SliceOutcome> {
    const began = now();
    let place = run.invoicePlace;
    let largest = run.largestPage;
    let asked = await askAt(run, place, null);
    // A slice has one page at least, whatever the clock does.
    for (let pages = 1; ; pages++) {
      const { askedAt, outcome } = asked;
      if (outcome.kind !== 'answered') return ended(run, outcome);
      const { body, count } = outcome.answer;
      const after = await stepAfter(run, place, { ...outcome.answer, largestSeen: largest }, askedAt);
      if (count === 0 && after.ended) return { kind: 'caughtUp', ...(await positionOf(run)) };

      const { next } = after;
      /** The page with the number before the next, of the same list. */
      const before = next.page === place.page + 1 && place.page > 0 ? body : null;
      // A second page with a number is compared with the first, however long they take.
      const isLate = now() - began >= slices.lengthMs() && !(pages === 1 && before !== null);
      const goesOn = !after.ended && !isLate && !stopping();
      const storing = store({ ...run, place, next, body, count, askedAt });
      const ahead = storing.begun.then((isBegun) => (isBegun && goesOn ? askAt(run, next, before) : null));
      // Neither goes on unseen when the other fails.
      await Promise.allSettled([storing.isStored, ahead]);
      if (!(await storing.isStored)) break;
      if (after.ended) return { kind: 'caughtUp', ...(await positionOf(run)) };
      if (!goesOn) break;
      // At the same UpdatedDateUTC only what was asked for after a copy was stored may replace it.
      const isInTime = storing.times() === 1;
      asked = (isInTime && (await ahead)) || (await askAt(run, next, before));
      place = next;
      largest = Math.max(largest, count);
    }
    return { kind: 'imported', ...(await positionOf(run)) };
  };

  async function askAt(run: Reading, place: InvoicePlace, before: Buffer | null): Promise<Asked> {
    const askedAt = new Date(now());
    return { askedAt, outcome: await askForNews(run, place, before) };
  }

  /** Stores a page. `begun` tells when Postgres is at it, or that it will not be; `times`, how often it was. */
  function store(page: InvoicePage) {
    let times = 0;
    let begin = (_isBegun: boolean) => {};
    const begun = new Promise<boolean>((resolve) => {
      begin = resolve;
    });
    const storeIt = () =>
      storeInvoicePage(pool, page, () => {
        times++;
        begin(true);
      });
    const isBehind = async () => {
      const reached = (await runAtWork(pool, page.runId))?.invoicePlace;
      return reached?.second === page.next.second && reached.page === page.next.page;
    };
    const isStored = storePatiently(storeIt, isBehind);
    isStored.then(
      (is) => {
        if (is) meters.stored('invoices', page.count);
        begin(false);
      },
      () => begin(false),
    );
    return { isStored, begun, times: () => times };
  }

  async function stepAfter(run: Reading, place: InvoicePlace, facts: InvoicePageFacts, askedAt: Date) {
    if (isByNumber(place) || isInOrder(place, facts)) return afterPage(place, facts);
    log.warn(
      `Connection "${run.connectionName}": Xero's invoices do not come in the order of their UpdatedDateUTC, or older ones come than were asked for. ` +
        'They are read by page number instead, so that none is passed over; as long as this lasts each import of invoices may take as many calls as a full one, or twice as many.',
    );
    return overToNumbers(place, facts, (await firstSecondOf(pool, run.runId)) ?? place.second, askedAt);
  }

  /** A server that does not know of page numbers sends one page for each of them, for ever: then that is all there is. */
  async function askForNews(run: Reading, place: InvoicePlace, before: Buffer | null) {
    const isRepeated = ({ body, count }: AnsweredInvoices) =>
      before !== null && count > 0 && bringTheSame('Invoices', before, body);
    const outcome = await askInOrder(run, place);
    if (outcome.kind !== 'answered' || !isRepeated(outcome.answer)) return outcome;
    const again = await askInOrder(run, place);
    if (again.kind !== 'answered' || !isRepeated(again.answer)) return again;
    log.warn(
      `Connection "${run.connectionName}": Xero sent for page ${place.page} of invoices, twice, what it had sent for the one before, so that is taken for the last.`,
    );
    return { ...again, answer: { ...again.answer, ...nothing } };
  }

  /** An invoice that is edited while Xero writes the page down may stand in it out of order, once. */
  async function askInOrder(run: Reading, place: InvoicePlace) {
    const outcome = await ask(run, place);
    if (outcome.kind !== 'answered' || isByNumber(place) || isInOrder(place, outcome.answer)) return outcome;
    return ask(run, place);
  }

  /**
   * Behind a full page another is asked for, even if it calls itself the last. A server may refuse what lies behind the last page;
   * but as a refusal may have other reasons, the page before it must still call itself the last.
   */
  async function ask(run: Reading, place: InvoicePlace): Promise<CallOutcome<AnsweredInvoices>> {
    const page = Math.abs(place.page);
    const outcome = await askPage(run, place, page);
    if (page === 1 || outcome.kind !== 'refused' || !behindTheEnd.includes(outcome.status)) return outcome;
    const before = await askPage(run, place, page - 1);
    if (before.kind === 'refused') return outcome;
    if (before.kind !== 'answered') return before;
    return before.answer.isToldLast ? { ...before, answer: { ...before.answer, ...nothing } } : outcome;
  }

  function askPage(run: Reading, place: InvoicePlace, page: number) {
    return callXero(dependencies, run, 'invoices', (call) =>
      xero.invoices({ ...call, page, modifiedSince: modifiedSinceOf(place) }),
    );
  }
}

/** How a server may refuse a page that there is not. */
const behindTheEnd = [400, 404];
/** An empty page. */
const nothing = {
  body: Buffer.from('{"Invoices":[]}'),
  count: 0,
  firstSecond: null,
  lastSecond: null,
  ascending: true,
};
