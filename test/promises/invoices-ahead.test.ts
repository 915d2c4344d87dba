import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { booksOf, invoiceCalls, storedInvoices } from '../support/invoices.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  const organisations = [{ journals: 100, invoices: 450, invoicesPerPage: 100 }];
  stand = await startStand({ sandbox: { seed: 31, organisations, limits: { minute: 10_000 } } });
});
beforeEach(async () => {
  await forgetInvoices();
  stand.sandbox.calls.reset();
});
afterAll(() => stand.close());

const forgetInvoices = () =>
  stand.database.pool.query('truncate xero.invoice, xero.invoice_line_item, daybook.stream_position');

/** Starts an import whose first page waits to be stored, and does `meanwhile` once the page behind it was asked for. */
async function heldUp(meanwhile: () => Promise<unknown>) {
  const holder = await stand.database.pool.connect();
  await holder.query('begin');
  await holder.query('lock table xero.invoice in exclusive mode');
  const { workflowId } = await stand.imports.startInvoices({ connection: stand.connection, application });
  await vi.waitFor(() => expect(invoiceCalls(stand).length).toBe(2), { timeout: 20_000 });
  await meanwhile();
  await holder.query('commit');
  holder.release();
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect(await storedInvoices(stand)).toEqual(booksOf(stand));
  return invoiceCalls(stand).length;
}

/** How many calls an import makes that nothing holds up. */
async function usualCalls(): Promise<number> {
  stand.sandbox.calls.reset();
  await forgetInvoices();
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
  return invoiceCalls(stand).length;
}

test('a page of invoices is stored while the next is on its way, and no call is made twice for it', async () => {
  expect(await heldUp(async () => {})).toBe(await usualCalls());
});

test('what was asked for before a page was stored at the second try is asked for again', async () => {
  const cut = () =>
    stand.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
  expect(await heldUp(cut)).toBe((await usualCalls()) + 1);
});
