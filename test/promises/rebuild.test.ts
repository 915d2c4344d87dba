import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { rebuildBooks } from '../../admin/rebuild.ts';
import { daybook } from '../support/daybook.ts';
import { booksOf, storedInvoices } from '../support/invoices.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { books } from '../support/tenants.ts';

let stand: Stand;
const query = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const rebuild = (only?: 'journals', onProgress: (progress: { what: string }) => void = () => {}) =>
  rebuildBooks({ pool: stand.database.pool, actor: 'test' }, { connection: undefined, only }, onProgress);

beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 700, seed: 31, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
});
afterAll(() => stand.close());
beforeEach(() => stand.sandbox.calls.reset());

/** Every row of every table, as text. */
async function everything(): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of books)
    all[table] = (await query(`select t::text as row from ${table} t order by 1`)).map(({ row }) => row);
  return all;
}

/** Columns and parts that are wrong, missing or too many, in each table that is made of payloads. */
async function tamper(): Promise<void> {
  for (const wrong of [
    `update xero.journal set journal_date = journal_date + 1, created_date_utc = now(), reference = 'wrong', source_type = null`,
    `update xero.journal_line set net_amount = net_amount * 2, account_code = '999', description = null where line_index = 1`,
    'delete from xero.journal_line where line_index = 2',
    `insert into xero.journal_line (tenant_id, basis, journal_id, line_index, net_amount)
     select tenant_id, basis, journal_id, 99, 1 from xero.journal where journal_number % 3 = 0`,
    'delete from xero.journal_line_tracking',
    `update xero.invoice set total = 0, status = 'PAID', date = null, contact_id = null, updated_date_utc = now(), currency_rate = 2`,
    'delete from xero.invoice_line_item where line_index = 1',
    'delete from xero.invoice_line_item_tracking',
    'update xero.invoice_settlement set amount = 0',
    `update xero.account set name = 'wrong', class = null`,
    `update xero.contact set name = 'wrong', is_customer = null`,
    `update xero.tracking_category set name = 'wrong'`,
    'delete from xero.tracking_category_option',
    `update xero.organisation set name = 'wrong', financial_year_end_month = 1`,
  ]) {
    const { rowCount } = await stand.database.pool.query(wrong);
    expect([wrong, rowCount]).not.toEqual([wrong, 0]);
  }
}

test('What was changed or deleted by hand is made anew from the payloads, without one call, and written down', async () => {
  const before = await everything();
  await tamper();
  const said = await daybook(['rebuild', '--connection', stand.connection], stand.environment);
  expect(said).toMatchObject({ code: 0, stderr: expect.stringMatching(/: 700 of 700 journals$/m) });
  expect(await everything()).toEqual(before);
  expect(stand.sandbox.calls.all()).toEqual([]);
  expect(
    await query(`select act, after->'journals' as n from daybook.audit where act like 'rebuil%' order by audit_id`),
  ).toEqual([
    { act: 'rebuild', n: null },
    { act: 'rebuilt', n: 700 },
  ]);
});

test('Broken off, it may begin again, and again: the rows are the same', async () => {
  const before = await everything();
  await tamper();
  const broken = rebuild(undefined, ({ what }) => {
    if (what === 'journals') throw new Error('broken off');
  });
  await expect(broken).rejects.toThrow('broken off');
  expect(await everything()).not.toEqual(before);
  for (const _ of [1, 2]) {
    expect((await rebuild()).problems).toEqual([]);
    expect(await everything()).toEqual(before);
  }
});

test('Readers never miss a line meanwhile, and an import of edited invoices goes on beside it', async () => {
  const lines = async () => (await query('select count(*)::int as lines from xero.journal_line'))[0].lines;
  const [wanted, seen] = [await lines(), new Set<number>()];
  stand.sandbox.setEdits(20);
  let imported = false;
  const importing = stand.importInvoices({ full: true }).finally(() => {
    imported = true;
  });
  let rounds = 0;
  const rebuilding = (async () => {
    for (; !imported || rounds < 3; rounds++) expect((await rebuild()).problems).toEqual([]);
  })();
  const reading = (async () => {
    while (!imported) seen.add(await lines());
  })();
  expect(await importing).toMatchObject({ ok: true });
  await Promise.all([rebuilding, reading]);
  expect([...seen]).toEqual([wanted]);
  stand.sandbox.setEdits(0);
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
  expect(await storedInvoices(stand)).toEqual(booksOf(stand));
  const before = await everything();
  await rebuild();
  expect(await everything()).toEqual(before);
});

test('A payload that cannot be read leaves its journal as it was and says so; the others are made anew', async () => {
  const [{ id }] = await query(
    `update xero.journal set payload = payload || '{"JournalDate": "soon"}' where journal_number = 7 returning journal_id as id`,
  );
  const before = await everything();
  await query(`update xero.journal set reference = 'wrong' where journal_number <> 7`);
  const { done, problems } = await rebuild('journals');
  expect(done).toBe(700);
  expect(problems).toEqual([
    expect.stringMatching(new RegExp(`^journals: ${id} is as it was.*"soon" cannot be read as a date`)),
  ]);
  expect(await everything()).toEqual(before);
});
