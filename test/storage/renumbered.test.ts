import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storePage } from '../../storage/pages.ts';
import { countedBy, openAnyRun, openNextRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { statementsOf } from '../support/statements.ts';

let database: TestDatabase;
let pool: TestDatabase['pool'];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.drop());

const instant = '/Date(1539993600000+0000)/';
const journal = (number: number, id: string = randomUUID()) => ({
  ...{ JournalID: id, JournalNumber: number, JournalDate: instant, CreatedDateUTC: instant },
  JournalLines: [{ JournalLineID: randomUUID(), NetAmount: number / 100 }],
});
type Journal = ReturnType<typeof journal>;

/** Stores journals as a run's page after `after`, asked for with an offset that lies before all of them. */
async function store(runId: string, tenantId: string, journals: Journal[], after = 0): Promise<void> {
  const numbers = journals.map(({ JournalNumber }) => JournalNumber);
  const through = Math.max(...numbers);
  const body = Buffer.from(JSON.stringify({ Journals: journals }));
  const place = {
    after,
    askedAfter: Math.min(after, ...numbers.map((each) => each - 1)),
    through,
    count: journals.length,
  };
  expect(await storePage(pool, { runId, tenantId, stream: 'journals', body, ...place })).toBe(true);
}

async function known(tenantId: string) {
  const { rows: stored } = await pool.query(
    `select j.journal_id as id, j.journal_number as number, array_agg(l.net_amount::float8) as nets
       from xero.journal j left join xero.journal_line l using (tenant_id, basis, journal_id)
      where tenant_id = $1 group by 1, 2 order by 2`,
    [tenantId],
  );
  const { rows: quarantined } = await pool.query(
    'select run_id, journal_number as number, reason, payload from daybook.quarantine where tenant_id = $1 order by 2',
    [tenantId],
  );
  return { stored, quarantined };
}
const asStored = (journals: Journal[]) =>
  journals.map(({ JournalID, JournalNumber }) => ({
    ...{ id: JournalID, number: JournalNumber },
    nets: [JournalNumber / 100],
  }));

test('a journal that is stored under another number is quarantined, once, however often it is read', async () => {
  const tenantId = await openAnyRun(pool);
  const [first, second] = [journal(1), journal(2)];
  await store(tenantId, tenantId, [first, second]);
  const again = journal(4, second.JournalID);
  const [third, fifth] = [journal(3), journal(5)];
  await store(tenantId, tenantId, [third, again, fifth], 2);
  const said = `Journal ${again.JournalID} came with number 4, but is stored with number 2, and a journal never changes its number.`;
  const aside = { number: 4, reason: said, payload: JSON.stringify(again) };
  const whole = asStored([first, second, third, fifth]);
  expect(await known(tenantId)).toEqual({ stored: whole, quarantined: [{ run_id: tenantId, ...aside }] });
  expect(await countedBy(pool, tenantId)).toEqual({ stored: 4, admitted: 5, quarantined: 1 });
  // The next page overlaps this one: the run has met it before.
  const sixth = journal(6);
  await store(tenantId, tenantId, [again, fifth, sixth], 5);
  expect(await countedBy(pool, tenantId)).toEqual({ stored: 5, admitted: 7, quarantined: 1 });
  // Another run, with nothing beside it that is new.
  const runId = await openNextRun(pool, tenantId);
  await store(runId, tenantId, [first, second, third, again, fifth, sixth]);
  expect(await countedBy(pool, runId)).toEqual({ stored: 0, admitted: 6, quarantined: 1 });
  expect(await known(tenantId)).toEqual({
    stored: [...whole, ...asStored([sixth])],
    quarantined: [{ run_id: runId, ...aside }],
  });
});

test('of a journal that comes twice in one page with different numbers, the second is quarantined', async () => {
  const tenantId = await openAnyRun(pool);
  const [first, second, fourth] = [journal(1), journal(2), journal(4)];
  const again = journal(3, first.JournalID);
  await store(tenantId, tenantId, [first, second, again, fourth]);
  const { stored, quarantined } = await known(tenantId);
  expect(stored).toEqual(asStored([first, second, fourth]));
  expect(quarantined).toMatchObject([{ number: 3, payload: JSON.stringify(again) }]);
  expect(await countedBy(pool, tenantId)).toEqual({ stored: 3, admitted: 4, quarantined: 1 });
});

test('a journal that a run did not ask for is not quarantined for its number', async () => {
  const tenantId = await openAnyRun(pool);
  const [first, second] = [journal(1), journal(2)];
  await store(tenantId, tenantId, [first, second]);
  const runId = await openNextRun(pool, tenantId);
  await pool.query('update daybook.import_run set starting_at = 3, ending_at = 4 where run_id = $1', [runId]);
  const [third, fourth] = [journal(3), journal(4)];
  await store(runId, tenantId, [third, fourth, journal(5, first.JournalID)]);
  expect((await known(tenantId)).quarantined).toEqual([]);
  expect(await countedBy(pool, runId)).toEqual({ stored: 2, admitted: 2, quarantined: 0 });
});

test('what is read again under its number is passed over, in the one statement a page takes, new ones beside it or not', async () => {
  const tenantId = await openAnyRun(pool);
  const [first, second, third] = [journal(1), journal(2), journal(3)];
  await store(tenantId, tenantId, [first, second]);
  const runId = await openNextRun(pool, tenantId);
  expect(await statementsOf(() => store(runId, tenantId, [first, second]))).toBe(1);
  expect(await statementsOf(() => store(runId, tenantId, [second, second, third], 2))).toBe(1);
  expect(await countedBy(pool, runId)).toEqual({ stored: 1, admitted: 5, quarantined: 0 });
  expect(await known(tenantId)).toEqual({ stored: asStored([first, second, third]), quarantined: [] });
});
