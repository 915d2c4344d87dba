import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PageLine } from '../../activities/page-line.ts';
import { Pace } from '../../model/pace.ts';
import { type JournalPage, storePage } from '../../storage/pages.ts';
import { openPool } from '../../storage/pool.ts';
import { countedBy, openAnyRun, openNextRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const instant = '/Date(1539993600000+0000)/';
const makeJournal = (number: number, id: string = randomUUID()) => ({
  ...{ JournalID: id, JournalNumber: number, JournalDate: instant, CreatedDateUTC: instant },
  JournalLines: [{ JournalLineID: randomUUID(), AccountID: randomUUID(), NetAmount: 1 }],
});
type Journal = ReturnType<typeof makeJournal>;

/** Forty journals, and how to store them ten a page. */
function feed(runId: string, tenantId: string, journals: Journal[], pace = new Pace(), pool = database.pool) {
  const stored: number[] = [];
  const meters = { called() {}, heldBack() {}, stored: (_: string, rows: number) => stored.push(rows) };
  const line = new PageLine({ pool, meters }, { tenantId, stream: 'journals' }, 0, pace);
  const page = (after: number, askedAfter = after): JournalPage => {
    const rows = journals.filter(({ JournalNumber: n }) => n > askedAfter && n <= after + 10);
    const body = Buffer.from(JSON.stringify({ Journals: rows }));
    return {
      ...{ runId, tenantId, stream: 'journals', after, askedAfter, through: after + 10 },
      body,
      count: rows.length,
    };
  };
  const begin = async (...places: [after: number, askedAfter?: number][]) => {
    for (const place of places) {
      expect(await line.hasRoom()).toBe(true);
      line.begin(page(...place));
    }
  };
  return { line, page, begin, stored };
}

const fortyJournals = () => Array.from({ length: 40 }, (_, index) => makeJournal(index + 1));

async function held(tenantId: string) {
  const { rows } = await database.pool.query(
    `select (select count(*) from xero.journal where tenant_id = $1)::int as journals,
            (select count(*) from xero.journal_line where tenant_id = $1)::int as lines,
            (select count(*) from daybook.quarantine where tenant_id = $1)::int as quarantined`,
    [tenantId],
  );
  return rows[0];
}

test('pages behind each other are stored, each once, also where one overlaps with that before', async () => {
  const id = await openAnyRun(database.pool);
  const { line, begin, stored } = feed(id, id, fortyJournals());
  await begin([0], [10], [20, 15], [30]);
  expect(await line.isDone()).toBe(true);
  expect(await held(id)).toEqual({ journals: 40, lines: 40, quarantined: 0 });
  expect(await countedBy(database.pool, id)).toEqual({ stored: 40, admitted: 45, quarantined: 0 });
  expect(stored).toEqual([10, 10, 15, 10]);
});

test('what another run stores meanwhile is passed over, and not stored again', async () => {
  const tenantId = await openAnyRun(database.pool);
  const runId = await openNextRun(database.pool, tenantId);
  const journals = fortyJournals();
  const { line, page, begin } = feed(runId, tenantId, journals);
  await begin([0]);
  expect(await line.isDone()).toBe(true);
  // One that does not move the watermark may be open beside it.
  const other = randomUUID();
  await database.pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                     request, starting_at, moves_watermark, next_offset)
     values ($1, 'o', $2, 'x', 'a', $2, 'journals', '{}', 0, false, 20)`,
    [other, tenantId],
  );
  expect(await storePage(database.pool, { ...page(20), runId: other })).toBe(true);
  await begin([10], [20], [30]);
  expect(await line.isDone()).toBe(true);
  expect(await held(tenantId)).toEqual({ journals: 40, lines: 40, quarantined: 0 });
  expect(await countedBy(database.pool, runId)).toEqual({ stored: 30, admitted: 40, quarantined: 0 });
});

test('a journal that comes again under another number goes to quarantine, also where nothing else is stored yet', async () => {
  const id = await openAnyRun(database.pool);
  const journals = fortyJournals();
  journals[25] = makeJournal(26, journals[3]?.JournalID);
  const { line, begin } = feed(id, id, journals);
  await begin([0], [10], [20], [30]);
  expect(await line.isDone()).toBe(true);
  expect(await held(id)).toEqual({ journals: 39, lines: 39, quarantined: 1 });
  expect(await countedBy(database.pool, id)).toEqual({ stored: 39, admitted: 40, quarantined: 1 });
});

test('what a crash of Postgres has forgotten is not said to be done', async () => {
  const id = await openAnyRun(database.pool);
  const { line, begin } = feed(id, id, fortyJournals());
  await begin([0], [10]);
  await line.hasRoom();
  // The second page was sent right behind the first; as after a crash the run stands where it was before it.
  await expect
    .poll(
      async () =>
        (await database.pool.query('select next_offset from daybook.import_run where run_id = $1', [id])).rows[0],
    )
    .toEqual({ next_offset: 20 });
  await database.pool.query('update daybook.import_run set next_offset = 10 where run_id = $1', [id]);
  expect(await line.isDone()).toBe(false);
});

test('while Postgres is away nothing is learnt of how fast it stores', async () => {
  const id = await openAnyRun(database.pool);
  const { hostname, port, pathname, username, password } = new URL(database.url);
  const wire = await startFaultProxy({ host: hostname, port: Number(port) });
  const pool = openPool(`postgres://${username}:${password}@${wire.address}${pathname}`, 4, () => {}, {
    pipelined: true,
  });
  const learnt: number[] = [];
  const pace = new (class extends Pace {
    override stored(ms: number) {
      learnt.push(ms);
    }
  })();
  const { line, begin, stored } = feed(id, id, fortyJournals(), pace, pool);
  try {
    await new MockActivityEnvironment().run(async () => {
      await begin([0]);
      expect(await line.isStored()).toBe(true);
      wire.refuse();
      await begin([10]);
      setTimeout(wire.heal, 300);
      expect(await line.isStored()).toBe(true);
      await begin([20]);
      expect(await line.isDone()).toBe(true);
    });
    expect(stored).toEqual([10, 10, 10]);
    expect(learnt).toHaveLength(2);
  } finally {
    await pool.end();
    await wire.close();
  }
});
