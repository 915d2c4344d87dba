import { expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { historiesOf, prioritiesIn, untilProgress } from '../support/observe.ts';
import { application, startStand, tokenKeys } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

const others = 15;

test('An import that begins among many has its first turn ahead of their later ones', async () => {
  const organisations = others + 1;
  // One place for all, a page a turn: each page of an import waits for a page of every other.
  const stand = await startStand({
    sandbox: { organisations, journals: 1_500, contiguous: true },
    ...{ sliceMs: 0, readingAtATime: 1 },
  });
  const { pool } = stand.database;
  try {
    const names: string[] = [];
    for (const { tenantId } of stand.sandbox.organisations.slice(1)) {
      const name = uniqueName('crowd');
      await connectOrganisation(
        { pool, xero: sandboxSettings(stand.sandbox), tokenKeys, actor: 'test', now: () => Date.now() },
        { name, applications: [application], tenantId },
        async (address) => stand.sandbox.consent(address, { tenantIds: [tenantId] }),
      );
      names.push(name);
    }
    for (const connection of names) await stand.imports.startJournals({ connection, application });
    const turns = `select count(distinct run_id)::int as begun, count(*)::int as pages from daybook.page_receipt`;
    await expect.poll(async () => (await pool.query(turns)).rows[0].begun, { timeout: 30_000 }).toBe(others);

    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    const own = `select run_id, started_at from daybook.import_run where workflow_id = '${workflowId}'`;
    const first = `select own.run_id, own.started_at, min(r.stored_at) as first from (${own}) own
                     join daybook.page_receipt r on r.run_id = own.run_id group by 1, 2`;
    await expect.poll(async () => (await pool.query(first)).rowCount, { timeout: 30_000 }).toBe(1);
    const { rows } = await pool.query(`
      select count(distinct r.run_id)::int as passed from (${first}) own
        join daybook.page_receipt r on r.run_id <> own.run_id and r.stored_at between own.started_at and own.first`);
    const { rows: all } = await pool.query<{ pages: number }>(turns);
    // Otherwise nobody was waiting any more, and this shows nothing.
    expect(all[0]?.pages).toBeLessThan(others * 12);
    // All fifteen of them, were it the order of asking.
    expect(rows[0].passed).toBeLessThan(others / 2);
    const priorities = async () =>
      prioritiesIn([await stand.temporal.client.workflow.getHandle(workflowId).fetchHistory()]).slice(0, 2);
    // One step ahead of Temporal's usual 3, and then like everybody's.
    await expect.poll(priorities, { timeout: 10_000 }).toEqual([2, 3]);
  } finally {
    await stand.close();
  }
});

test('One that has slept has its next turn ahead too, but not for a fresh history alone', async () => {
  const stand = await startStand({ sandbox: { journals: 400, contiguous: true }, sliceMs: 0 });
  try {
    // Longer than a minute, so that it is slept on a fresh history, which hears of it once more.
    const wait = { kind: 'rateLimited', problem: 'day', retryAfter: 3_600 } as const;
    stand.sandbox.faults.add({ match: { path: 'Journals', nth: 3 }, do: wait });
    const { workflowId, runId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    stand.sandbox.faults.clear();
    await stand.database.pool.query('truncate daybook.quota_ledger');
    await stand.imports.resume(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { totals: { stored: 400 } } });
    const [before, after] = (await historiesOf(stand, workflowId, runId)).map((history) => prioritiesIn([history]));
    expect(before).toEqual([2, 3, 3]);
    expect(after?.slice(0, 3)).toEqual([3, 2, 3]);
  } finally {
    await stand.close();
  }
});
