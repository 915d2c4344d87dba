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
