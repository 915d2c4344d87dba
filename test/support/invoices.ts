import { parse } from 'lossless-json';
import { writeInvoice } from '../../sandbox/books/written-invoice.ts';
import type { Call } from '../../sandbox/calls.ts';
import type { Stand } from './stand.ts';

/** What the sandbox's books hold now: each invoice as its wire would have it, by id. */
export function booksOf({ organisation }: Stand): Map<string, string> {
  const style = { fourDecimals: true, extent: 'paged' } as const;
  return new Map(
    organisation.books.invoices.entries().map((each) => [each.id, canonical(writeInvoice(each.full(), style))]),
  );
}

/** What is stored: the payload of each invoice, by id. */
export async function storedInvoices({ database, organisation }: Stand): Promise<Map<string, string>> {
  const { rows } = await database.pool.query<{ id: string; payload: string }>(
    'select invoice_id as id, payload::text from xero.invoice where tenant_id = $1',
    [organisation.tenantId],
  );
  return new Map(rows.map(({ id, payload }) => [id, canonical(payload)]));
}

/** UpdatedDateUTC of each invoice that the books hold now, in milliseconds since 1970. */
export function updatesOf({ organisation }: Stand): Map<string, number> {
  return new Map(organisation.books.invoices.entries().map(({ id, updated }) => [id, updated]));
}

export async function storedUpdates({ database }: Stand): Promise<Map<string, number>> {
  const { rows } = await database.pool.query<{ id: string; updated: Date }>(
    'select invoice_id as id, updated_date_utc as updated from xero.invoice',
  );
  return new Map(rows.map(({ id, updated }) => [id, updated.getTime()]));
}

/** The calls for invoices that Xero has answered. */
export function invoiceCalls({ sandbox }: Stand): Call[] {
  return sandbox.calls.all().filter(({ path }) => path.endsWith('/Invoices'));
}

/** JSON with its keys in order and every digit as it was written: equal texts are equal invoices. */
function canonical(json: string): string {
  const inOrder = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inOrder);
    if (typeof value !== 'object' || value === null) return value;
    if ('isLosslessNumber' in value) return String(value);
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, inOrder(each)]),
    );
  };
  return JSON.stringify(inOrder(parse(json)));
}
