import { describe, expect, it } from 'vitest';
import { SPECIAL_KINDS } from '../../sandbox/books/special.ts';
import { caller, readAll, sandboxFor } from './xero-client.ts';

const DATE = /^\/Date\((-?\d+)\+0000\)\/$/;
const ms = (wire: string): number => Number(DATE.exec(wire)?.[1]);

describe('GET /Journals', () => {
  it('gives 100 a page by exclusive offset, ascending, until an empty page', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    const numbers = await readAll(get);
    expect(numbers).toEqual([...(sandbox.organisations[0]?.books.numbers() ?? [])]);
    const { json } = await get(`Journals?offset=${numbers[99]}`);
    expect(json).toMatchObject({ Status: 'OK', Id: expect.any(String), ProviderName: expect.any(String) });
    expect(json.Journals[0].JournalNumber).toBe(numbers[100]);
    expect(await get('Journals?offset=999999999999').then((each) => each.json.Journals)).toEqual([]);
  });

  it('ignores page, as Xero does', async () => {
    const get = caller(await sandboxFor());
    expect((await get('Journals?page=2')).json.Journals).toEqual((await get('Journals')).json.Journals);
  });

  it('keeps a series of its own for cash basis', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    const cash = await readAll(get, true);
    expect(cash).toEqual([...(sandbox.organisations[0]?.books.cash.numbers() ?? [])]);
    const ids = async (path: string) =>
      (await get(path)).json.Journals.map((each: { JournalID: string }) => each.JournalID);
    const both = [...(await ids('Journals')), ...(await ids('Journals?paymentsOnly=true'))];
    expect(new Set(both).size).toBe(both.length);
  });

  it('compares If-Modified-Since with CreatedDateUTC, on or after, in whole seconds, in three spellings', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    const middle = sandbox.organisations[0]?.books.page(120, 1)[0];
    const second = Math.floor((middle?.created ?? 0) / 1000) * 1000;
    const iso = new Date(second).toISOString();
    for (const spelling of [iso.slice(0, 19), iso.replace('.000', '.999'), new Date(second).toUTCString()]) {
      const { json } = await get('Journals', { 'If-Modified-Since': spelling });
      expect(json.Journals[0].JournalNumber).toBe(middle?.number);
      for (const each of json.Journals) expect(ms(each.CreatedDateUTC)).toBeGreaterThanOrEqual(second);
    }
    const { json } = await get(`Journals?offset=${(middle?.number ?? 0) + 5}`, { 'If-Modified-Since': iso });
    expect(json.Journals[0].JournalNumber).toBeGreaterThan((middle?.number ?? 0) + 5);
    for (const garbage of ['yesterday', '2026-02-31T00:00:00', '2026-07-01', '2026-07-01T00:00:00+02:00']) {
      expect((await get('Journals', { 'If-Modified-Since': garbage })).status).toBe(412);
    }
  });

  it('leaves out SourceID and SourceType on a single get, by id and by number', async () => {
    const get = caller(await sandboxFor());
    const listed = (await get('Journals?offset=10')).json.Journals.find((each: { SourceID?: string }) => each.SourceID);
    const { SourceID, SourceType, ...rest } = listed;
    expect(SourceID && SourceType).toBeTruthy();
    expect((await get(`Journals/${listed.JournalID}`)).json.Journals).toEqual([rest]);
    expect((await get(`Journals/${listed.JournalNumber}`)).json.Journals).toEqual([rest]);
    expect((await get('Journals/00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await get('Journals/nonsense')).status).toBe(404);
  });

  it('writes amounts digit by digit and dates as .NET does', async () => {
    const sandbox = await sandboxFor({ journals: 0 });
    const books = sandbox.organisations[0]?.books;
    for (const kind of SPECIAL_KINDS) books?.special(kind);
    const { text, json } = await caller(sandbox)('Journals');
    expect(json.Journals).toHaveLength(SPECIAL_KINDS.length);
    expect(text).toContain('"NetAmount":90071992547409.93,');
    expect(text).toContain('"NetAmount":-0.3333,');
    expect(text).toContain('"JournalDate":"\\/Date(0+0000)\\/"');
    expect(text).toContain(`"JournalDate":"\\/Date(${Date.UTC(1964, 1, 29)}+0000)\\/"`);
    expect(text).toContain('nul\\u0000here');
    expect(text).toContain('half \\ud83d emoji');
    expect(text).toContain('"JournalLines":null');
    const sizes = json.Journals.map((each: { JournalLines?: unknown[] | null }) => each.JournalLines?.length);
    expect(sizes).toContain(1000);
    expect(sizes).toContain(0);
  });

  it('shows new postings, late lower numbers and replaced journals at once', async () => {
    const sandbox = await sandboxFor({ gapRate: 0.3 });
    const books = sandbox.organisations[0]?.books;
    if (!books) throw new Error('no books');
    const get = caller(sandbox);
    const numbers = await readAll(get);
    const gap = numbers.findIndex((each, index) => (numbers[index + 1] ?? 0) > each + 1);
    const late = books.put((numbers[gap] ?? 0) + 1, { reference: 'late' });
    const head = books.append({
      reference: 'new',
      lines: [
        { account: 'Everyday Account', net: '1' },
        { account: '404', net: '-1' },
      ],
    });
    const again = await readAll(get);
    expect(again).toEqual([...numbers, late, head].sort((a, b) => a - b));
    expect((await get(`Journals?offset=${head - 1}`)).json.Journals[0].Reference).toBe('new');
    expect(() => books.append({ lines: [{ account: '404', net: '1' }] })).toThrow('does not balance');
  });
});
