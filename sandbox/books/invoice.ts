import type { Money } from '../money.ts';
import type { Account } from './chart.ts';
import type { Contact } from './contacts.ts';
import type { TrackingTag } from './tracking.ts';

export const INVOICE_STATUSES = ['DRAFT', 'SUBMITTED', 'AUTHORISED', 'PAID', 'VOIDED', 'DELETED'] as const;
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];

/** One line, in the invoice's currency. A line without an account is a remark: it has no amount. */
export interface InvoiceLine {
  readonly id: string;
  readonly description?: string;
  readonly account?: Account;
  readonly quantity: Money;
  /** Four decimals at most; without `unitdp=4` Xero rounds it to two. */
  readonly unit: Money;
  readonly amount: Money;
  readonly tax: Money;
  readonly taxType?: string;
  readonly tracking: readonly TrackingTag[];
}

/** What settles an invoice, wholly or in part. */
export interface Settlement {
  readonly kind: 'payment' | 'creditNote' | 'prepayment' | 'overpayment';
  readonly id: string;
  /** Milliseconds since 1970, midnight UTC. */
  readonly date: number;
  readonly amount: Money;
}

export interface Invoice {
  readonly id: string;
  readonly type: 'ACCREC' | 'ACCPAY';
  readonly status: InvoiceStatus;
  readonly number: string;
  readonly reference: string;
  readonly contact: Contact;
  /** Dates: milliseconds since 1970, midnight UTC. */
  readonly date: number;
  readonly dueDate: number;
  readonly lineAmountTypes: 'Exclusive' | 'Inclusive' | 'NoTax';
  readonly currency: string;
  /** Units of the invoice's currency for one of the organisation's: decimal text, up to ten decimals. */
  readonly rate: string;
  readonly lines: readonly InvoiceLine[];
  readonly settlements: readonly Settlement[];
  readonly sent: boolean;
  /** UpdatedDateUTC: milliseconds since 1970. */
  readonly updated: number;
}

export interface InvoiceTotals {
  readonly subTotal: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly paid: Money;
  readonly credited: Money;
  readonly due: Money;
}

export function totalsOf(
  invoice: Pick<Invoice, 'lines' | 'lineAmountTypes' | 'settlements' | 'status'>,
): InvoiceTotals {
  const sum = (amounts: readonly Money[]): Money => amounts.reduce((total, each) => total + each, 0n);
  const amounts = sum(invoice.lines.map((line) => line.amount));
  const tax = sum(invoice.lines.map((line) => line.tax));
  const subTotal = invoice.lineAmountTypes === 'Inclusive' ? amounts - tax : amounts;
  const total = subTotal + tax;
  const settled = (payments: boolean): Money =>
    sum(invoice.settlements.filter(({ kind }) => (kind === 'payment') === payments).map((each) => each.amount));
  const [paid, credited] = [settled(true), settled(false)];
  const over = invoice.status === 'VOIDED' || invoice.status === 'DELETED';
  return { subTotal, tax, total, paid, credited, due: over ? 0n : total - paid - credited };
}

/** Rounds half away from zero to whole cents. */
export function cents(value: Money): Money {
  const rounded = (((value < 0n ? -value : value) + 50n) / 100n) * 100n;
  return value < 0n ? -rounded : rounded;
}
