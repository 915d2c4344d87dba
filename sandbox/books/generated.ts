import type { Money } from '../money.ts';
import { mix, randomStream, seededUuid } from '../seeded.ts';
import type { Chart } from './chart.ts';
import { type Journal, type JournalLine, SOURCE_TYPES } from './journal.ts';
import type { Numbering } from './numbering.ts';
import { manualLines, movement, type PostingContext, pick, reversed, taxedLines } from './posting.ts';
import { AWKWARD_TEXTS, PLAIN_REFERENCES } from './texts.ts';
import type { TrackingCategory } from './tracking.ts';

const DAY = 86_400_000;
/** One edit in every 29 journals: A at 9 of them, its reversal B at 20, the new figures C at 21. */
const EDIT_CYCLE = 29;
const EDIT_A = 9;
const EDIT_B = 20;
const EDIT_C = 21;

/** Concurrent posting: numbers taken before others, and visible after them. */
export interface LateJournals {
  readonly count: number;
  /** They are some of so many newest journals, but never the last. */
  readonly among: number;
  /** All the newest were entered within so many hours before the books' end. Default 2. */
  readonly hours?: number;
  /** They appear when so many pages of the series have been answered; without either, by `reveal` only. */
  readonly afterPages?: number;
  /** They appear so many milliseconds after the sandbox began. */
  readonly afterMs?: number;
}

export interface GeneratedOptions {
  readonly late?: LateJournals;
  readonly seed: number;
  readonly basis: 'accrual' | 'cash';
  /** The books' last CreatedDateUTC lies just before this: milliseconds since 1970. */
  readonly now: number;
  /** How many days the books cover. */
  readonly days: number;
  readonly chart: Chart;
  readonly tracking: readonly TrackingCategory[];
  readonly numbering: Numbering;
}

/** An invoice that the journals call for. */
export interface InvoiceSource {
  readonly id: string;
  readonly type: 'ACCREC' | 'ACCPAY';
  /** Where it was first posted, and where last: an edit posts twice more. */
  readonly position: number;
  readonly latest: number;
}

/** The generated part of a ledger: each journal a pure function of (seed, position). */
export interface Generated {
  at(position: number): Journal;
  /** Only the lines: what sums need, at a fraction of the cost of the whole. */
  linesAt(position: number): JournalLine[];
  createdAt(position: number): number;
  dateAt(position: number): number;
  /** Every invoice whose id some journal carries as its SourceID, oldest first. */
  invoiceSources(): InvoiceSource[];
}

const COMMON = [
  'ACCREC',
  'ACCREC',
  'ACCPAY',
  'ACCPAY',
  'ACCRECPAYMENT',
  'ACCPAYPAYMENT',
  'CASHREC',
  'CASHPAID',
  'MANJOURNAL',
  'TRANSFER',
];
// Nothing is owed on a cash basis, so nothing is posted when an invoice is approved.
const COMMON_CASH = [
  'ACCRECPAYMENT',
  'ACCRECPAYMENT',
  'ACCPAYPAYMENT',
  'CASHREC',
  'CASHPAID',
  'MANJOURNAL',
  'TRANSFER',
];

