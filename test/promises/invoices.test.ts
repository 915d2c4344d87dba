import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../sandbox/calls.ts';
import { booksOf, invoiceCalls, storedInvoices, storedUpdates, updatesOf } from '../support/invoices.ts';
import { drawSeed, forgetImports } from '../support/observe.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

const unlimited = { minute: 100_000, day: 1_000_000 };
const caughtUp = { ok: true, result: { outcome: 'caughtUp' } };

/** A run that finds everything as it is, so that nothing changes; answers its calls. */
async function expectNothingMore(stand: Stand): Promise<Call[]> {
  stand.sandbox.calls.reset();
  expect(await stand.importInvoices()).toMatchObject({ ok: true, result: { totals: { stored: 0, quarantined: 0 } } });
  const calls = invoiceCalls(stand);
  expect(calls).not.toEqual([]);
  return calls;
}

describe.each([
  ['as Xero sends them', {}],
  ['where “since” is exclusive', { modifiedSince: 'exclusive' }],
  ['where no page says how many there are', { pagination: false }],
] as const)('Every invoice is stored while people edit, void and add, with pages of 100 %s', (_, dialect) => {
  let stand: Stand;
  const seed = drawSeed('books and edits');
  beforeAll(async () => {
    stand = await startStand({
      sandbox: {
        seed,
        limits: unlimited,
        organisations: [{ journals: 200, invoices: 950, invoicesPerPage: 100, ...dialect }],
      },
    });
  });
  afterAll(() => stand.close());

  test('what existed at the start is there, no older than then; a second run closes the rest; a third looks at the last minutes again only', async () => {
    const before = updatesOf(stand);
    stand.sandbox.setEdits(12, seed);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    stand.sandbox.setEdits(0);
    const stored = await storedUpdates(stand);
    for (const [id, updated] of before) expect(stored.get(id) ?? 0).toBeGreaterThanOrEqual(updated);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    // How many calls that takes depends on where seconds end: 2 or 3, more where all edits were made in one.
    for (const { at, ifModifiedSince } of await expectNothingMore(stand)) {
      expect(at - Date.parse(String(ifModifiedSince))).toBeLessThan(10 * 60_000);
    }
  });
});

describe.each([
  ['', {}],
  [', “since” exclusive', { modifiedSince: 'exclusive' }],
  [', no page saying how many there are', { pagination: false }],
] as const)('500 invoices in the same second, with pages of 100%s', (_, dialect) => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({
      sandbox: {
        seed: 9,
        limits: unlimited,
        organisations: [{ journals: 100, invoices: 850, invoicesInOneSecond: 500, invoicesPerPage: 100, ...dialect }],
      },
    });
  });
  afterAll(() => stand.close());

  test('neither loop nor lose any, in the middle or at the end, nor while some are edited away', async () => {
    stand.sandbox.setEdits(7);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    stand.sandbox.setEdits(0);
    stand.organisation.books.invoices.touch(500);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    expect(await stand.importInvoices({ full: true })).toMatchObject({ ok: true, result: { totals: { stored: 0 } } });
  });
});

describe.each(['onePage', 'ownRows'] as const)('Where each page says that it is the only one (%s)', (pagination) => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({
      sandbox: {
        seed: 9,
        limits: unlimited,
        organisations: [{ journals: 100, invoices: 850, invoicesInOneSecond: 350, invoicesPerPage: 100, pagination }],
      },
    });
  });
  afterAll(() => stand.close());

  test('one import has all of it, many of the same second too, before it says that it has caught up', async () => {
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    // The newest, all of one second: the next import begins in their midst.
    stand.organisation.books.invoices.touch(250);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
  });
});

describe('Where a page behind the last is refused', () => {
  let stand: Stand;
  const books = { invoices: 300, invoicesInOneSecond: 300, invoicesPerPage: 100, refusesBehindLastPage: true };
  beforeAll(async () => {
    // One page an activity: what asks behind the last page knows nothing of that.
    stand = await startStand({
      sandbox: { seed: 9, limits: unlimited, organisations: [{ journals: 100, ...books }] },
      sliceMs: 0,
    });
  });
  afterAll(() => stand.close());

  test('full pages up to the end, of a second, of a list and the only one, are read and the import has caught up', async () => {
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    stand.organisation.books.invoices.touch(100);
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
  });
});

