import { describe, expect, it } from 'vitest';
import { INVOICE_STATUSES } from '../../sandbox/books/invoice.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { caller, type Get, sandboxFor } from './xero-client.ts';

const ALL = INVOICE_STATUSES.join(',');
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
type Item = any;

const msOf = (date: string): number => Number(/\((-?\d+)/.exec(date)?.[1]);

async function pages(get: Get, query: string, headers = {}): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = 1; ; page++) {
    const { json } = await get(`Invoices?${query}&page=${page}`, headers);
    if (json.Invoices.length === 0) return items;
    items.push(...json.Invoices);
  }
}

const booksOf = (sandbox: Sandbox) => {
  const books = sandbox.organisations[0]?.books;
  if (!books) throw new Error('No organisation.');
  return books;
};

describe('invoices', () => {
  it('page from 1, oldest change first, ids deciding, pageSize clamped without a word', async () => {
    const get = caller(await sandboxFor({ invoices: 1200 }));
    const { json } = await get(`Invoices?page=1&Statuses=${ALL}`);
    expect(json.pagination).toEqual({ page: 1, pageSize: 100, pageCount: 12, itemCount: 1200 });
    const large = await get(`Invoices?page=1&pageSize=5000&Statuses=${ALL}`);
    expect(large.json.pagination).toMatchObject({ pageSize: 1000, pageCount: 2 });
    expect((await get('Invoices?page=1&pageSize=0')).json.pagination.pageSize).toBe(1);
    const items = await pages(get, `pageSize=300&Statuses=${ALL}`);
    expect(new Set(items.map((each) => each.InvoiceID)).size).toBe(1200);
    const keys = items.map((each) => `${msOf(each.UpdatedDateUTC)} ${each.InvoiceID}`);
    expect(keys).toEqual(keys.toSorted());
  });

  it('deleted ones come only when Statuses asks, unless the organisation is told otherwise', async () => {
    const get = caller(await sandboxFor({ invoices: 400 }));
    const statuses = async (read: Get, query: string) => new Set((await pages(read, query)).map((each) => each.Status));
    expect(await statuses(get, 'pageSize=1000')).toEqual(
      new Set(INVOICE_STATUSES.filter((each) => each !== 'DELETED')),
    );
    expect(await statuses(get, 'Statuses=DELETED,VOIDED')).toEqual(new Set(['DELETED', 'VOIDED']));
    const open = caller(await sandboxFor({ organisations: [{ invoices: 400, listsDeleted: true }] }));
    expect(await statuses(open, 'pageSize=1000')).toEqual(new Set(INVOICE_STATUSES));
  });

  it('lines only when paged; summaryOnly leaves out lines and payments; unit prices of two decimals unless unitdp=4', async () => {
    const get = caller(await sandboxFor({ invoices: 300 }));
    const some = (items: Item[]) => items.some((each) => each.LineItems?.length > 0);
    expect(some((await get('Invoices')).json.Invoices)).toBe(false);
    expect((await get('Invoices')).json.pagination).toBeUndefined();
    expect(some((await get('Invoices?page=1')).json.Invoices)).toBe(true);
    const [summary] = (await get('Invoices?summaryOnly=true')).json.Invoices;
    expect(Object.keys(summary)).not.toEqual(expect.arrayContaining(['LineItems']));
    expect(summary.Payments).toBeUndefined();
    const units = (text: string) => [...text.matchAll(/"UnitAmount":(-?\d+\.\d+)/g)].map((each) => each[1]);
    expect(units((await get('Invoices?page=1')).text).every((each) => /\.\d\d$/.test(each ?? ''))).toBe(true);
    expect(units((await get('Invoices?page=1&unitdp=4')).text).some((each) => /\.\d{4}$/.test(each ?? ''))).toBe(true);
  });

  it.each([
    ['inclusive', 0],
    ['exclusive', 1000],
  ] as const)('If-Modified-Since counts whole seconds, %s', async (modifiedSince, later) => {
    const get = caller(await sandboxFor({ organisations: [{ invoices: 300, modifiedSince }] }));
    const all = await pages(get, 'pageSize=1000');
    const second = Math.floor(msOf(all[150].UpdatedDateUTC) / 1000) * 1000;
    const since = { 'If-Modified-Since': new Date(second + 999).toISOString() };
    const expected = all.filter((each) => msOf(each.UpdatedDateUTC) >= second + later);
    expect((await pages(get, 'pageSize=1000', since)).map((each) => each.InvoiceID)).toEqual(
      expected.map((each) => each.InvoiceID),
    );
    const none = await get('Invoices?page=1', { 'If-Modified-Since': '2026-11-23T00:00:00' });
    expect([none.status, none.json.Invoices]).toEqual([200, []]);
  });

  it('add up: lines to totals, settlements to what is due, quantity times price to the line', async () => {
    const get = caller(await sandboxFor({ invoices: 600 }));
    const cents = (value: number) => Math.round(value * 100);
    const kinds = new Set<string>();
    for (const each of await pages(get, `pageSize=1000&unitdp=4&Statuses=${ALL}`)) {
      if (each.Total > 1e9) continue;
      const sum = (items: Item[], name: string) => items.reduce((total, item) => total + cents(item[name] ?? 0), 0);
      expect(cents(each.Total)).toBe(cents(each.SubTotal) + cents(each.TotalTax));
      expect(sum(each.LineItems, 'TaxAmount')).toBe(cents(each.TotalTax));
      const shown = each.LineAmountTypes === 'Inclusive' ? each.Total : each.SubTotal;
      expect(sum(each.LineItems, 'LineAmount')).toBe(cents(shown));
      const credited = ['CreditNotes', 'Prepayments', 'Overpayments'].flatMap((name) => each[name]);
      expect([sum(each.Payments, 'Amount'), sum(credited, 'AppliedAmount')]).toEqual([
        cents(each.AmountPaid),
        cents(each.AmountCredited),
      ]);
      if (each.Status === 'PAID') expect(each.AmountDue).toBe(0);
      for (const line of each.LineItems)
        expect(Math.abs((line.Quantity ?? 0) * (line.UnitAmount ?? 0) - line.LineAmount)).toBeLessThan(0.0051);
      for (const name of ['Payments', 'CreditNotes', 'Prepayments', 'Overpayments'])
        if (each[name].length > 0) kinds.add(name);
      kinds.add(each.Type).add(each.CurrencyCode);
    }
    expect([...kinds]).toEqual(
      expect.arrayContaining(['Payments', 'CreditNotes', 'Prepayments', 'Overpayments', 'ACCREC', 'ACCPAY', 'USD']),
    );
  });

  it('hold rates of ten decimals, totals of fifteen digits, dates as numbers and as text', async () => {
    const { text, json } = await caller(await sandboxFor({ journals: 0, invoices: 1000 }))(
      `Invoices?page=1&pageSize=1000&Statuses=${ALL}`,
    );
    expect(text).toMatch(/"CurrencyRate":\d+\.\d{10}[,}]/);
    expect(text).toMatch(/"Total":\d{13}\.\d\d,/);
    expect(text).not.toContain('NaN');
    for (const each of json.Invoices) expect(`${each.DateString}.000Z`).toBe(new Date(msOf(each.Date)).toISOString());
  });

  it('every journal of a sale or bill names one that exists, and of its type', async () => {
    const sandbox = await sandboxFor({ journals: 1000 });
    const all = new Map((await pages(caller(sandbox), 'pageSize=1000')).map((each) => [each.InvoiceID, each]));
    let posted = 0;
    for (const journal of booksOf(sandbox).journals()) {
      if (journal.sourceType !== 'ACCREC' && journal.sourceType !== 'ACCPAY') continue;
      posted++;
      expect(all.get(journal.sourceId)?.Type).toBe(journal.sourceType);
    }
    expect(posted).toBeGreaterThan(300);
  });

  it('refuse what is wrong, and whoever lacks the scope', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    for (const query of [
      'page=0',
      'Statuses=ARCHIVED',
      'unitdp=3',
      'order=Colour',
      'page_size=5',
      'IDs=1',
      'pageSize=x',
    ])
      expect([query, (await get(`Invoices?${query}`)).status]).toEqual([query, 400]);
    expect((await get('Invoices?where=Status=="DRAFT"')).status).toBe(501);
    expect((await get('Invoices/nothing')).status).toBe(404);
    const others = ['accounting.journals.read', 'accounting.settings.read'];
    const token = sandbox.tokens.mint({ scopes: others }).access_token;
    expect((await caller(sandbox, 0, token)('Invoices?page=1')).json.Detail).toBe('AuthorizationUnsuccessful');
  });

  it('as many in one second as wished, in the middle of the list', async () => {
    const get = caller(await sandboxFor({ organisations: [{ invoices: 900, invoicesInOneSecond: 500 }] }));
    const seconds = (await pages(get, `pageSize=1000&Statuses=${ALL}`)).map((each) => msOf(each.UpdatedDateUTC) / 1000);
    const counts = new Map<number, number>();
    for (const second of seconds.map(Math.floor)) counts.set(second, (counts.get(second) ?? 0) + 1);
    expect(Math.max(...counts.values())).toBeGreaterThanOrEqual(500);
  });
});

