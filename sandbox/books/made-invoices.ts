import type { Money } from '../money.ts';
import { mix, randomStream, seededUuid } from '../seeded.ts';
import type { Chart } from './chart.ts';
import type { Contact } from './contacts.ts';
import type { Generated, InvoiceSource } from './generated.ts';
import { cents, type Invoice, type InvoiceLine, type InvoiceStatus, type Settlement, totalsOf } from './invoice.ts';
import { pick } from './posting.ts';
import { AWKWARD_TEXTS, PLAIN_DESCRIPTIONS, PLAIN_REFERENCES } from './texts.ts';
import type { TrackingCategory } from './tracking.ts';

const DAY = 86_400_000;
const FOREIGN = ['USD', 'EUR', 'JPY', 'CHF'];

export interface InvoiceOptions {
  readonly seed: number;
  readonly now: number;
  readonly days: number;
  readonly currency: string;
  readonly chart: Chart;
  readonly tracking: readonly TrackingCategory[];
  readonly contacts: readonly Contact[];
  /** How many. Default: one for each source of the journals, and one unposted for every eight of those. */
  readonly invoices?: number;
  /** So many, in the middle of the list, were all last changed in one same second. */
  readonly invoicesInOneSecond?: number;
}

/** What the list of invoices is filtered and sorted by; the whole is made only when it is answered. */
export interface InvoiceEntry {
  readonly id: string;
  readonly status: InvoiceStatus;
  readonly updated: number;
  full(): Invoice;
}

/** Rounds a foreign amount: `rate` has ten decimals. */
const convert = (amount: Money, rate: bigint): Money => cents((amount * rate) / 10_000_000_000n);

/** Quantity times unit price is the line's amount, to the cent; thirds and sevenths need the four decimals. */
function priced(amount: Money, random: () => number): { quantity: Money; unit: Money } {
  const count = pick([1n, 1n, 2n, 3n, 7n, 12n], random);
  const unit = (amount + count / 2n) / count;
  return cents(unit * count) === amount ? { quantity: count * 10_000n, unit } : { quantity: 10_000n, unit: amount };
}

