import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { createSchedules } from '../../client/schedules.ts';
import { scheduleKeepAlive } from '../../worker/schedule-keep-alive.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('The Temporal UI says of each workflow in a sentence what it does, whoever has started it', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ worker: false });
  });
  afterAll(() => stand.close());

  /** What the UI says of a workflow, which is ended then. */
  async function summaryOf(workflowId: string): Promise<string | undefined> {
    const handle = stand.temporal.client.workflow.getHandle(workflowId);
    const summary = await (await handle.describe()).staticSummary();
    await handle.terminate();
    return summary;
  }

  /** The same of what a Schedule starts, which is deleted then. */
  async function summaryBy(scheduleId: string): Promise<string | undefined> {
    const schedule = stand.temporal.client.schedule.getHandle(scheduleId);
    try {
      await schedule.trigger();
      const started = await vi.waitFor(
        async () => {
          const newest = (await schedule.describe()).info.recentActions.at(-1);
          if (newest === undefined) throw new Error(`${scheduleId} has started nothing.`);
          return newest.action.workflow.workflowId;
        },
        { timeout: 20_000, interval: 100 },
      );
      return await summaryOf(started);
    } finally {
      await schedule.delete();
    }
  }

  test.each(['journals', 'invoices', 'reconcile'] as const)('%s, by hand and on a rhythm', async (kind) => {
    const { connection, imports, taskQueue, temporal } = stand;
    const request = { connection, application };
    const byHand = await (kind === 'reconcile'
      ? createReconciliations(temporal.client, taskQueue).start(request)
      : imports.start(kind, request));
    const summary = await summaryOf(byHand.workflowId);
    expect(summary).toMatch(new RegExp(`^[A-Z].* of ${connection} .*for ${application}$`));
    const scheduleId = await createSchedules(temporal.client, taskQueue).create(kind, request, { cron: '0 3 29 2 *' });
    expect(await summaryBy(scheduleId)).toBe(summary);
  });

  test('the keep-alive of the authorisations', async () => {
    const { taskQueue, temporal } = stand;
    const scheduleId = await scheduleKeepAlive(temporal.client, taskQueue, 'its mark');
    expect(await summaryBy(scheduleId)).toMatch(/^[A-Z].*authorisations/);
  });
});
