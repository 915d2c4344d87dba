import type { Money } from '../money.ts';
import type { Account } from './chart.ts';
import type { TrackingTag } from './tracking.ts';

/** Every value of the official enum (xero_accounting.yaml, Journal.SourceType). */
export const SOURCE_TYPES = [
  'ACCREC',
  'ACCPAY',
  'ACCRECCREDIT',
  'ACCPAYCREDIT',
  'ACCRECPAYMENT',
  'ACCPAYPAYMENT',
  'ARCREDITPAYMENT',
  'APCREDITPAYMENT',
  'CASHREC',
  'CASHPAID',
  'TRANSFER',
  'ARPREPAYMENT',
  'APPREPAYMENT',
  'AROVERPAYMENT',
  'APOVERPAYMENT',
  'EXPCLAIM',
  'EXPPAYMENT',
  'MANJOURNAL',
  'PAYSLIP',
  'WAGEPAYABLE',
  'INTEGRATEDPAYROLLPE',
  'INTEGRATEDPAYROLLPT',
  'EXTERNALSPENDMONEY',
  'INTEGRATEDPAYROLLPTPAYMENT',
  'INTEGRATEDPAYROLLCN',
] as const;

export interface JournalLine {
  /** Absent: made from the seed when the line is written. */
  readonly id?: string;
  readonly account: Account;
  /** The account's name when it was posted, which a later renaming does not change. */
  readonly accountName: string;
  readonly net: Money;
  readonly gross: Money;
  readonly tax: Money;
  readonly description?: string;
  readonly taxType?: string;
  readonly taxName?: string;
  readonly tracking: readonly TrackingTag[];
}

export interface Journal {
  readonly number: number;
  /** Absent: made from the seed when the journal is written. */
  readonly id?: string;
  /** The accounting date: milliseconds since 1970, midnight UTC. */
  readonly date: number;
  /** When it was entered: milliseconds since 1970. */
  readonly created: number;
  readonly reference?: string;
  readonly sourceId?: string;
  readonly sourceType?: string;
  readonly lines: readonly JournalLine[] | null;
  /** Fields to leave out of the answer, by their name on the wire (`Reference`, `JournalLines` …). */
  readonly omit?: readonly string[];
  /** Text to answer with instead of the written journal, for what no model can hold. */
  readonly json?: string;
}
