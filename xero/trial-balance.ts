import { parse } from 'lossless-json';
import type { NotAPage } from './pages.ts';

/** A row of Xero's trial balance. Amounts are decimal text, as exact as Xero wrote them; empty cells are "0". */
interface TrialBalanceRow {
  /** Null where the row names no account. */
  accountId: string | null;
  /** As the report shows it: the name, with the code in parentheses where there is one. */
  title: string;
  /** Of the financial year to date for income and costs, of all time for all else. */
  debit: string;
  credit: string;
}

export interface TrialBalance {
  rows: TrialBalanceRow[];
  count: number;
}

interface Cell {
  Value?: unknown;
  Attributes?: { Id?: unknown; Value?: unknown }[] | null;
}
interface Row {
  RowType?: unknown;
  Cells?: Cell[] | null;
  Rows?: Row[] | null;
}

/**
 * Reads the report: sections may lie in sections, and columns go by their headings, as the report
 * shows the month's movement in two and the balance in two others.
 * Source: https://developer.xero.com/documentation/api/accounting/reports#trialbalance
 */
export function readTrialBalance(body: Buffer): TrialBalance | NotAPage {
  let report: { Reports?: { Rows?: Row[] | null }[] | null };
  try {
    report = parse(body.toString()) as typeof report;
  } catch {
    return problem(`its ${body.length} bytes are not complete JSON`);
  }
  const rows = report?.Reports?.[0]?.Rows;
  if (!Array.isArray(rows)) return problem('it has no report with Rows');
  const all = flattened(rows);
  const headings = all.find((row) => row.RowType === 'Header')?.Cells?.map(({ Value }) => String(Value ?? '')) ?? [];
  const [debit, credit] = [headings.indexOf('YTD Debit'), headings.indexOf('YTD Credit')];
  if (debit < 0 || credit < 0) return problem('its report has no columns “YTD Debit” and “YTD Credit”');

  const read: TrialBalanceRow[] = [];
  for (const { RowType, Cells } of all) {
    if (RowType !== 'Row' || !Array.isArray(Cells)) continue;
    const title = String(Cells[0]?.Value ?? '');
    const amounts = [readAmount(Cells[debit]?.Value), readAmount(Cells[credit]?.Value)];
    const [debited, credited] = amounts;
    if (debited == null || credited == null) return problem(`the row “${title}” has an amount that is none`);
    read.push({ accountId: accountOf(Cells), title, debit: debited, credit: credited });
  }
  return { rows: read, count: read.length };
}

/**
 * An amount of a report as exact decimal text, or null when it is none. Reports are made to be looked at: an empty cell is
 * zero, thousands may be grouped, and a negative amount may stand in parentheses.
 */
export function readAmount(value: unknown): string | null {
  // A number, should Xero ever send one, was kept as its text.
  const written = String(value ?? '').trim();
  if (written === '') return '0';
  const parts = /^(\()?([-−])?(\d+|\d{1,3}(?:[,’'\s]\d{3})+)(\.\d+)?(\))?$/u.exec(written);
  if (!parts) return null;
  const [, open, minus, whole = '', fraction = '', close] = parts;
  if ((open === undefined) !== (close === undefined) || (open && minus)) return null;
  return `${open || minus ? '-' : ''}${whole.replaceAll(/\D/g, '')}${fraction}`;
}

function flattened(rows: Row[]): Row[] {
  const real = rows.filter((row) => typeof row === 'object' && row !== null);
  return real.flatMap((row) => [row, ...(Array.isArray(row.Rows) ? flattened(row.Rows) : [])]);
}

function accountOf(cells: Cell[]): string | null {
  for (const { Attributes } of cells) {
    const named = Attributes?.find(({ Id }) => String(Id).toLowerCase() === 'account');
    if (named && uuid.test(String(named.Value))) return String(named.Value);
  }
  return null;
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

function problem(text: string): NotAPage {
  return { kind: 'notAPage', problem: text };
}
