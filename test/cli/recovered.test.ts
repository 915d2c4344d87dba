import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutRecovered } from '../../cli/recovered.ts';
import { troubleOf } from '../../client/found-run.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function runWithPage(storedAt: Date): Promise<string> {
  const runId = randomUUID();
  await database.pool.query(
    `with run as (
       insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id,
         stream, request, starting_at, moves_watermark, status)
       values ($1, 'w', gen_random_uuid(), 'acme', 'x', gen_random_uuid(), 'journals', '{}', 1, false, 'running') returning run_id)
     insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored, stored_at)
     select run_id, 0, 1, 1, 1, $2 from run`,
    [runId, storedAt],
  );
  return runId;
}
/** As Temporal describes an activity whose attempts before this one failed. */
async function troubled(state: number, at: Date) {
  const pending = {
    attempt: 4,
    state,
    lastFailure: { message: 'Postgres went away' },
    lastStartedTime: { seconds: at.getTime() / 1_000 },
  };
  const raw = { pendingActivities: [pending] };
  return {
    isOpen: true,
    isPaused: false,
    trouble: await troubleOf({} as Client, { raw } as unknown as WorkflowExecutionDescription),
  };
}

test('an import that has stored a page since it last failed is not called failing', async () => {
  const [scheduled, started] = [1, 2];
  const began = new Date('2026-07-01T10:00:00Z');
  const [before, after] = [new Date('2026-07-01T09:59:00Z'), new Date('2026-07-01T10:01:00Z')];
  const [reading, stuck, between] = await Promise.all([after, before, after].map(runWithPage));
  const found = new Map([
    [reading ?? '', await troubled(started, began)],
    [stuck ?? '', await troubled(started, began)],
    [between ?? '', await troubled(scheduled, began)],
    ['', { isOpen: true, isPaused: false, trouble: null }],
  ]);
  const shown = await withoutRecovered(database.pool, found);
  expect([...shown.values()].map(({ trouble }) => trouble?.failures ?? null)).toEqual([null, 3, 3, null]);
});
