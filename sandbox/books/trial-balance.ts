import { type Money, money } from '../money.ts';
import type { Account, Chart } from './chart.ts';
import type { Ledger } from './ledger.ts';

/** When an organisation's financial year ends; a day that the month does not have is its last one. */
export interface YearEnd {
  readonly day: number;
  /** From 1. */
  readonly month: number;
}

/** As most organisations in New Zealand have it. */
export const MARCH_31: YearEnd = { day: 31, month: 3 };

const DAY = 86_400_000;

/** Midnight of the first day of the financial year that a date lies in. */
function yearStart(date: number, { day, month }: YearEnd): number {
  const endIn = (year: number): number => Math.min(Date.UTC(year, month - 1, day), Date.UTC(year, month, 0));
  const year = new Date(date).getUTCFullYear();
  return (endIn(year) < date ? endIn(year) : endIn(year - 1)) + DAY;
}

/** What Xero's report shows and no journal does (peers-and-pains.md P11). Amounts are decimal text, debits above zero. */
export interface ReportDifferences {
  /** A revaluation of foreign receivables made when the report is: on 610, and against it on 498. */
  unrealised?: string;
  /** Opening balances by account code, the difference on 840 (Historical Adjustment). */
  conversion?: Record<string, string>;
  /** The day whose end the opening balances are of, YYYY-MM-DD; without it, the day before the first journal. */
  conversionOn?: string;
}

export interface TrialBalanceRow {
  readonly account: Account;
  /**
   * What moved from the first of the date's month to the date, also where a financial year began within it: the columns' sums are equal
   * then. Above zero is a debit. Xero's description of the report does not say; this is the reading of xero-api.md §3.
   */
  readonly month: Money;
  /** Income and costs: since the financial year began. All others: of all time. */
  readonly ytd: Money;
}

function ofTheYear(account: Account): boolean {
  return account.class === 'REVENUE' || account.class === 'EXPENSE';
}

/** @param date midnight UTC in milliseconds since 1970; the day itself counts. */
export function trialBalance(
  ledger: Ledger,
  chart: Chart,
  date: number,
  yearEnd: YearEnd,
  differences: ReportDifferences = {},
): TrialBalanceRow[] {
  const on = new Date(date);
  const [year, month] = [on.getUTCFullYear(), on.getUTCMonth()];
  const monthStart = Date.UTC(year, month, 1);
  const thisYear = yearStart(date, yearEnd);
  const sums = new Map<Account, { month: Money; ytd: Money }>();
  const retained = chart.find('960');
  const add = (account: Account, ytd: Money, ofMonth: Money): void => {
    const sum = sums.get(account);
    if (!sum) sums.set(account, { month: ofMonth, ytd });
    else {
      sum.month += ofMonth;
      sum.ytd += ytd;
    }
  };
  let first = Number.POSITIVE_INFINITY;
  for (const entry of ledger.entries()) {
    first = Math.min(first, entry.date);
    if (entry.date > date) continue;
    for (const { account, net } of entry.lines) {
      add(account, 0n, entry.date >= monthStart ? net : 0n);
      // No journal closes a year: what it earned is retained earnings from the next one on, whenever a report is made.
      add(ofTheYear(account) && entry.date < thisYear ? retained : account, net, 0n);
    }
  }
  const unrealised = money(differences.unrealised ?? '0');
  // Before the first journal there is nothing to revalue.
  if (unrealised !== 0n && sums.size > 0) {
    add(chart.find('610'), unrealised, 0n);
    add(chart.find('498'), -unrealised, 0n);
  }
  for (const [code, text] of Object.entries(differences.conversion ?? {})) {
    const opened = differences.conversionOn === undefined ? first - DAY : Date.parse(differences.conversionOn);
    if (date < opened) continue;
    const account = chart.find(code);
    add(ofTheYear(account) && opened < thisYear ? retained : account, money(text), 0n);
    add(chart.find('840'), -money(text), 0n);
  }
  return [...sums].map(([account, sum]) => ({ account, ...sum })).filter((row) => row.month !== 0n || row.ytd !== 0n);
}