describe('invoices change as people work', () => {
  it('an edit moves to the end with new lines; voids, deletes, additions and touches show', async () => {
    const sandbox = await sandboxFor({ invoices: 300 });
    const { invoices } = booksOf(sandbox);
    const get = caller(sandbox);
    const [first] = await pages(get, 'pageSize=1000');
    invoices.edit(first.InvoiceID, {
      lines: [{ account: '200', quantity: '3', unit: '1.2345' }],
      rate: '0.6543210987',
    });
    const after = await get('Invoices?page=1&pageSize=1000&unitdp=4');
    const last = after.json.Invoices.at(-1);
    expect([last.InvoiceID, last.Total]).toEqual([first.InvoiceID, 3.7]);
    expect(last.LineItems[0].LineItemID).not.toBe(first.LineItems[0].LineItemID);
    expect(after.text).toContain('"CurrencyRate":0.6543210987');

    const unpaid = (status: string) =>
      after.json.Invoices.find((each: Item) => each.Status === status && each.AmountPaid === 0).InvoiceID;
    expect(invoices.void(unpaid('AUTHORISED')).status).toBe('VOIDED');
    expect(() => invoices.void(unpaid('DRAFT'))).toThrow('is DRAFT; only AUTHORISED without payments can be VOIDED');
    const gone = unpaid('DRAFT');
    invoices.delete(gone);
    expect((await get(`Invoices?IDs=${gone}&page=1`)).json.Invoices).toEqual([]);
    expect((await get(`Invoices?IDs=${gone}&Statuses=DELETED`)).json.Invoices).toHaveLength(1);
    const { id } = invoices.add({ reference: 'new' });
    expect((await get(`Invoices/${id}`)).json.Invoices[0]).toMatchObject({ Reference: 'new', Total: 100 });
    const seconds = new Set(invoices.touch(250).map((each) => Math.floor(each.updated / 1000)));
    expect([seconds.size, invoices.count]).toEqual([1, 301]);
  });
});
