import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { noteWaiting } from '../../storage/waiting-workflows.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterAll(() => stand.close());

test('a reconciliation that was ended from outside while it waited is told once more at most', async () => {
  const { connection, database, temporal, taskQueue } = stand;
  const { pool } = database;
  const reconciliations = createReconciliations(temporal.client, taskQueue);
  const waits = await reconciliations.start({ connection, application, date: '2024-06-30' });
  const ended = await reconciliations.start({ connection, application, date: '2024-03-31' });
  try {
    await temporal.client.workflow.getHandle(ended.workflowId).terminate();
    const { rows } = await pool.query<{ id: string }>('select connection_id as id from daybook.connection');
    for (const { workflowId } of [waits, ended]) await noteWaiting(pool, workflowId, rows[0]?.id ?? '');
    const said = await daybook(['connections', 'set', connection, '--quota-reserve', '5'], stand.environment);
    expect(said).toMatchObject({ code: 0, stderr: '1 waiting workflow looks again now.\n' });
    const { rows: left } = await pool.query('select workflow_id as "workflowId" from daybook.reconciliation_waiting');
    expect(left).toEqual([{ workflowId: waits.workflowId }]);
  } finally {
    await temporal.client.workflow.getHandle(waits.workflowId).terminate();
  }
});