export function generatedJournals(options: GeneratedOptions): Generated {
  const { chart, numbering } = options;
  const seed = options.basis === 'cash' ? mix(options.seed, 0xca54) : options.seed;
  const count = numbering.count;
  const start = options.now - options.days * DAY;
  const step = count === 0 ? 0 : (options.days * DAY) / count;

  /** An edit at position p belongs to the original at `original`; everything else is its own original. */
  const phase = (position: number): number => position % EDIT_CYCLE;
  const original = (position: number): number =>
    phase(position) === EDIT_B
      ? position - (EDIT_B - EDIT_A)
      : phase(position) === EDIT_C
        ? position - (EDIT_C - EDIT_A)
        : position;

  function createdAt(position: number): number {
    // B and C of one edit are entered in the same instant.
    const p = phase(position) === EDIT_C ? position - 1 : position;
    const usual = Math.floor(start + p * step + (mix(seed, p, 0xc4ea) / 4_294_967_296) * step * 0.99);
    if (!options.late) return usual;
    const { among, hours = 2 } = options.late;
    const rush = options.now - hours * 3_600_000;
    const place = p - (count - among);
    return place < 0 ? Math.min(usual, rush - 1) : Math.floor(rush + ((place + 0.5) / among) * hours * 3_600_000);
  }

  function sourceTypeAt(position: number): string | undefined {
    // Conversion balances have neither SourceID nor SourceType (xero-api.md §1).
    if (position < 3 || mix(seed, position, 0x0c) % 97 === 0) return undefined;
    const turn = position % 200;
    if (turn >= 30 && turn < 30 + SOURCE_TYPES.length) return SOURCE_TYPES[turn - 30];
    const common = options.basis === 'cash' ? COMMON_CASH : COMMON;
    return common[mix(seed, position, 0x50) % common.length];
  }

  function amountsFor(position: number, random: () => number): () => Money {
    if (position % 1009 === 500) return () => 123_456_789_012_345_00n + BigInt(Math.floor(random() * 1e6)) * 100n;
    if (position % 211 === 7) return () => BigInt(1 + Math.floor(random() * 50_000_000));
    return () => BigInt(1 + Math.floor(random() ** 4 * 3_000_000)) * 100n;
  }

  function linesAt(position: number): JournalLine[] {
    if (phase(position) === EDIT_B) return reversed(linesAt(original(position)));
    const random = randomStream(mix(seed, position, 0x11e5));
    const amount = amountsFor(position, random);
    const context: PostingContext = { chart, tracking: options.tracking, random, age: position / count, amount };
    const bank = pick(chart.banks, random);
    const receivable = options.basis === 'cash' ? bank : chart.find('610');
    const payable = options.basis === 'cash' ? bank : chart.find('800');
    switch (sourceTypeAt(original(position))) {
      case 'ACCREC':
        return taxedLines(context, receivable, chart.income, -1);
      case 'ACCRECCREDIT':
        return taxedLines(context, receivable, chart.income, 1);
      case 'ACCPAY':
        return taxedLines(context, payable, chart.costs, 1);
      case 'ACCPAYCREDIT':
        return taxedLines(context, payable, chart.costs, -1);
      case 'EXPCLAIM':
        return taxedLines(context, chart.find('801'), chart.costs, 1);
      case 'CASHREC':
        return taxedLines(context, bank, chart.income, -1);
      case 'CASHPAID':
      case 'EXTERNALSPENDMONEY':
        return taxedLines(context, bank, chart.costs, 1);
      case 'ACCRECPAYMENT':
      case 'ARPREPAYMENT':
      case 'AROVERPAYMENT':
      case 'APCREDITPAYMENT':
        return options.basis === 'cash'
          ? taxedLines(context, bank, chart.income, -1)
          : movement(context, bank, receivable);
      case 'ACCPAYPAYMENT':
      case 'APPREPAYMENT':
      case 'APOVERPAYMENT':
      case 'ARCREDITPAYMENT':
        return options.basis === 'cash' ? taxedLines(context, bank, chart.costs, 1) : movement(context, payable, bank);
      case 'EXPPAYMENT':
        return movement(context, chart.find('801'), bank);
      case 'TRANSFER':
        return movement(context, chart.find('091'), chart.find('Everyday Account'));
      case 'PAYSLIP':
      case 'INTEGRATEDPAYROLLPE':
        return movement(context, chart.find('477'), chart.find('804'));
      case 'WAGEPAYABLE':
      case 'INTEGRATEDPAYROLLPTPAYMENT':
        return movement(context, chart.find('804'), bank);
      case 'INTEGRATEDPAYROLLPT':
      case 'INTEGRATEDPAYROLLCN':
        return movement(context, chart.find('477'), chart.find('825'));
      case undefined:
        return movement(context, pick(chart.all, random), chart.find('840'));
      default:
        return manualLines(context);
    }
  }

  function dateAt(position: number): number {
    const first = original(position);
    const h = mix(seed, first, 0xda7e);
    // One in twenty is posted back into a period long past: such journals stand at the end of the feed with an old date.
    const daysBack = h % 20 === 0 ? 1 + ((h >>> 8) % 240) : (h >>> 8) % 3;
    return Math.floor(createdAt(first) / DAY) * DAY - daysBack * DAY;
  }

  const sourceIdOf = (first: number): string => seededUuid(seed ^ 0x50ce, first + 1);

  function invoiceSources(): InvoiceSource[] {
    const sources: InvoiceSource[] = [];
    for (let position = 0; position < count; position++) {
      const type = sourceTypeAt(position);
      if (original(position) !== position || (type !== 'ACCREC' && type !== 'ACCPAY')) continue;
      const edited = position + (EDIT_C - EDIT_A);
      const latest = phase(position) === EDIT_A && edited < count ? edited : position;
      sources.push({ id: sourceIdOf(position), type, position, latest });
    }
    return sources;
  }

  function at(position: number): Journal {
    const first = original(position);
    const h = mix(seed, first, 0x4ef);
    const sourceType = sourceTypeAt(first);
    const random = randomStream(h);
    const reference =
      h % 10 < 4
        ? undefined
        : h % 10 === 4
          ? ''
          : h % 10 === 5
            ? pick(AWKWARD_TEXTS, random)
            : pick(PLAIN_REFERENCES, random);
    return {
      number: numbering.numberAt(position),
      date: dateAt(position),
      created: createdAt(position),
      lines: linesAt(position),
      ...(reference === undefined ? {} : { reference }),
      ...(sourceType === undefined ? {} : { sourceType, sourceId: sourceIdOf(first) }),
    };
  }

  return { at, linesAt, createdAt, dateAt, invoiceSources };
}
