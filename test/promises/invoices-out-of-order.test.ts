import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { booksOf, invoiceCalls, storedInvoices, storedUpdates, updatesOf } from '../support/invoices.ts';
import { drawSeed } from '../support/observe.ts';
import { type Stand, startStand } from '../support/stand.ts';

const caughtUp = { ok: true, result: { outcome: 'caughtUp' } };

describe.each([[['order']], [['modifiedSince']], [['order', 'modifiedSince']]] as const)(
  'Where Xero does not heed %j, with pages of 100',
  (invoicesIgnore) => {
    let stand: Stand;
    const seed = drawSeed('books and edits');
    beforeAll(async () => {
      stand = await startStand({
        // One page an activity: each begins with what Postgres knows of the one before.
        sliceMs: 0,
        sandbox: {
          seed,
          limits: { minute: 100_000, day: 1_000_000 },
          organisations: [
            { journals: 100, invoices: 950, invoicesInOneSecond: 250, invoicesPerPage: 100, invoicesIgnore },
          ],
        },
      });
    });
    afterAll(() => stand.close());

    test('an import ends with every invoice, as it was at the start or newer; the next has what was edited meanwhile', async () => {
      const before = updatesOf(stand);
      const edited = new Set<string>();
      const stop = stand.sandbox.onCall(() => {
        for (const { id } of stand.organisation.books.invoices.touch(3)) edited.add(id);
      });
      expect(await stand.importInvoices()).toMatchObject(caughtUp);
      stop();
      const stored = await storedUpdates(stand);
      for (const [id, updated] of before) if (!edited.has(id)) expect([id, stored.get(id)]).toEqual([id, updated]);
      expect(await stand.importInvoices()).toMatchObject(caughtUp);
      expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    }, 120_000);

    test('an ordinary import asks for as many pages as it must, a full one for all of them, and both end', async () => {
      stand.sandbox.calls.reset();
      expect(await stand.importInvoices()).toMatchObject({ ok: true, result: { totals: { stored: 0 } } });
      expect(invoiceCalls(stand).length).toBeLessThan(25);
      stand.sandbox.calls.reset();
      expect(await stand.importInvoices({ full: true })).toMatchObject({ ok: true, result: { totals: { stored: 0 } } });
      expect(invoiceCalls(stand).length).toBeLessThan(35);
      expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    }, 120_000);
  },
);
