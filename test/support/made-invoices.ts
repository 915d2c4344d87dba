import type pg from 'pg';
import { expect } from 'vitest';
import { storeInvoicePage } from '../../storage/invoice-pages.ts';

/** Stores a page of these invoices, which the run of a tenant asked for just now, or as late as is said. */
export async function storeInvoices(
  pool: pg.Pool,
  runId: string,
  invoices: object[],
  { tenantId = runId, askedAt = new Date() } = {},
): Promise<void> {
  const place = { second: 0, page: 1, beyond: null, closing: 0 };
  const body = Buffer.from(JSON.stringify({ Invoices: invoices }));
  const page = { runId, tenantId, place, next: place, body, count: invoices.length, askedAt };
  expect(await storeInvoicePage(pool, page)).toBe(true);
}
