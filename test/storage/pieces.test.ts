import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeInHalves } from '../../storage/halves.ts';
import { storePage } from '../../storage/pages.ts';
import { referenceTroubles, storeReference } from '../../storage/reference.ts';
import { countedBy, openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeInvoices } from '../support/made-invoices.ts';
import { drawSeed } from '../support/observe.ts';
import { statementsOf } from '../support/statements.ts';

let database: TestDatabase;
let pool: TestDatabase['pool'];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.drop());

const instant = '/Date(1539993600000+0000)/';
const faults = [
  { Reference: 'no\u0000text' },
  { Total: '1,234.50', JournalDate: '31/12/2026', Date: '31/12/2026' },
  { InvoiceID: 'none', JournalID: 'none' },
];
/** What makes the row at a place unstorable: each fault in turn, so that each has its own reason. */
const faultOf = (bad: number[], place: number) => (bad.includes(place) ? faults[place % faults.length] : {});

const invoicesWith = (bad: number[], count: number) =>
  Array.from({ length: count }, (_, place) => ({
    ...{ InvoiceID: randomUUID(), Type: 'ACCREC', Status: 'DRAFT', UpdatedDateUTC: instant, Total: place / 100 },
    ...{ LineItems: [{ LineItemID: randomUUID(), LineAmount: 1.1 }], ...faultOf(bad, place) },
  }));

/** All that is known of a run of invoices once its pages are stored. */
async function invoicesOf(runId: string) {
  const { rows: stored } = await pool.query(
    `select i.payload, (select count(*)::int from xero.invoice_line_item l where l.invoice_id = i.invoice_id) as lines
       from xero.invoice i where i.tenant_id = $1 order by i.invoice_id`,
    [runId],
  );
  const { rows: quarantined } = await pool.query(
    'select stream, invoice_id, reason, payload from daybook.quarantine where tenant_id = $1 order by quarantine_id',
    [runId],
  );
  return { stored, quarantined, counted: await countedBy(pool, runId) };
}

const many = Array.from({ length: 40 }, (_, place) => place);
test.each<[string, number[], number, number]>([
  // Each attempt is a savepoint, what it rolls back, or up to four statements more.
  ['one bad invoice among 300', [217], 300, 110],
  ['bad ones at both ends and in the middle', [0, 1, 149, 150, 299], 300, 350],
  ['nothing but bad ones', many, 40, 350],
  ['one alone', [0], 1, 20],
])('%s: each is stored or in quarantine as if it had come alone', async (_, bad, count, mostStatements) => {
  const invoices = invoicesWith(bad, count);
  const [atOnce, oneByOne] = [await openAnyRun(pool, 'invoices'), await openAnyRun(pool, 'invoices')];
  expect(await statementsOf(() => storeInvoices(pool, atOnce, invoices))).toBeLessThan(mostStatements);
  for (const invoice of invoices) await storeInvoices(pool, oneByOne, [invoice]);
  const known = await invoicesOf(atOnce);
  expect(known).toEqual(await invoicesOf(oneByOne));
  expect(known.counted).toEqual({ stored: count - bad.length, admitted: count, quarantined: bad.length });
  expect(known.quarantined.map(({ payload }) => payload)).toEqual(bad.map((place) => JSON.stringify(invoices[place])));
});

test('bad journals at both ends and in the middle of a page keep no other from being stored, with its lines', async () => {
  const bad = [0, 49, 50, 99];
  const journals = Array.from({ length: 100 }, (_, place) => ({
    ...{ JournalID: randomUUID(), JournalNumber: place + 1, JournalDate: instant, CreatedDateUTC: instant },
    ...{ JournalLines: [{ JournalLineID: randomUUID(), NetAmount: 1.1 }], ...faultOf(bad, place) },
  }));
  const runId = await openAnyRun(pool);
  // Lines that stand in the way, as their journal was deleted by hand.
  const orphan = journals[70]?.JournalID;
  await pool.query(
    `insert into xero.journal_line (tenant_id, basis, journal_id, line_index, net_amount) values ($1, 'accrual', $2, 1, 7)`,
    [runId, orphan],
  );
  const body = Buffer.from(JSON.stringify({ Journals: journals }));
  const range = { after: 0, askedAfter: 0, through: 100, count: 100 };
  const store = () => storePage(pool, { runId, tenantId: runId, stream: 'journals', body, ...range });
  expect(await statementsOf(store)).toBeLessThan(250);
  const { rows } = await pool.query<{ number: number; nets: string[] }>(
    `select j.journal_number as number, array_agg(l.net_amount::text) as nets
       from xero.journal j join xero.journal_line l using (tenant_id, basis, journal_id)
      where tenant_id = $1 group by 1 order by 1`,
    [runId],
  );
  const good = journals.filter((_, place) => !bad.includes(place));
  expect(rows).toEqual(good.map(({ JournalNumber }) => ({ number: JournalNumber, nets: ['1.1'] })));
  expect(await countedBy(pool, runId)).toEqual({ stored: 96, admitted: 100, quarantined: 4 });
  const { rows: kept } = await pool.query(
    'select journal_number as number, payload from daybook.quarantine where tenant_id = $1 order by quarantine_id',
    [runId],
  );
  expect(kept).toEqual(bad.map((place) => ({ number: place + 1, payload: JSON.stringify(journals[place]) })));
});

