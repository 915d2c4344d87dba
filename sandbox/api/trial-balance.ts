import { type TrialBalanceRow, trialBalance } from '../books/trial-balance.ts';
import type { Answer } from '../exchange.ts';
import { type Money, moneyText } from '../money.ts';
import { isTrue } from './parameters.ts';
import type { ApiRequest } from './request.ts';
import { answerItems, dateMark } from './settings.ts';

const DAY = 86_400_000;
const SECTIONS = [
  ['Revenue', 'REVENUE', 'credit'],
  ['Expenses', 'EXPENSE', 'debit'],
  ['Assets', 'ASSET', 'debit'],
  ['Liabilities', 'LIABILITY', 'credit'],
  ['Equity', 'EQUITY', 'credit'],
] as const;
const HEADINGS = ['Account', 'Debit', 'Credit', 'YTD Debit', 'YTD Credit'];

/** Debit and credit as the report writes them: one is empty; a zero stands on the side where such accounts grow. */
function columns(net: Money, side: 'debit' | 'credit'): [string, string] {
  const debit = net === 0n ? side === 'debit' : net > 0n;
  const text = moneyText(net < 0n ? -net : net);
  return debit ? [text, ''] : ['', text];
}

function row({ account, month, ytd }: TrialBalanceRow, side: 'debit' | 'credit'): object {
  const name = account.code === undefined ? account.name : `${account.name} (${account.code})`;
  const Attributes = [{ Value: account.id, Id: 'account' }];
  const texts = [name, ...columns(month, side), ...columns(ytd, side)];
  return { RowType: 'Row', Cells: texts.map((Value) => ({ Value, Attributes })) };
}

function total(rows: readonly TrialBalanceRow[]): object {
  const sum = (of: 'month' | 'ytd', sign: bigint): string =>
    moneyText(rows.reduce((all, each) => (each[of] * sign > 0n ? all + each[of] * sign : all), 0n));
  const texts = ['Total', sum('month', 1n), sum('month', -1n), sum('ytd', 1n), sum('ytd', -1n)];
  return { RowType: 'SummaryRow', Cells: texts.map((Value) => ({ Value })) };
}

/** `GET /Reports/TrialBalance`: summed from the journals that are visible now; without a date, as of today. */
export function getTrialBalance({ exchange, organisation, now }: ApiRequest): Answer {
  const { books, name } = organisation;
  const text = exchange.query.get('date');
  const date = text === null ? Math.floor(now / DAY) * DAY : Date.parse(`${text}T00:00:00Z`);
  const ledger = isTrue(exchange.query.get('paymentsOnly')) ? books.cash : books;
  // The report calls accounts what they are called today.
  const today = new Map(books.reference.accounts().map(({ account }) => [account.id, account]));
  const rows = trialBalance(ledger, books.chart, date, books.yearEnd, books.reportDifferences).map((each) => ({
    ...each,
    account: today.get(each.account.id) ?? each.account,
  }));
  const sections = SECTIONS.flatMap(([Title, cls, side]) => {
    const own = rows.filter(({ account }) => account.class === cls);
    own.sort((a, b) => (a.account.name < b.account.name ? -1 : 1));
    return own.length === 0 ? [] : [{ RowType: 'Section', Title, Rows: own.map((each) => row(each, side)) }];
  });
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(date);
  const report = {
    ReportID: 'TrialBalance',
    ReportName: 'Trial Balance',
    ReportType: 'TrialBalance',
    ReportTitles: ['Trial Balance', name, `As at ${day}`],
    ReportDate: day,
    UpdatedDateUTC: dateMark(now),
    Fields: [],
    Rows: [
      { RowType: 'Header', Cells: HEADINGS.map((Value) => ({ Value })) },
      ...sections,
      { RowType: 'Section', Title: '', Rows: [total(rows)] },
    ],
  };
  return answerItems('Reports', [report], now);
}