describe('An import of invoices stores exactly what was asked for', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 900, seed: 4, limits: unlimited } });
  });
  afterAll(() => stand.close());

  test('all of it, of every status, in pages of 1,000, with one sweep', async () => {
    const { invoices } = stand.organisation.books;
    stand.sandbox.calls.reset();
    expect(await stand.importInvoices()).toMatchObject({ ok: true, result: { totals: { stored: invoices.count } } });
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    expect(new Set(invoices.entries().map(({ status }) => status))).toContain('DELETED');
    expect(invoiceCalls(stand)).toHaveLength(Math.ceil(invoices.count / 1_000) + 1);
    expect(await expectNothingMore(stand)).toHaveLength(1);
  });

  test('modified since is “on or after”, and leaves the watermark alone', async () => {
    const watermark = async () =>
      (await stand.database.pool.query("select watermark from daybook.stream_position where stream = 'invoices'")).rows;
    const [pivot] = stand.organisation.books.invoices.entries().slice(100);
    const before = await watermark();
    await stand.database.pool.query('truncate xero.invoice');
    const since = new Date(pivot?.updated ?? 0).toISOString();
    expect(await stand.importInvoices({ modifiedSince: since })).toMatchObject(caughtUp);
    const wanted = stand.organisation.books.invoices.entries().slice(100);
    expect([...(await storedInvoices(stand)).keys()].sort()).toEqual(wanted.map(({ id }) => id).sort());
    expect(await watermark()).toEqual(before);
  });

  test('amounts, prices and rates are exact, and an edited invoice’s lines and settlements are replaced as a set', async () => {
    await forgetImports(stand);
    const { invoices } = stand.organisation.books;
    const { id } = invoices.add({
      rate: '0.0000123457',
      date: '2026-07-01',
      dueDate: '1964-01-31',
      lines: [
        { account: '200', quantity: '1', unit: '9999999999999.1234' },
        { account: '200', unit: '0.0001' },
      ],
    });
    const row = async () =>
      (
        await stand.database.pool.query(
          `select i.date::text, i.due_date::text as due, i.currency_rate::text as rate, i.total = (i.payload->>'Total')::numeric as exact,
                  (select json_agg(l.unit_amount::text order by l.line_index) from xero.invoice_line_item l
                    where l.invoice_id = i.invoice_id) as units
             from xero.invoice i where i.invoice_id = $1`,
          [id],
        )
      ).rows;
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    const facts = { date: '2026-07-01', due: '1964-01-31', rate: '0.0000123457', exact: true };
    expect(await row()).toEqual([{ ...facts, units: ['9999999999999.1234', '0.0001'] }]);
    invoices.edit(id, { lines: [{ account: '200', unit: '12345678901.5' }] });
    expect(await stand.importInvoices()).toMatchObject(caughtUp);
    expect(await row()).toMatchObject([{ units: [expect.stringMatching(/^12345678901\.50*$/)] }]);
    const { rows } = await stand.database.pool.query(
      `select count(*)::int as lines, (select sum(jsonb_array_length(payload->'LineItems'))::int from xero.invoice) as sent,
              (select count(*)::int from xero.invoice_settlement) as settlements,
              (select sum(jsonb_array_length(coalesce(payload->'Payments', '[]')) + jsonb_array_length(coalesce(payload->'CreditNotes', '[]'))
                        + jsonb_array_length(coalesce(payload->'Prepayments', '[]')) + jsonb_array_length(coalesce(payload->'Overpayments', '[]')))::int
                 from xero.invoice) as settled
         from xero.invoice_line_item`,
    );
    expect(rows[0].lines).toBe(rows[0].sent);
    expect(rows[0].settlements).toBe(rows[0].settled);
    expect(rows[0].settled).toBeGreaterThan(0);
  });

  test('an older copy never overwrites a newer one; at the same instant a full run replaces what differs', async () => {
    const { pool } = stand.database;
    const { rows } = await pool.query(
      `update xero.invoice set updated_date_utc = updated_date_utc + interval '1 day', status = 'NEWER'
        where invoice_id = (select min(invoice_id::text)::uuid from xero.invoice) returning invoice_id as id`,
    );
    await pool.query(
      `update xero.invoice set payload = payload || '{"DueDate": null}', status = 'SAME'
        where invoice_id = (select max(invoice_id::text)::uuid from xero.invoice)`,
    );
    expect(await stand.importInvoices({ full: true })).toMatchObject({ ok: true, result: { totals: { stored: 1 } } });
    const left = await pool.query(
      "select invoice_id as id, status from xero.invoice where status in ('NEWER', 'SAME')",
    );
    expect(left.rows).toEqual([{ id: rows[0].id, status: 'NEWER' }]);
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ startingAtJournalId: 1 }, /"startingAtJournalId" is not a field.*modifiedSince, full/],
    [{ modifiedSince: '2026-02-30' }, /modifiedSince .*real date/],
    [{ basis: 'cash', full: 'yes' }, /full must be true or false[\s\S]*"basis" is not a field/],
  ])('a wrong request is refused with every problem named: %j', async (wrong, said) => {
    await expect(stand.importInvoices(wrong)).rejects.toThrow(said);
  });

  test('started by anybody in Temporal, a wrong request fails at once and fetches nothing', async () => {
    stand.sandbox.calls.reset();
    const workflowId = uniqueName('wrong');
    await stand.temporal.client.workflow.start('importInvoices', {
      taskQueue: stand.taskQueue,
      workflowId,
      args: [{ connection: stand.connection, application: 'x', endingAtJournalId: 3 }],
    });
    const ending = await stand.imports.ending(workflowId);
    expect(ending).toMatchObject({ ok: false, failure: 'InvalidRequest' });
    expect(ending).toMatchObject({
      message: expect.stringMatching(/"endingAtJournalId" is not a field[\s\S]*"x" may not use/),
    });
    expect(stand.sandbox.calls.all()).toEqual([]);
  });
});
