import { describe, expect, it } from 'vitest';
import { moneyText } from '../../sandbox/money.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { caller, readAll, sandboxFor } from './xero-client.ts';

const booksOf = (sandbox: Sandbox) => {
  const books = sandbox.organisations[0]?.books;
  if (!books) throw new Error('No organisation.');
  return books;
};

async function control(sandbox: Sandbox, path: string, body: object): Promise<Response> {
  return fetch(`${sandbox.url}/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
}

describe('people go on working', () => {
  it('before every page of invoices, by a seed that is printed', async () => {
    const printed: string[] = [];
    const options = { invoices: 300, editsPerPage: 4, seed: 9, print: (line: string) => printed.push(line) };
    const read = async () => {
      const sandbox = await sandboxFor(options);
      const get = caller(sandbox);
      const before = booksOf(sandbox)
        .invoices.entries()
        .map((each) => each.updated);
      for (const page of [1, 2, 3]) await get(`Invoices?page=${page}`);
      const after = booksOf(sandbox).invoices.entries();
      const newest = Math.max(...before);
      const moved = after.filter((each) => each.updated > newest).map((each) => `${each.id} ${each.status}`);
      sandbox.setEdits(0);
      await get('Invoices?page=1');
      expect(booksOf(sandbox).invoices.count).toBe(after.length);
      return moved.sort();
    };
    const moved = await read();
    expect(moved.length).toBeGreaterThan(6);
    expect(await read()).toEqual(moved);
    expect(printed[0]).toBe('sandbox: 4 edits before every page of invoices, seed 9');
  });

  it('what a listener changes is in the answer of that very call', async () => {
    const sandbox = await sandboxFor({ invoices: 50 });
    const stop = sandbox.onCall((call) => {
      if (call.path.endsWith('/Invoices')) booksOf(sandbox).invoices.add({ reference: 'in time' });
    });
    const get = caller(sandbox);
    expect((await get('Invoices?page=1')).json.Invoices.at(-1).Reference).toBe('in time');
    stop();
    await get('Invoices?page=1');
    expect(booksOf(sandbox).invoices.count).toBe(51);
  });

  it('over HTTP, too; what Xero refuses is 400 with a sentence', async () => {
    const sandbox = await sandboxFor({ invoices: 50 });
    const added = await control(sandbox, 'invoices', { act: 'add', count: 2, invoice: { status: 'DRAFT' } });
    const { ids } = (await added.json()) as { ids: string[] };
    expect(ids).toHaveLength(2);
    expect((await control(sandbox, 'invoices', { act: 'delete', id: ids[0] })).status).toBe(200);
    const refused = await control(sandbox, 'invoices', { act: 'void', id: ids[1] });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: `Invoice ${ids[1]} is DRAFT; only AUTHORISED without payments can be VOIDED.` },
    ]);
    const touched = await control(sandbox, 'invoices', { act: 'touch', count: 50 });
    expect(((await touched.json()) as { ids: string[] }).ids).toHaveLength(50);
  });
});

describe('reference data changes between runs', () => {
  it('accounts, tracking options and contacts; If-Modified-Since finds them, journals keep what they said', async () => {
    const sandbox = await sandboxFor({ organisations: [{ contacts: 1500 }] });
    const get = caller(sandbox);
    const before = (await get('Journals')).json.Journals;
    const page = async (n: number, headers = {}) =>
      (await get(`Contacts?page=${n}&pageSize=5000&includeArchived=true`, headers)).json;
    expect((await page(2)).pagination).toEqual({ page: 2, pageSize: 1000, pageCount: 2, itemCount: 1500 });
    const since = { 'If-Modified-Since': '2026-11-22T00:00:00' };
    expect([(await page(1, since)).Contacts, (await get('Accounts', since)).json.Accounts]).toEqual([[], []]);
    const contactId = (await page(1)).Contacts.find(
      (each: { ContactStatus: string }) => each.ContactStatus === 'ACTIVE',
    ).ContactID;

    for (const change of [
      { account: '200', name: 'Sales of everything', code: '2000' },
      { category: 'Region', option: 'North', status: 'ARCHIVED' },
      { contactId, status: 'ARCHIVED' },
    ])
      expect((await control(sandbox, 'reference', change)).status).toBe(200);
    expect((await control(sandbox, 'reference', { account: '200', colour: 'red' })).status).toBe(400);
    expect((await control(sandbox, 'reference', { account: 'nothing', name: 'x' })).status).toBe(400);

    const changed = (await get('Accounts', since)).json.Accounts;
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatchObject({ Name: 'Sales of everything', Code: '2000' });
    expect((await page(1, since)).Contacts).toMatchObject([{ ContactID: contactId, ContactStatus: 'ARCHIVED' }]);
    expect((await get('Contacts?page=1', since)).json.Contacts).toEqual([]);
    const [region] = (await get('TrackingCategories')).json.TrackingCategories;
    expect(region.Options.map((each: { Name: string }) => each.Name)).not.toContain('North');
    expect((await get('Reports/TrialBalance')).text).toContain('Sales of everything (2000)');
    expect((await get('Journals')).json.Journals).toEqual(before);
  });
});

describe('late journals', () => {
  it('25 of the newest 400, entered within two hours, appear only when revealed', async () => {
    const now = new Date('2026-11-22T12:00:00Z');
    const sandbox = await sandboxFor({ now, journals: 1000, organisations: [{ late: { count: 25, among: 400 } }] });
    const get = caller(sandbox);
    const books = booksOf(sandbox);
    const hidden = books.hidden();
    const all = [...books.numbers()];
    expect([hidden.length, all.length]).toEqual([25, 1000]);
    expect(hidden.every((number) => number >= (all[600] ?? 0) && number < books.lastNumber)).toBe(true);
    expect((await get(`Journals/${hidden[0]}`)).status).toBe(404);
    expect(await readAll(get)).toEqual(all.filter((number) => !hidden.includes(number)));
    await control(sandbox, 'reveal', {});
    expect(await readAll(get)).toEqual(all);
    const created = [...books.journals()].map((journal) => journal.created);
    expect(created).toEqual(created.toSorted((a, b) => a - b));
    expect(created[600]).toBeGreaterThanOrEqual(now.getTime() - 2 * 3_600_000);
    expect(created[599]).toBeLessThan(now.getTime() - 2 * 3_600_000);
    expect(created.at(-1)).toBeLessThan(now.getTime());
  });

  it('or after so many pages', async () => {
    const late = { count: 5, among: 50, afterPages: 4 };
    const get = caller(await sandboxFor({ journals: 200, organisations: [{ late }] }));
    expect(await readAll(get)).toHaveLength(195);
    await get('Journals');
    expect(await readAll(get)).toHaveLength(200);
  });
});

describe('the trial balance', () => {
  type Row = { Cells: { Value: string; Attributes?: { Id: string; Value: string }[] }[] };
  type Section = { Title?: string; Rows?: Row[] };

  const netOf = (debit = '', credit = ''): number => Number(debit || 0) - Number(credit || 0);

  async function report(sandbox: Sandbox, query: string): Promise<Map<string, { month: number; ytd: number }>> {
    const { status, json } = await caller(sandbox)(`Reports/TrialBalance?${query}`);
    expect(status).toBe(200);
    const rows: Row[] = json.Reports[0].Rows.flatMap((section: Section) => section.Rows ?? []);
    const sums = new Map<string, { month: number; ytd: number }>();
    for (const { Cells } of rows) {
      const [first, ...texts] = Cells;
      const [debit, credit, ytdDebit, ytdCredit] = texts.map((cell) => cell.Value);
      const id = first?.Attributes?.find((each) => each.Id === 'account')?.Value ?? 'total';
      sums.set(id, { month: netOf(debit, credit), ytd: netOf(ytdDebit, ytdCredit) });
    }
    return sums;
  }

  it.each([
    ['2026-11-22', '2026-04-01'],
    ['2026-03-31', '2025-04-01'],
  ])('as of %s sums the journals: income and costs from %s, all else of all time', async (date, from) => {
    const sandbox = await sandboxFor({ journals: 700 });
    const books = booksOf(sandbox);
    const sums = await report(sandbox, `date=${date}`);
    const [until, since] = [Date.parse(date), Date.parse(from)];
    const expected = new Map<string, { month: bigint; ytd: bigint }>();
    const retained = books.chart.find('960').id;
    for (const { date: day, lines } of books.journals()) {
      if (day > until) continue;
      for (const { account, net } of lines ?? []) {
        const earlier = ['REVENUE', 'EXPENSE'].includes(account.class) && day < since;
        const inMonth = day >= Date.parse(`${date.slice(0, 7)}-01`);
        for (const [id, month, ytd] of [
          [account.id, inMonth ? net : 0n, 0n],
          [earlier ? retained : account.id, 0n, net],
        ] as const) {
          const sum = expected.get(id) ?? { month: 0n, ytd: 0n };
          expected.set(id, { month: sum.month + month, ytd: sum.ytd + ytd });
        }
      }
    }
    expect(sums.get('total')).toEqual({ month: 0, ytd: 0 });
    sums.delete('total');
    for (const [id, { month, ytd }] of expected) {
      if (month === 0n && ytd === 0n) continue;
      expect(sums.get(id)).toEqual({ month: Number(moneyText(month)), ytd: Number(moneyText(ytd)) });
      sums.delete(id);
    }
    expect([...sums]).toEqual([]);
  });

  it('shows what no journal has when told so; cash apart; wrong dates and missing scopes refused', async () => {
    const sandbox = await sandboxFor({ journals: 300 });
    const { chart } = booksOf(sandbox);
    const ytd = async (code: string) => (await report(sandbox, 'date=2026-11-22')).get(chart.find(code).id)?.ytd ?? 0;
    const before = [await ytd('498'), await ytd('900')];
    await control(sandbox, 'report', { unrealised: '12.34', conversion: { 900: '-500.00' } });
    expect((await ytd('498')) - (before[0] ?? 0)).toBeCloseTo(-12.34, 4);
    expect((await ytd('900')) - (before[1] ?? 0)).toBeCloseTo(-500, 4);
    expect(await report(sandbox, 'paymentsOnly=true')).not.toEqual(await report(sandbox, ''));
    for (const query of ['date=2026-02-31', 'date=today', 'when=now'])
      expect((await caller(sandbox)(`Reports/TrialBalance?${query}`)).status).toBe(400);
    const token = sandbox.tokens.mint({ scopes: ['accounting.journals.read'] }).access_token;
    expect((await caller(sandbox, 0, token)('Reports/TrialBalance')).status).toBe(401);
  });
});
