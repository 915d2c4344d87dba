import { afterEach, beforeEach, expect, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { createReconciliations } from '../../client/reconciliations.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const journals = 1_000;
let stand: Stand;
beforeEach(async () => {
  stand = await startStand({ sandbox: { journals, contiguous: true, limits: { minute: 10_000 } } });
});
afterEach(() => stand.close());

const misnumber = (number: number, as: number, match = {}) =>
  stand.sandbox.faults.add({
    match: { path: 'Journals', ...match },
    do: { kind: 'page', misnumbered: { number, as } },
  });
const wrongNow = async () =>
  differences(await summariseLedger(stand.database.pool, stand.organisation.tenantId), stand.organisation);
const tellWatermark = async () =>
  (await stand.database.pool.query(`select watermark from daybook.stream_position where stream = 'journals'`)).rows[0]
    ?.watermark;
const quarantined = async () =>
  (await stand.database.pool.query('select journal_number as number, reason from daybook.quarantine')).rows;
async function importJournals(totals: object, filters = {}) {
  const ended = await stand.importJournals(filters);
  expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals } });
}

const greatest = Number.MAX_SAFE_INTEGER;
test.each([
  ['in the middle', 550, 3_000_000_000],
  ['in the middle, with a number that there could be', 550, 2_000_000_000],
  ['on the last page', 1_000, 3_000_000_000],
  ['on the last page, with a number that there could be', 1_000, 2_000_000_000],
  ['on the last page, with the largest number of all', 999, greatest],
])('a number that is wrong once costs nothing but calls: %s', async (_, number, as) => {
  misnumber(number, as, { query: { offset: String(Math.floor((number - 1) / 100) * 100) }, nth: 1 });
  await importJournals({ stored: journals, quarantined: 0 });
  expect(await tellWatermark()).toBe(journals);
  expect(await wrongNow()).toEqual([]);
});

test.each([
  ['in the middle', 550, 3_000_000_000, /number 3000000000, and Xero knows none above 2147483647/],
  ['on the last page', 1_000, 2_000_000_000, /number 2000000000, far beyond the others/],
])(
  'a journal whose number stays wrong is put aside, and all others are stored, those that come later, too: %s',
  async (_, number, as, said) => {
    misnumber(number, as);
    await importJournals({ stored: journals - 1, quarantined: 1 });
    expect(await quarantined()).toEqual([{ number: null, reason: expect.stringMatching(said) }]);
    for (let n = 0; n < 150; n++) stand.organisation.books.append();
    await importJournals({ stored: 150 });
    expect(await tellWatermark()).toBe(journals + 150);
    // Once Xero has mended it.
    stand.sandbox.faults.clear();
    await importJournals({ stored: 1 }, { full: true });
    expect(await wrongNow()).toEqual([]);
  },
);

test('a journal that is stored already and comes with another number moves the watermark no further than the others', async () => {
  await importJournals({ stored: journals });
  const { books } = stand.organisation;
  for (let n = 0; n < 40; n++) books.append();
  const { rows } = await stand.database.pool.query('select journal_id from xero.journal where journal_number = 57');
  // In the place of journal 1,010, and as though it were number 1,150.
  const [instant, id] = ['\\/Date(1793404800000+0000)\\/', rows[0].journal_id];
  const json = `{"JournalID":"${id}","JournalNumber":1150,"JournalDate":"${instant}","CreatedDateUTC":"${instant}"}`;
  books.put(1_010, { lines: [], json });
  await importJournals({ stored: 39, quarantined: 1 });
  expect(await tellWatermark()).toBe(1_040);
  for (let n = 0; n < 60; n++) books.append();
  await importJournals({ stored: 60 });
});

test('gaps of any size in Xero’s numbers cost calls, and no journal', async () => {
  const { books } = stand.organisation;
  for (const first of [50_000, 40_000_000, 2_147_483_600]) for (let n = 0; n < 40; n++) books.put(first + n, {});
  await importJournals({ stored: journals + 120, quarantined: 0 });
  expect(await tellWatermark()).toBe(2_147_483_639);
  stand.sandbox.calls.reset();
  await importJournals({ stored: 0 });
  // The overlap's page and the empty one.
  expect(stand.sandbox.calls.journals()).toHaveLength(2);
});

test.each([3_000_000_000, 2_000_000_000, greatest])(
  'a watermark that a wrong number has moved to %s is found by the next import, which reads what was passed over',
  async (as) => {
    await importJournals({ stored: 600 }, { endingAtJournalId: 600 });
    // What an unfiltered import leaves that took the last number of its sixth page for true.
    const { pool } = stand.database;
    await pool.query('update daybook.import_run set moves_watermark = true');
    await pool.query('update daybook.page_receipt set through_number = $1 where after_number = 500', [as]);
    await pool.query(
      `insert into daybook.stream_position (tenant_id, stream, watermark) select tenant_id, 'journals', $1 from daybook.connection`,
      [as],
    );
    // Until then the books that are compared are known to be behind.
    const reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
    const { workflowId } = await reconciliations.start({ connection: stand.connection, application });
    const message = expect.stringMatching(
      /The ledger is behind: Xero has journals that are not stored yet, such as \d+\. Import first/,
    );
    expect(await reconciliations.ending(workflowId)).toMatchObject({
      ok: true,
      result: { outcome: 'differs', message },
    });
    await importJournals({ stored: journals - 600 });
    expect(await tellWatermark()).toBe(journals);
    expect(await wrongNow()).toEqual([]);
  },
);

test('an import in full sets the watermark to what it has read, also back', async () => {
  await importJournals({ stored: journals });
  await stand.database.pool.query('update daybook.stream_position set watermark = 5000');
  await importJournals({ stored: 0, pages: journals / 100 }, { full: true });
  expect(await tellWatermark()).toBe(journals);
  stand.organisation.books.append();
  await importJournals({ stored: 1 });
});
