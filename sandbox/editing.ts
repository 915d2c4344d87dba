import type { Organisation } from './api/organisation.ts';
import type { InvoiceBook } from './books/invoices.ts';
import type { Call } from './calls.ts';
import { randomStream } from './seeded.ts';

/** One thing that somebody does to an invoice while it is being read. What the invoice's status forbids is not done. */
function act(invoices: InvoiceBook, random: () => number): void {
  const entries = invoices.entries();
  const roll = random();
  const chosen = entries[Math.floor(random() * entries.length)];
  if (roll > 0.8 || !chosen) invoices.add();
  else if (roll > 0.65) invoices.touch([chosen.id]);
  else if (roll > 0.35) invoices.edit(chosen.id);
  else {
    const invoice = chosen.full();
    if (invoice.status === 'AUTHORISED' && invoice.settlements.length === 0) invoices.void(invoice.id);
    else if (invoice.status === 'DRAFT' || invoice.status === 'SUBMITTED') invoices.delete(invoice.id);
    else invoices.edit(invoice.id);
  }
}

export interface Editing {
  /** From now on so many random acts happen before every page of invoices; 0 ends it. Prints the seed. */
  set(perPage: number, seed: number): void;
  /** Tells of a call that is about to be answered. */
  hear(call: Call): void;
}

/** People who work on while an importer reads: acts before every page, so also between every pair of pages. */
export function editing(organisations: readonly Organisation[], print: (line: string) => void): Editing {
  let perPage = 0;
  let random = randomStream(1);
  return {
    set(count, seed) {
      if (!(Number.isInteger(count) && count >= 0)) throw new Error(`editsPerPage is ${count}; it must be 0 or more.`);
      perPage = count;
      random = randomStream(seed);
      if (count > 0) print(`sandbox: ${count} edits before every page of invoices, seed ${seed}`);
    },
    hear(call) {
      if (call.path !== '/api.xro/2.0/Invoices') return;
      const books = organisations.find((each) => each.tenantId === call.tenantId)?.books;
      for (let k = 0; books && k < perPage; k++) act(books.invoices, random);
    },
  };
}
