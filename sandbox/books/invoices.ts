import { mix, seededUuid } from '../seeded.ts';
import type { Generated } from './generated.ts';
import { type Invoice, totalsOf } from './invoice.ts';
import { changed, type InvoiceDraft, newInvoice } from './invoice-draft.ts';
import { type InvoiceEntry, type InvoiceOptions, madeInvoices } from './made-invoices.ts';

/** The invoices of one organisation: those of the seed, and whatever people did to them since. */
export interface InvoiceBook {
  readonly count: number;
  readonly options: InvoiceOptions & {
    listsDeleted?: boolean;
    modifiedSince?: 'inclusive' | 'exclusive';
    invoicesPerPage?: number;
    pagination?: boolean | 'onePage' | 'ownRows';
    refusesBehindLastPage?: boolean;
    invoicesIgnore?: readonly ('order' | 'modifiedSince')[];
  };
  /** In Xero's default order: UpdatedDateUTC, then InvoiceID, both ascending. */
  entries(): readonly InvoiceEntry[];
  /** By id, or by number for a sales invoice. */
  find(key: string): Invoice | undefined;
  /**
   * Changes an invoice as a user would: UpdatedDateUTC becomes now, and lines that are given get new LineItemIDs. An empty
   * draft replaces the lines by one of another amount. Throws a sentence for what Xero refuses.
   */
  edit(id: string, draft?: InvoiceDraft): Invoice;
  /** AUTHORISED → VOIDED. Throws for any other, and for one with payments, as Xero refuses. */
  void(id: string): Invoice;
  /** DRAFT or SUBMITTED → DELETED. Throws for any other. */
  delete(id: string): Invoice;
  add(draft?: InvoiceDraft): Invoice;
  /** Changes nothing but UpdatedDateUTC, of `count` invoices (the oldest changes first) or of the named ones: all in one second. */
  touch(which: number | readonly string[]): Invoice[];
}

/** @param clock the time that edits are made at: milliseconds since 1970. */
export function invoiceBook(options: InvoiceBook['options'], generated: Generated, clock: () => number): InvoiceBook {
  let made: InvoiceEntry[] | undefined;
  let byId = new Map<string, InvoiceEntry>();
  let sorted = false;
  let acts = 0;

  // Made when first asked for: a million journals name 400,000 invoices, and most programs read only the journals.
  function entries(): InvoiceEntry[] {
    if (!made) {
      made = madeInvoices(options, generated);
      byId = new Map(made.map((each) => [each.id, each]));
    }
    if (!sorted) made.sort((a, b) => a.updated - b.updated || (a.id < b.id ? -1 : 1));
    sorted = true;
    return made;
  }

  function find(key: string): Invoice | undefined {
    const all = entries();
    const named = byId.get(key.toLowerCase()) ?? all.find((each) => /^INV-/.test(key) && each.full().number === key);
    return named?.full();
  }

  /** Now, but never before the newest change: the list's order is that of the changes. */
  const now = (): number => Math.max(clock(), entries().at(-1)?.updated ?? 0);

  function save(invoice: Invoice): Invoice {
    const all = entries();
    const entry = { id: invoice.id, status: invoice.status, updated: invoice.updated, full: () => invoice };
    const known = byId.get(invoice.id);
    if (known) all[all.indexOf(known)] = entry;
    else all.push(entry);
    byId.set(invoice.id, entry);
    sorted = false;
    return invoice;
  }

  function known(id: string): Invoice {
    const found = find(id);
    if (!found) throw new Error(`The sandbox has no invoice ${id}.`);
    return found;
  }

  function end(id: string, from: readonly string[], to: 'VOIDED' | 'DELETED'): Invoice {
    const invoice = known(id);
    if (!from.includes(invoice.status) || totalsOf(invoice).paid !== 0n || totalsOf(invoice).credited !== 0n)
      throw new Error(`Invoice ${id} is ${invoice.status}; only ${from.join(' or ')} without payments can be ${to}.`);
    return save({ ...invoice, status: to, updated: now() });
  }

  const from = () => ({ ...options, act: ++acts, now: now(), seed: mix(options.seed, 0xed17) });

  return {
    get count() {
      return entries().length;
    },
    options,
    entries,
    find,
    edit: (id, draft = {}) => save(changed(known(id), draft, from())),
    void: (id) => end(id, ['AUTHORISED'], 'VOIDED'),
    delete: (id) => end(id, ['DRAFT', 'SUBMITTED'], 'DELETED'),
    add(draft = {}) {
      const context = from();
      return save(newInvoice(draft, seededUuid(context.seed, context.act), entries().length + 1, context));
    },
    touch(which) {
      const ids =
        typeof which === 'number'
          ? entries()
              .slice(0, which)
              .map((each) => each.id)
          : which;
      // A whole second that nobody else is in, so that "all in one second" is true whenever it is asked.
      const second = Math.ceil((now() + 1) / 1000) * 1000;
      return ids.map((id, index) => save({ ...known(id), updated: second + ((index * 7) % 1000) }));
    },
  };
}
