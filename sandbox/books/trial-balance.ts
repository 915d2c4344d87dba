import { type Money, money } from '../money.ts';
import type { Account, Chart } from './chart.ts';
import type { Ledger } from './ledger.ts';

/** When every organisation's financial year ends: 31 March, as `GET /Organisation` says. */
export const FINANCIAL_YEAR_END = { day: 31, month: 3 } as const;

/** What Xero's report shows and no journal does (peers-and-pains.md P11). Amounts are decimal text, debits above zero. */
export interface ReportDifferences {
  /** A revaluation of foreign receivables made when the report is: on 610, and against it on 498. */
  unrealised?: string;
  /** Opening balances by account code, the difference on 840 (Historical Adjustment). */
  conversion?: Record<string, string>;
}

export interface TrialBalanceRow {
  readonly account: Account;
  /** The month's movement up to the date; above zero is a debit. */
  readonly month: Money;
  /** Income and costs: since the financial year began. All others: of all time. */
  readonly ytd: Money;
}

/** @param date midnight UTC in milliseconds since 1970; the day itself counts. */
export function trialBalance(
  ledger: Ledger,
  chart: Chart,
  date: number,
  differences: ReportDifferences = {},
): TrialBalanceRow[] {
  const on = new Date(date);
  const [year, month] = [on.getUTCFullYear(), on.getUTCMonth()];
  const monthStart = Date.UTC(year, month, 1);
  const yearStart = Date.UTC(month < FINANCIAL_YEAR_END.month ? year - 1 : year, FINANCIAL_YEAR_END.month, 1);
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
  for (const entry of ledger.entries()) {
    if (entry.date > date) continue;
    for (const { account, net } of entry.lines) {
      const earlier = (account.class === 'REVENUE' || account.class === 'EXPENSE') && entry.date < yearStart;
      // No journal closes a year: what it earned is retained earnings from the next one on, whenever a report is made.
      add(earlier ? retained : account, net, !earlier && entry.date >= monthStart ? net : 0n);
    }
  }
  const unrealised = money(differences.unrealised ?? '0');
  if (unrealised !== 0n) {
    add(chart.find('610'), unrealised, 0n);
    add(chart.find('498'), -unrealised, 0n);
  }
  for (const [code, text] of Object.entries(differences.conversion ?? {})) {
    add(chart.find(code), money(text), 0n);
    add(chart.find('840'), -money(text), 0n);
  }
  return [...sums].map(([account, sum]) => ({ account, ...sum })).filter((row) => row.month !== 0n || row.ytd !== 0n);
}
