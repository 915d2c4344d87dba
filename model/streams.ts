import type { Basis } from './request.ts';

/**
 * The streams as a table: what each endpoint of Xero can do decides how it is read.
 * Source: https://developer.xero.com/documentation/api/accounting/journals
 */
export const streams = {
  journals: { basis: 'accrual', paymentsOnly: false },
  cashJournals: { basis: 'cash', paymentsOnly: true },
} as const satisfies Record<string, { basis: Basis; paymentsOnly: boolean }>;

export type Stream = keyof typeof streams;

export function journalStream(basis: Basis | undefined): Stream {
  return basis === 'cash' ? 'cashJournals' : 'journals';
}

/** Journals in one answer of Xero: fixed, "the maximum number of journals returned will be 100". */
export const journalsPerPage = 100;
