import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeOver } from '../../storage/runs.ts';
import { openAnyRun } from '../support/any-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000);

test('the newest attempt reads a run’s pages, and an older one that was held up does not', async () => {
  const { pool } = database;
  const runId = await openAnyRun(pool);
  expect(await takeOver(pool, runId, inSeconds(-30))).toBe(true);
  expect(await takeOver(pool, runId, inSeconds(0))).toBe(true);
  expect(await takeOver(pool, runId, inSeconds(-30))).toBe(false);
});

test('one that was scheduled ahead of the clock, before Temporal’s was set back, keeps no other out', async () => {
  const { pool } = database;
  const runId = await openAnyRun(pool);
  expect(await takeOver(pool, runId, inSeconds(3_600))).toBe(true);
  expect(await takeOver(pool, runId, inSeconds(0))).toBe(true);
  // That the clocks of two machines differ somewhat is no reason.
  expect(await takeOver(pool, runId, inSeconds(5))).toBe(true);
  expect(await takeOver(pool, runId, inSeconds(0))).toBe(false);
});
