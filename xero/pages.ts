/** What a page of journals holds, without its amounts: those stay in the text, which Postgres parses exactly. */
export interface JournalPage {
  kind: 'page';
  /** Journals in the page. Only 0 is the end of the feed: Xero documents that a short page need not be the last. */
  count: number;
  /** Smallest and greatest JournalNumber; null when the page is empty. The next offset is `lastNumber`. */
  firstNumber: number | null;
  lastNumber: number | null;
}

export interface NotAPage {
  kind: 'notAPage';
  problem: string;
}

/**
 * Reads the facts of a page of journals from the response text. The greatest number is taken, not the last one's, as
 * tap-xero does: the order is documented, but a cursor must not depend on it. A page with journals of which none has a
 * number cannot move the cursor and would be read for ever, so it is not a page.
 */
export function readJournalPage(text: string): JournalPage | NotAPage {
  const journals = readArray(text, 'Journals');
  if (!Array.isArray(journals)) return journals;
  let firstNumber: number | null = null;
  let lastNumber: number | null = null;
  for (const journal of journals) {
    const number = (journal as { JournalNumber?: unknown } | null)?.JournalNumber;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) continue;
    if (firstNumber === null || number < firstNumber) firstNumber = number;
    if (lastNumber === null || number > lastNumber) lastNumber = number;
  }
  if (journals.length > 0 && lastNumber === null)
    return { kind: 'notAPage', problem: 'no journal has a JournalNumber' };
  return { kind: 'page', count: journals.length, firstNumber, lastNumber };
}

/** What a page of invoices holds, without its amounts. */
export interface InvoicePage {
  count: number;
  /** The second since 1970 of the greatest UpdatedDateUTC; null when none can be read. */
  lastSecond: number | null;
  /** Pages there are, by Xero's `pagination`; null when it sends none. */
  pageCount: number | null;
}

/** Reads the facts of a page of invoices from the response text. */
export function readInvoicePage(text: string): InvoicePage | NotAPage {
  const invoices = readArray(text, 'Invoices');
  if (!Array.isArray(invoices)) return invoices;
  let lastSecond: number | null = null;
  for (const invoice of invoices) {
    const second = secondOf((invoice as { UpdatedDateUTC?: unknown } | null)?.UpdatedDateUTC);
    if (second !== null && (lastSecond === null || second > lastSecond)) lastSecond = second;
  }
  const { pagination } = JSON.parse(text) as { pagination?: { pageCount?: unknown } | null };
  const pageCount = typeof pagination?.pageCount === 'number' ? pagination.pageCount : null;
  return { count: invoices.length, lastSecond, pageCount };
}

/** The second of an instant as Xero writes it, "/Date(1539993600000+0000)/" (the offset changes nothing) or ISO in UTC. */
function secondOf(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const mark = /^\/Date\((-?\d{1,15})([+-]\d{4})?\)\/$/.exec(value);
  const iso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?$/.test(value)
    ? Date.parse(`${value.replace(/Z$/, '')}Z`)
    : Number.NaN;
  const second = Math.floor((mark ? Number(mark[1]) : iso) / 1_000);
  return Number.isNaN(second) ? null : second;
}

/** The number of rows in the array `name` of a response text, or the reason why it is not such a response. */
export function countRows(text: string, name: string): number | NotAPage {
  const rows = readArray(text, name);
  return Array.isArray(rows) ? rows.length : rows;
}

/** Whether `pagination` says that this is the last page; null where there is none: not every endpoint always has it. */
export function readIsLastPage(text: string): boolean | null {
  const { pagination } = JSON.parse(text) as { pagination?: { page?: unknown; pageCount?: unknown } | null };
  const { page, pageCount } = pagination ?? {};
  return typeof page === 'number' && typeof pageCount === 'number' ? page >= pageCount : null;
}

function readArray(text: string, name: string): unknown[] | NotAPage {
  if (text.trim() === '') return { kind: 'notAPage', problem: 'it is empty' };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'notAPage', problem: `its ${text.length} characters are not complete JSON` };
  }
  const rows = (body as Record<string, unknown> | null)?.[name];
  return Array.isArray(rows) ? rows : { kind: 'notAPage', problem: `it has no array ${name}` };
}
