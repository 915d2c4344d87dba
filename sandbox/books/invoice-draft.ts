import { type Money, money } from '../money.ts';
import { mix, seededUuid } from '../seeded.ts';
import { tagsOf } from './draft.ts';
import { cents, INVOICE_STATUSES, type Invoice, type InvoiceLine, type InvoiceStatus, totalsOf } from './invoice.ts';
import type { InvoiceOptions } from './made-invoices.ts';

const DAY = 86_400_000;

/** One line as a test or a person writes it. Amounts are decimal text, so that they stay what was written. */
interface InvoiceLineDraft {
  /** Account code, or name for an account without one. */
  account: string;
  /** Default 1. */
  quantity?: string;
  unit: string;
  tax?: string;
  description?: string;
  tracking?: [category: string, option: string][];
}

/** A new invoice, or what to change of one. Everything left out stays, or gets a sensible value. */
export interface InvoiceDraft {
  type?: 'ACCREC' | 'ACCPAY';
  status?: InvoiceStatus;
  number?: string;
  reference?: string;
  contactId?: string;
  /** `YYYY-MM-DD`. */
  date?: string;
  dueDate?: string;
  currency?: string;
  /** Up to ten decimals. */
  rate?: string;
  lines?: InvoiceLineDraft[];
  /** UpdatedDateUTC in milliseconds since 1970. Default: now. */
  updated?: number;
}

interface DraftContext extends InvoiceOptions {
  /** Counts the acts, so that no two make the same ids. */
  readonly act: number;
}

/** A product of two amounts of four decimals, rounded to cents. */
const times = (a: Money, b: Money): Money => cents((a * b) / 10_000n);

function linesOf(drafted: readonly InvoiceLineDraft[], from: DraftContext): InvoiceLine[] {
  return drafted.map((line, index) => {
    const account = from.chart.find(line.account);
    const [quantity, unit] = [money(line.quantity ?? '1'), money(line.unit)];
    return {
      id: seededUuid(from.seed ^ 0x11e5, from.act, index + 1),
      account,
      quantity,
      unit,
      amount: times(quantity, unit),
      tax: money(line.tax ?? '0'),
      taxType: account.taxType,
      tracking: tagsOf(from.tracking, line),
      ...(line.description === undefined ? {} : { description: line.description }),
    };
  });
}

const day = (text: string): number => {
  const ms = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(ms)) throw new Error(`"${text}" is not a date such as 2026-11-30.`);
  return ms;
};

/** The invoice with a draft's changes, changed now. */
export function changed(invoice: Invoice, draft: InvoiceDraft, from: DraftContext): Invoice {
  if (draft.status !== undefined && !INVOICE_STATUSES.includes(draft.status))
    throw new Error(`"${draft.status}" is not a status of an invoice: ${INVOICE_STATUSES.join(', ')}.`);
  if (draft.rate !== undefined && !/^\d{1,10}(\.\d{1,10})?$/.test(draft.rate))
    throw new Error(`"${draft.rate}" is not a currency rate of at most ten decimals.`);
  const contact = from.contacts.find((each) => each.id === draft.contactId) ?? invoice.contact;
  if (draft.contactId !== undefined && contact.id !== draft.contactId)
    throw new Error(`The sandbox has no contact ${draft.contactId}.`);
  const { number, reference, currency, rate, status, type } = draft;
  const idle = Object.keys(draft).every((name) => name === 'updated');
  const unit = `${1 + (mix(from.seed, from.act) % 9000)}.${String(mix(from.seed, from.act, 1) % 10_000).padStart(4, '0')}`;
  const drafted = draft.lines ?? (idle ? [{ account: '200', unit, description: `Edit ${from.act}` }] : undefined);
  const lines = drafted ? linesOf(drafted, from) : invoice.lines;
  const next: Invoice = {
    ...invoice,
    ...Object.fromEntries(
      Object.entries({ number, reference, currency, rate, status, type }).filter(([, value]) => value !== undefined),
    ),
    contact,
    lines,
    ...(draft.date === undefined ? {} : { date: day(draft.date) }),
    ...(draft.dueDate === undefined ? {} : { dueDate: day(draft.dueDate) }),
    ...(drafted ? { lineAmountTypes: lines.every((line) => line.tax === 0n) ? 'NoTax' : 'Exclusive' } : {}),
    updated: draft.updated ?? from.now,
  };
  return settled(next, invoice, from);
}

/** Keeps what was paid in agreement with what is owed: a paid invoice is paid whole, any other not more than whole. */
function settled(next: Invoice, before: Invoice, from: DraftContext): Invoice {
  const { due, total } = totalsOf(next);
  const whole = {
    kind: 'payment',
    id: seededUuid(from.seed ^ 0x9a7, from.act),
    date: next.date,
    amount: total,
  } as const;
  if (next.status === 'PAID') return due === 0n && before.status === 'PAID' ? next : { ...next, settlements: [whole] };
  return before.status === 'PAID' || due < 0n ? { ...next, settlements: [] } : next;
}

/** A new invoice: by default an authorised sale of 100.0000 in the organisation's currency, dated today. */
export function newInvoice(draft: InvoiceDraft, id: string, ordinal: number, from: DraftContext): Invoice {
  const [contact] = from.contacts;
  if (!contact) throw new Error('The sandbox has no contact to send an invoice to.');
  const today = Math.floor(from.now / DAY) * DAY;
  const type = draft.type ?? 'ACCREC';
  const begun: Invoice = {
    id,
    type,
    status: 'AUTHORISED',
    number: type === 'ACCREC' ? `INV-${String(ordinal).padStart(4, '0')}` : '',
    reference: '',
    contact,
    date: today,
    dueDate: today + 14 * DAY,
    lineAmountTypes: 'NoTax',
    currency: from.currency,
    rate: '1.000000',
    lines: [],
    settlements: [],
    sent: false,
    updated: from.now,
  };
  const lines = draft.lines ?? [{ account: '200', unit: '100.0000', description: 'Added while running' }];
  return changed(begun, { ...draft, lines }, from);
}
