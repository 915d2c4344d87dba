import type { Books } from '../books/books.ts';

/** One organisation of the sandbox. */
export interface Organisation {
  readonly tenantId: string;
  readonly name: string;
  readonly baseCurrency: string;
  readonly countryCode: string;
  readonly books: Books;
}
