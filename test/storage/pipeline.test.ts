import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InOrder } from '../../activities/in-order.ts';
import { storePage } from '../../storage/pages.ts';
import { Pipeline } from '../../storage/pipeline.ts';
import { openPool } from '../../storage/pool.ts';
import { countedBy, openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool(database.url, 2, () => {}, { pipelined: true });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const backend = { text: 'select pg_backend_pid() as pid' };

test('what is sent does not wait for the answer in front, and the connection is given back when all is answered', async () => {
  const client = (await pool.connect()) as pg.PoolClient & { connection: { stream: Socket } };
  client.release();
  const { stream } = client.connection;
  const before = stream.bytesWritten;
  const pipeline = new Pipeline(pool);
  const answered: string[] = [];
  const slow = pipeline.query({ text: 'select pg_sleep(0.3)' }).then(() => answered.push('slow'));
  const long = pipeline.query({ text: 'select length($1) as length', values: ['x'.repeat(100_000)] });
  void long.then(() => answered.push('long'));
  await expect.poll(() => stream.bytesWritten - before).toBeGreaterThan(100_000);
  expect(answered).toEqual([]);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 0]);
  expect((await long).rows).toEqual([{ length: 100_000 }]);
  await slow;
  expect(answered).toEqual(['slow', 'long']);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  expect(client.listenerCount('error')).toBe(1);
});

test('a statement that fails changes nothing for those behind it', async () => {
  const pipeline = new Pipeline(pool);
  const table = `t${randomUUID().replaceAll('-', '')}`;
  const outcomes = await Promise.allSettled([
    pipeline.query({ text: `create table ${table} (n int)` }),
    pipeline.query({ text: `insert into ${table} select 1 / 0` }),
    pipeline.query({ text: `insert into ${table} values (7)` }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((await pipeline.query({ text: `select n from ${table}` })).rows).toEqual([{ n: 7 }]);
});

test('a connection that is lost fails what was sent over it, and the next statement has another', async () => {
  const pipeline = new Pipeline(pool);
  const first = await pipeline.query(backend);
  const lost = [pipeline.query({ text: 'select pg_terminate_backend(pg_backend_pid())' }), pipeline.query(backend)];
  const outcomes = await Promise.allSettled(lost);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const next = await pipeline.query(backend);
  expect(next.rows[0].pid).not.toBe(first.rows[0].pid);
  expect(pool.totalCount).toBe(1);
});

test('no connection to be had fails the statement, and holds nothing', async () => {
  const away = openPool('postgres://nobody:x@127.0.0.1:1/none', 1, () => {}, { pipelined: true });
  const pipeline = new Pipeline(away);
  await expect(pipeline.query(backend)).rejects.toThrow('ECONNREFUSED');
  await expect(pipeline.query(backend)).rejects.toThrow('ECONNREFUSED');
  expect([away.totalCount, away.waitingCount]).toEqual([0, 0]);
  await away.end();
});

test('pages sent behind one that goes to pieces, or that cannot be taken whole themselves, are all stored, each once', async () => {
  const runId = await openAnyRun(pool);
  const instant = '/Date(1539993600000+0000)/';
  const bad = [1, 12, 13, 30];
  const journal = (number: number) => ({
    ...{ JournalID: randomUUID(), JournalNumber: number, JournalDate: instant, CreatedDateUTC: instant },
    ...{ JournalLines: [], Reference: bad.includes(number) ? 'no\u0000text' : 'ok' },
  });
  const [pipeline, order] = [new Pipeline(pool), new InOrder()];
  for (let after = 0; after < 40; after += 10) {
    const journals = Array.from({ length: 10 }, (_, index) => journal(after + index + 1));
    const body = Buffer.from(JSON.stringify({ Journals: journals }));
    const place = { runId, tenantId: runId, after, askedAfter: after, through: after + 10, count: 10 };
    expect(await order.hasRoom()).toBe(true);
    order.begin(() => storePage(pool, { ...place, stream: 'journals', body }, { pipeline }));
  }
  expect(await order.isDone()).toBe(true);
  expect(await countedBy(pool, runId)).toEqual({ stored: 36, admitted: 40, quarantined: 4 });
  const { rows } = await pool.query('select through_number from daybook.page_receipt where run_id = $1 order by 1', [
    runId,
  ]);
  expect(rows.map((row) => row.through_number)).toEqual([10, 20, 30, 40]);
});
