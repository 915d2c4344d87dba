import type { Basis, ImportKind } from './request.ts';

/**
 * The streams as a table: what each endpoint of Xero can do decides how it is read. `rows` is what one row of it is called,
 * `name` tells it from the others.
 * Source: https://developer.xero.com/documentation/api/accounting/journals and …/invoices
 */
export const streams = {
  journals: { kind: 'journals', rows: 'journals', name: 'journals' },
  cashJournals: { kind: 'journals', rows: 'journals', name: 'cash-basis journals' },
  invoices: { kind: 'invoices', rows: 'invoices', name: 'invoices' },
} as const satisfies Record<string, { kind: ImportKind; rows: string; name: string }>;

export type Stream = keyof typeof streams;

/** The stream that an import reads. */
export function streamOf(kind: ImportKind, request: { basis?: Basis | undefined }): Stream {
  if (kind === 'invoices') return 'invoices';
  return request.basis === 'cash' ? 'cashJournals' : 'journals';
}

/** Cash journals (`paymentsOnly=true`) are a series of their own. */
export function basisOf(stream: Stream): Basis {
  return stream === 'cashJournals' ? 'cash' : 'accrual';
}

/** Journals in one answer of Xero: fixed, "the maximum number of journals returned will be 100". */
export const journalsPerPage = 100;

/** Invoices asked for in one call, the most that Xero gives; a server may give fewer. */
export const invoicesPerPage = 1_000;
