import type { Invoice } from '../books/invoice.ts';
import type { InvoiceEntry } from '../books/made-invoices.ts';
import { type InvoiceStyle, writeInvoice } from '../books/written-invoice.ts';
import { notFound, notImplemented, validationFailed } from '../dialects.ts';
import type { Answer } from '../exchange.ts';
import { envelope } from '../wire.ts';
import { ifModifiedSince, isTrue } from './parameters.ts';
import type { ApiRequest } from './request.ts';

const MOST = 100_000;

/** What invoices can be ordered by. The optimised ones may touch more than 100,000 (xero-api.md §2). */
const ORDERS: Record<string, { key: (entry: InvoiceEntry) => string | number; optimised?: boolean }> = {
  UpdatedDateUTC: { key: (entry) => entry.updated, optimised: true },
  InvoiceID: { key: (entry) => entry.id, optimised: true },
  InvoiceId: { key: (entry) => entry.id, optimised: true },
  Date: { key: (entry) => entry.full().date, optimised: true },
  DueDate: { key: (entry) => entry.full().dueDate },
  InvoiceNumber: { key: (entry) => entry.full().number },
  Reference: { key: (entry) => entry.full().reference },
  Type: { key: (entry) => entry.full().type },
  Status: { key: (entry) => entry.status },
};

function answer(invoices: readonly Invoice[], style: InvoiceStyle, now: number, more = ''): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: envelope('Invoices', invoices.map((each) => writeInvoice(each, style)).join(','), now, more),
  };
}

function filtered({ exchange, organisation }: ApiRequest, since: number | undefined): InvoiceEntry[] {
  const { query } = exchange;
  const { invoices } = organisation.books;
  const { modifiedSince, listsDeleted } = invoices.options;
  // The header counts whole seconds: exclusive means from the next one on.
  const least = since === undefined ? undefined : modifiedSince === 'exclusive' ? since + 1000 : since;
  const list = (name: string): Set<string> | undefined => {
    const text = query.get(name);
    return text === null ? undefined : new Set(text.split(','));
  };
  const [statuses, numbers] = [list('Statuses'), list('InvoiceNumbers')];
  const [ids, contacts] = ['IDs', 'ContactIDs'].map(
    (name) => new Set(query.get(name)?.toLowerCase().split(',') ?? ['any']),
  );
  const term = query.get('searchTerm')?.toLowerCase();
  const meets = (wanted: Set<string> | undefined, id: string): boolean =>
    wanted?.has('any') === true || wanted?.has(id) === true;
  return invoices
    .entries()
    .filter((each) => (statuses ? statuses.has(each.status) : listsDeleted === true || each.status !== 'DELETED'))
    .filter((each) => least === undefined || each.updated >= least)
    .filter((each) => meets(ids, each.id))
    .filter((each) => meets(contacts, contacts?.has('any') ? 'any' : each.full().contact.id))
    .filter((each) => numbers === undefined || numbers.has(each.full().number))
    .filter((each) => {
      if (term === undefined) return true;
      const { number, reference } = each.full();
      return `${number}\n${reference}`.toLowerCase().includes(term);
    });
}

function ordered(found: InvoiceEntry[], order: string | null): InvoiceEntry[] | Answer {
  if (order === null) return found;
  const [field = '', direction] = order.split(' ');
  const by = Object.hasOwn(ORDERS, field) ? ORDERS[field] : undefined;
  if (!by) return validationFailed(`Invoices cannot be ordered by "${field}".`);
  if (by.optimised !== true && found.length > MOST)
    return validationFailed(`More than ${MOST} invoices cannot be ordered by "${field}".`);
  const sign = direction?.toUpperCase() === 'DESC' ? -1 : 1;
  // The id always decides between equals, ascending.
  return found.toSorted((a, b) => {
    const [left, right] = [by.key(a), by.key(b)];
    return left < right ? -sign : left > right ? sign : a.id < b.id ? -1 : 1;
  });
}

/** `GET /Invoices`: in full only when paged; `Statuses` and `summaryOnly` page whether `page` is given or not. */
export function getInvoices(request: ApiRequest): Answer {
  const { exchange, organisation, now, bent } = request;
  const { query } = exchange;
  const since = ifModifiedSince(exchange);
  if (typeof since === 'object') return since;
  if (query.has('where')) return notImplemented('The sandbox does not read "where".');
  const fourDecimals = query.get('unitdp') === '4';
  // No app can write to the sandbox, so none has created an invoice.
  const { invoicesIgnore: ignored = [] } = organisation.books.invoices.options;
  const heeded = ignored.includes('modifiedSince') ? undefined : since;
  const found = isTrue(query.get('createdByMyApp')) ? [] : filtered(request, heeded);
  const sorted = ordered(found, ignored.includes('order') ? 'InvoiceID' : query.get('order'));
  if (!Array.isArray(sorted)) return sorted;
  const summary = isTrue(query.get('summaryOnly'));
  if (!query.has('page') && !query.has('Statuses') && !summary) {
    if (sorted.length > MOST) return validationFailed(`More than ${MOST} invoices are returned only in pages.`);
    return answer(
      sorted.map((each) => each.full()),
      { fourDecimals, extent: 'unpaged' },
      now,
    );
  }
  const page = Number(query.get('page') ?? 1);
  // Out of range is clamped without a word, as Xero does.
  const {
    invoicesPerPage = 1000,
    pagination: says = true,
    refusesBehindLastPage,
  } = organisation.books.invoices.options;
  const pageSize = Math.min(Math.max(Number(query.get('pageSize') ?? 100), 1), invoicesPerPage);
  if (refusesBehindLastPage && page > Math.max(1, Math.ceil(sorted.length / pageSize))) return notFound();
  const rows = sorted.slice((page - 1) * pageSize, page * pageSize).slice(0, bent?.rows);
  const pagination = {
    page,
    pageSize,
    pageCount: says === true ? Math.ceil(sorted.length / pageSize) : 1,
    itemCount: says === 'ownRows' ? rows.length : sorted.length,
  };
  return answer(
    rows.map((each) => each.full()),
    { fourDecimals, extent: summary ? 'summary' : 'paged' },
    now,
    says !== false ? `"pagination":${JSON.stringify(pagination)},` : '',
  );
}

/** `GET /Invoices/{id or number}`: always in full, deleted ones too. */
export function getInvoice({ exchange, organisation, captured, now }: ApiRequest): Answer {
  const found = organisation.books.invoices.find(decodeURIComponent(captured));
  if (!found) return notFound();
  return answer([found], { fourDecimals: exchange.query.get('unitdp') === '4', extent: 'paged' }, now);
}
