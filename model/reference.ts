/**
 * What is read beside journals and invoices so that they can be understood, in the order of reading. Organisation and
 * tracking categories are a call each and always whole; accounts and contacts are asked for what changed.
 */
export type ReferenceEndpoint = 'organisation' | 'accounts' | 'trackingCategories' | 'contacts';

/** Contacts in one answer: Xero's most. Source: https://developer.xero.com/documentation/api/accounting/contacts */
export const contactsPerPage = 1_000;

/** Which page of contacts to ask for. */
export interface ContactsPlace {
  modifiedSince?: string | undefined;
  page: number;
}

/** A reading of contacts that is under way: all before its place is stored. Instants are ISO. */
export interface ContactsReading extends ContactsPlace {
  /** It began with the first contact, so that all are read when it ends, and not only what has changed. */
  whole: boolean;
  /** The order of their UpdatedDateUTC was kept so far. */
  ordered: boolean;
  /** Newest UpdatedDateUTC so far; null while there is none. */
  seen: string | null;
  /** What was dated later had not settled when it began, see {@link settledThrough}. */
  settled: string;
}

/**
 * Where contacts are read on behind a page. A contact edited between two pages moves to the end, and page numbers would
 * then skip another one; so the next page is the first one of those modified since the newest seen, less a second, as Xero
 * counts whole ones. Only where that would not advance, or the order was not kept, the next number is asked for.
 */
export function nextContacts(at: ContactsPlace, newest: string | null, ascending: boolean): ContactsPlace {
  const since = newest === null ? undefined : secondBefore(newest);
  const advances = since !== undefined && (at.modifiedSince === undefined || since > at.modifiedSince);
  return ascending && advances ? { modifiedSince: since, page: 1 } : { ...at, page: at.page + 1 };
}

/** The whole second before an ISO instant: nobody documents whether If-Modified-Since is inclusive. */
export function secondBefore(instant: string): string {
  return new Date(Math.floor(Date.parse(instant) / 1_000) * 1_000 - 1_000).toISOString();
}

/**
 * Up to where all is stored behind a reading that saw rows through `newest`: no further than what had settled when it began, or a
 * row dated ahead of the clock, or shown by Xero some minutes late, would make every later one pass over something. ISO instants.
 */
export function settledThrough(newest: string | null, settled: string): string | null {
  return newest !== null && newest > settled ? settled : newest;
}