/** The invoices that the seed and the ledger call for, each a pure function of its source. */
export function madeInvoices(options: InvoiceOptions, generated: Generated): InvoiceEntry[] {
  const { seed, now, days, chart, tracking, contacts } = options;
  const sources = generated.invoiceSources();
  const wanted = options.invoices ?? sources.length + Math.floor(sources.length / 8);
  const posted = sources.slice(Math.max(0, sources.length - wanted));
  const unposted = wanted - posted.length;

  function lines(source: InvoiceSource | undefined, index: number, rate: bigint, inclusive: boolean): InvoiceLine[] {
    const random = randomStream(mix(seed, index, 0x11fe));
    const id = (k: number): string => seededUuid(seed ^ 0x1fe, index + 1, k + 1);
    const made: InvoiceLine[] = [];
    const add = (line: Omit<InvoiceLine, 'id' | 'quantity' | 'unit'>): void => {
      made.push({ ...line, id: id(made.length), ...priced(line.amount, random) });
    };
    if (source) {
      for (const line of generated.linesAt(source.latest)) {
        // The control account's and the tax's own lines have no tax type: what is left is what was sold or bought.
        if (line.taxType === undefined) continue;
        const size = (value: Money): Money => convert(value < 0n ? -value : value, rate);
        const tax = size(line.tax);
        const { account, taxType, tracking: tags } = line;
        const text = line.description === undefined ? {} : { description: line.description };
        add({ account, taxType, tracking: tags, ...text, tax, amount: size(line.net) + (inclusive ? tax : 0n) });
      }
    } else {
      const count = 1 + Math.floor(random() * 3);
      for (let k = 0; k < count; k++) {
        const account = pick(chart.income, random);
        const whole = index % 1009 === 500 ? 123_456_789_012_345n : BigInt(1 + Math.floor(random() ** 4 * 3_000_000));
        const amount = whole * 100n;
        const tax = account.taxType === 'NONE' ? 0n : cents((amount * 15n) / 100n);
        const region = tracking[0];
        const tags = region && random() < 0.3 ? [{ category: region, option: pick(region.options, random) }] : [];
        const description = pick(random() < 0.2 ? AWKWARD_TEXTS : PLAIN_DESCRIPTIONS, random);
        const shown = amount + (inclusive ? tax : 0n);
        add({ account, taxType: account.taxType, tracking: tags, description, tax, amount: shown });
      }
    }
    const remark = { id: id(made.length), description: 'Thank you', quantity: 0n, unit: 0n, amount: 0n, tax: 0n };
    return index % 23 === 5 ? [...made, { ...remark, tracking: [] }] : made;
  }

  function settlements(status: InvoiceStatus, h: number, total: Money, date: number): Settlement[] {
    const part = cents(total / 2n);
    const one = (kind: Settlement['kind'], amount: Money, k: number): Settlement => ({
      kind,
      amount,
      id: seededUuid(seed ^ 0x9a7, h, k),
      date: date + k * 5 * DAY,
    });
    if (status === 'AUTHORISED') return h % 6 === 0 ? [one('payment', part, 1)] : [];
    if (status !== 'PAID') return [];
    const second = (['payment', 'creditNote', 'prepayment', 'overpayment'] as const)[(h >>> 4) % 4] ?? 'payment';
    return h % 3 === 0 ? [one('payment', total - part, 1), one(second, part, 2)] : [one('payment', total, 1)];
  }

  function statusOf(source: InvoiceSource | undefined, h: number): InvoiceStatus {
    if (source) return h % 5 < 3 ? 'PAID' : 'AUTHORISED';
    // What was never approved has no journals; approved ones without are made only when there is no ledger to speak of.
    const turn = h % (unposted > sources.length ? 10 : 5);
    if (turn > 6) return 'PAID';
    return (['DRAFT', 'SUBMITTED', 'DELETED', 'VOIDED', 'DRAFT', 'AUTHORISED', 'AUTHORISED'] as const)[turn] ?? 'PAID';
  }

  function entry(source: InvoiceSource | undefined, index: number): InvoiceEntry {
    const h = mix(seed, index, 0x1f0);
    const status = statusOf(source, h);
    const entered = source ? generated.createdAt(source.latest) : now - days * DAY * (1 - (index % 997) / 997);
    const updated = Math.floor(Math.min(now - 1 - (h % 60_000), entered + (status === 'PAID' ? h % (20 * DAY) : 0)));
    const id = source?.id ?? seededUuid(seed ^ 0x1f1, index + 1);
    return { id, status, updated, full: () => full({ source, index, h, status, entered, id, updated }) };
  }

  interface Begun {
    source: InvoiceSource | undefined;
    index: number;
    h: number;
    status: InvoiceStatus;
    entered: number;
    id: string;
    updated: number;
  }
  function full({ source, index, h, status, entered, id, updated }: Begun): Invoice {
    const random = randomStream(h);
    const type = source?.type ?? 'ACCREC';
    const foreign = h % 7 === 0;
    const rate = foreign ? 500_000_000n + BigInt(Math.floor(random() * 1.9e10)) : 10_000_000_000n;
    const inclusive = (h >>> 3) % 5 === 0;
    const made = lines(source, index, rate, inclusive);
    const lineAmountTypes = made.every((line) => line.tax === 0n) ? 'NoTax' : inclusive ? 'Inclusive' : 'Exclusive';
    const { total } = totalsOf({ lines: made, lineAmountTypes, settlements: [], status });
    const day = Math.floor(entered / DAY) * DAY;
    // Voided invoices with the date zero were seen (tap-xero 1.0.3).
    const date = status === 'VOIDED' && h % 4 === 0 ? 0 : source ? generated.dateAt(source.position) : day;
    const reference = pick(random() < 0.15 ? AWKWARD_TEXTS : ['', ...PLAIN_REFERENCES], random);
    const digits = rate.toString().padStart(11, '0');
    return {
      id,
      type,
      status,
      // Only sales numbers are unique; bills carry whatever the supplier wrote, if anything.
      number: type === 'ACCREC' ? `INV-${String(index + 1).padStart(4, '0')}` : pick(['', 'R-17', '2026/0099'], random),
      reference,
      contact: pick(contacts, random),
      date,
      dueDate: date + (7 + (h % 30)) * DAY,
      lineAmountTypes,
      currency: foreign ? (FOREIGN.filter((each) => each !== options.currency)[h % 3] ?? 'USD') : options.currency,
      rate: foreign ? `${digits.slice(0, -10)}.${digits.slice(-10)}` : '1.000000',
      lines: made,
      settlements: settlements(status, h, total, date),
      sent: h % 2 === 0,
      updated,
    };
  }

  const entries = posted.map((source, index) => entry(source, index));
  for (let k = 0; k < unposted; k++) entries.push(entry(undefined, posted.length + k));
  return sameSecond(entries, Math.min(options.invoicesInOneSecond ?? 0, entries.length));
}

/** Moves `count` entries from the middle of the order of changes into one second. */
function sameSecond(entries: InvoiceEntry[], count: number): InvoiceEntry[] {
  if (count === 0) return entries;
  const sorted = entries.toSorted((a, b) => a.updated - b.updated);
  const from = Math.floor((sorted.length - count) / 2);
  const second = Math.floor((sorted[from]?.updated ?? 0) / 1000) * 1000;
  return sorted.map((each, index) => {
    if (index < from || index >= from + count) return each;
    const updated = second + ((index * 7) % 1000);
    return { ...each, updated, full: () => ({ ...each.full(), updated }) };
  });
}