async function quarantined(tenantId: string): Promise<number> {
  const { rows } = await pool.query<{ rows: number }>(
    'select count(*) as rows from daybook.quarantine where tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.rows ?? 0;
}

test('bad contacts among many: what is told of the others is what they tell one by one', async () => {
  const bad = [3, 150, 299];
  const contacts = Array.from({ length: 300 }, (_, place) => ({
    ...{ ContactID: randomUUID(), Name: bad.includes(place) ? 'no\u0000text' : `Contact ${place}` },
    UpdatedDateUTC: `/Date(${1_539_993_600_000 + place * 1_000}+0000)/`,
  }));
  const store = (tenantId: string, some: object[]) =>
    storeReference(pool, { runId: tenantId, tenantId, endpoint: 'contacts', text: JSON.stringify({ Contacts: some }) });
  const tenantId = randomUUID();
  let told: unknown;
  expect(
    await statementsOf(async () => {
      told = await store(tenantId, contacts);
    }),
  ).toBeLessThan(100);
  expect(told).toEqual({ newest: '2018-10-20T00:04:58.000Z', ascending: true });
  expect(await quarantined(tenantId)).toBe(3);
  const { rows } = await pool.query('select name from xero.contact where tenant_id = $1 order by updated_date_utc', [
    tenantId,
  ]);
  expect(rows).toEqual(contacts.filter((_, place) => !bad.includes(place)).map(({ Name }) => ({ name: Name })));
  // Out of order across two pieces only.
  const swapped = [...contacts.slice(150), ...contacts.slice(0, 150)];
  expect(await store(randomUUID(), swapped)).toMatchObject({ ascending: false });
});

test('halving finds the same bad rows as one after the other, in their order, whichever they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 70 }), async (isBad) => {
      const [stored, aside]: [number[], number[]] = [[], []];
      let attempts = 0;
      const counts = await storeInHalves(
        isBad.map((_, place) => String(place)),
        async (rows) => {
          attempts++;
          if (rows.some((row) => isBad[Number(row)])) return { refused: 'bad' };
          stored.push(...rows.map(Number));
          return { stored: rows.length, admitted: rows.length, quarantined: 0 };
        },
        async (row) => aside.push(Number(row)) && 1,
      );
      const places = (bad: boolean) => isBad.flatMap((each, place) => (each === bad ? [place] : []));
      expect([stored, aside]).toEqual([places(false), places(true)]);
      const bad = aside.length;
      expect(counts).toEqual({ stored: isBad.length - bad, admitted: isBad.length, quarantined: bad });
      expect(attempts).toBeLessThanOrEqual(2 + 2 * bad * Math.ceil(Math.log2(isBad.length + 1)));
      expect(attempts).toBeLessThanOrEqual(2 * isBad.length);
    }),
    { seed: drawSeed('bad rows') },
  );
});

test('what of the reference data is in quarantine is among what a run says at its end', async () => {
  const id = await openAnyRun(pool);
  const row = (name: string) => ({ AccountID: randomUUID(), Name: name, UpdatedDateUTC: instant });
  const store = (...Accounts: object[]) =>
    storeReference(pool, { runId: id, tenantId: id, endpoint: 'accounts', text: JSON.stringify({ Accounts }) });
  await store(row('Sales'));
  expect(await referenceTroubles(pool, id)).toEqual([]);
  const bad = row('no\u0000text');
  await store(bad, row('Wages'));
  expect(await referenceTroubles(pool, id)).toEqual(['1 row of the reference data (accounts) is in quarantine.']);
  await store(bad, row('no\u0000text'));
  expect(await referenceTroubles(pool, id)).toEqual(['2 rows of the reference data (accounts) are in quarantine.']);
});
