import { mix } from '../seeded.ts';
import { type Chart, chartOfAccounts } from './chart.ts';
import { contactsOf } from './contacts.ts';
import type { LateJournals } from './generated.ts';
import { type InvoiceBook, invoiceBook } from './invoices.ts';
import { type Ledger, ledger } from './ledger.ts';
import { numbering } from './numbering.ts';
import { type ReferenceBook, referenceBook } from './reference.ts';
import { trackingCategories } from './tracking.ts';
import { MARCH_31, type ReportDifferences, type YearEnd } from './trial-balance.ts';

export interface BooksOptions {
  seed: number;
  /** How many accrual journals to begin with. */
  journals: number;
  /** How many cash-basis journals to begin with. Default: six for every ten accrual ones. */
  cashJournals?: number;
  /** Share of journal numbers that do not exist. Default 0.02. */
  gapRate?: number;
  /** No gaps at all: journal i has number i. */
  contiguous?: boolean;
  contacts?: number;
  /** The books end just before this: milliseconds since 1970. */
  now: number;
  /** How many days they cover. Default 730. */
  days?: number;
  /** How many invoices. Default: one for each that the journals name, and one unposted for every eight of those. */
  invoices?: number;
  /** So many, in the middle of the list, were all last changed in one same second. Default 0. */
  invoicesInOneSecond?: number;
  /** A list without `Statuses` has the deleted ones, too. Xero leaves that open; default false, the stricter. */
  listsDeleted?: boolean;
  /** If-Modified-Since on invoices: everything of its second (default), or only what changed in a later one. */
  modifiedSince?: 'inclusive' | 'exclusive';
  /** The largest page of invoices, whatever is asked for. Default 1,000, as Xero's. */
  invoicesPerPage?: number;
  /**
   * Pages of invoices say how many there are. Default true, as Xero's do; `onePage` has each say that it is the only one,
   * and `ownRows` that there is nothing beside its own rows.
   */
  pagination?: boolean | 'onePage' | 'ownRows';
  /** A page of invoices behind the last is 404. Default false: it is empty, as Xero's is. */
  refusesBehindLastPage?: boolean;
  /** What a call for invoices asks in vain: with `order` they come by their ids, with `modifiedSince` all of them come. */
  invoicesIgnore?: readonly ('order' | 'modifiedSince')[];
  /** Journals that become visible only later, among the newest. */
  late?: LateJournals;
  /** What the trial balance shows and the journals do not. */
  reportDifferences?: ReportDifferences;
  /** When the financial year ends. Default 31 March. */
  yearEnd?: YearEnd;
  /** The organisation's currency. Default NZD. */
  currency?: string;
}

/** One organisation's books. The ledger's methods on it are those of the accrual series; `cash` is the other one. */
export interface Books extends Ledger {
  readonly cash: Ledger;
  readonly chart: Chart;
  /** Reference data as it stands now, and the levers to change it. */
  readonly reference: ReferenceBook;
  readonly invoices: InvoiceBook;
  /** Can be set at any time; every later report has them. */
  reportDifferences: ReportDifferences;
  readonly yearEnd: YearEnd;
  /** When the organisation was created: milliseconds since 1970. */
  readonly began: number;
}

/**
 * Makes an organisation's books from a seed; nothing but an index of numbers is kept, whatever their size.
 *
 * @param clock what `append` calls "now" when a draft does not say when it was created.
 */
export function makeBooks(options: BooksOptions, clock: () => number): Books {
  const { seed, now, days = 730 } = options;
  const gapRate = options.contiguous === true ? 0 : (options.gapRate ?? 0.02);
  const chart = chartOfAccounts(seed);
  const tracking = trackingCategories(seed);
  const series = (basis: 'accrual' | 'cash', count: number): Ledger =>
    ledger(
      {
        seed,
        basis,
        now,
        days,
        chart,
        tracking,
        ...(basis === 'accrual' && options.late ? { late: options.late } : {}),
        numbering: numbering(mix(seed, basis === 'cash' ? 2 : 1), count, gapRate),
      },
      clock,
    );
  const accrual = series('accrual', options.journals);
  const cash = series('cash', options.cashJournals ?? Math.floor(options.journals * 0.6));
  const contacts = contactsOf(seed, options.contacts ?? 137, now, days);
  const began = now - days * 86_400_000;
  // Delegation by prototype, so that `count` and `lastNumber` stay live.
  return Object.assign(Object.create(accrual) as Ledger, {
    cash,
    chart,
    reference: referenceBook({ chart, tracking, contacts, began }, clock),
    yearEnd: options.yearEnd ?? MARCH_31,
    reportDifferences: options.reportDifferences ?? {},
    invoices: invoiceBook(
      { ...options, days, chart, tracking, contacts, currency: options.currency ?? 'NZD' },
      accrual.generated,
      clock,
    ),
    began,
  });
}
