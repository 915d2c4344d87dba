import { isToldLast, type Pagination, pagesTold } from '../model/pagination.ts';
import { largestJournalId } from '../model/request.ts';
import { NotJson } from './json-bytes.ts';
import { type SkimmedPage, skimPage } from './skim.ts';

/** What a page of journals holds, without its amounts: those stay in the text, which Postgres parses exactly. */
export interface JournalPage {
  kind: 'page';
  /** Journals in the page. Only 0 is the end of the feed: Xero documents that a short page need not be the last. */
  count: number;
  /** The journal numbers in it, ascending, each once; without those that are none, as they are too large. */
  numbers: number[];
  /** Some journal came with a number that there cannot be. */
  hasImpossible: boolean;
  /** Smallest and greatest of `numbers`; null when there is none. */
  firstNumber: number | null;
  lastNumber: number | null;
}

export interface NotAPage {
  kind: 'notAPage';
  problem: string;
}

/**
 * Reads the facts of a page of journals. The greatest number is taken, not the last one's, as tap-xero does: the order is
 * documented, but a cursor must not depend on it. A page with journals of which none has a number cannot move the cursor
 * and would be read for ever, so it is not a page.
 */
export function readJournalPage(body: Buffer): JournalPage | NotAPage {
  const page = readPage(body, 'Journals', 'JournalNumber');
  if ('problem' in page) return page;
  const numbers = [...new Set(page.rows.filter(isJournalNumber))].sort((one, other) => one - other);
  const hasImpossible = page.rows.some((value) => typeof value === 'number' && value > largestJournalId);
  const count = page.rows.length;
  const [firstNumber = null] = numbers;
  if (count > 0 && firstNumber === null && !hasImpossible)
    return { kind: 'notAPage', problem: 'no journal has a JournalNumber' };
  return { kind: 'page', count, numbers, hasImpossible, firstNumber, lastNumber: numbers.at(-1) ?? null };
}

function isJournalNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) <= largestJournalId;
}

/** What a page of invoices holds, without its amounts. */
export interface InvoicePage {
  count: number;
  /** The seconds since 1970 of the least and the greatest UpdatedDateUTC; null when none can be read. */
  firstSecond: number | null;
  lastSecond: number | null;
  /** Each has one that can be read, and none lies a second or more before the one ahead of it. */
  ascending: boolean;
  /** Pages there are, by Xero's `pagination`, one more behind a full page; null when it sends none that can be true. */
  pageCount: number | null;
  /** By its `pagination` it is the last, full or not. */
  isToldLast: boolean;
}

/** Reads the facts of a page of invoices. */
export function readInvoicePage(body: Buffer): InvoicePage | NotAPage {
  const page = readPage(body, 'Invoices', 'UpdatedDateUTC');
  if ('problem' in page) return page;
  let firstSecond: number | null = null;
  let lastSecond: number | null = null;
  let ascending = true;
  for (const updated of page.rows) {
    const second = secondOf(updated);
    ascending &&= second !== null && (lastSecond === null || second >= lastSecond);
    if (second === null) continue;
    if (firstSecond === null || second < firstSecond) firstSecond = second;
    if (lastSecond === null || second > lastSecond) lastSecond = second;
  }
  const count = page.rows.length;
  const pagination: Pagination = page.pagination ?? {};
  const pageCount = pagesTold(count, pagination);
  return { count, firstSecond, lastSecond, ascending, pageCount, isToldLast: isToldLast(pagination) };
}

/**
 * The second of an instant as Xero writes it, "/Date(1539993600000+0000)/" (the offset changes nothing), or ISO: what `daybook.xero_instant`
 * reads of it in Postgres.
 */
function secondOf(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const mark = /^\/Date\((-?\d{1,15})([+-]\d{4})?\)\/$/.exec(value);
  return mark ? Math.floor(Number(mark[1]) / 1_000) : isoSecond(value);
}

const iso =
  /^(\d{4}-\d\d-\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

function isoSecond(value: string): number | null {
  const [, day = '', hour = 0, minute = 0, second = 0, sign, offsetHour = 0, offsetMinute = 0] = iso.exec(value) ?? [];
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // JavaScript takes the thirtieth of February for the first of March, and knows a year 0.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day) || day < '0001') return null;
  if (Number(offsetHour) > 15 || Number(offsetMinute) > 59) return null;
  const minutesAhead = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -1 : 1);
  // Postgres keeps microseconds.
  const seconds = Math.floor(Math.round(Number(second) * 1e6) / 1e6);
  return midnight / 1_000 + (Number(hour) * 60 + Number(minute) - minutesAhead) * 60 + seconds;
}

/** The number of rows in the array `name` of an answer, or the reason why it is no such answer. */
export function countRows(body: Buffer, name: string): { count: number } | NotAPage {
  const page = readPage(body, name);
  return 'problem' in page ? page : { count: page.rows.length };
}

/** Rows of an answer, and whether this is the last page by its `pagination`; null where that says nothing that can be true, as not every endpoint always has it. */
export function readContactPage(body: Buffer): { count: number; isLast: boolean | null } | NotAPage {
  const contacts = readPage(body, 'Contacts');
  if ('problem' in contacts) return contacts;
  const count = contacts.rows.length;
  const pagination: Pagination = contacts.pagination ?? {};
  const pageCount = pagesTold(count, pagination);
  return { count, isLast: pageCount === null ? null : Number(pagination.page) >= pageCount };
}

/** Whether two answers bring the very same rows: so does one that does not know of page numbers, for each of them. */
export function bringTheSame(name: 'Contacts' | 'Invoices', one: Buffer, other: Buffer): boolean {
  // What is before them (`Id`, `DateTimeUTC`) is of the answer.
  const rows = (body: Buffer) => body.subarray(Math.max(0, body.indexOf(`"${name}"`)));
  return rows(one).equals(rows(other));
}

function readPage(body: Buffer, name: string, key?: string): SkimmedPage | NotAPage {
  try {
    const page = skimPage(body, name, key);
    if (page === null) return { kind: 'notAPage', problem: `it has no array ${name}` };
    // An empty list would be taken for the end.
    if (/^error$/i.test(String(page.status))) return { kind: 'notAPage', problem: `its Status is "${page.status}"` };
    return page;
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const isEmpty = body.toString().trim() === '';
    return { kind: 'notAPage', problem: isEmpty ? 'it is empty' : `its ${body.length} bytes are not complete JSON` };
  }
}
