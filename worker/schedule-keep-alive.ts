import { type Client, ScheduleAlreadyRunning, type ScheduleHandle } from '@temporalio/client';

/** The Schedule's id: one for each task queue. */
export function keepAliveId(taskQueue: string): string {
  return `keep-authorisations-alive-${taskQueue}`;
}

export const keepAliveType = 'keepAuthorisationsAlive';

/**
 * Makes the Schedule that keeps idle authorisations alive, unless a worker of this queue has made it. Daily although Xero
 * gives 60 days: what fails has many more chances. Returns the schedule's id.
 */
export async function scheduleKeepAlive(client: Client, taskQueue: string, databaseMark: string): Promise<string> {
  const scheduleId = keepAliveId(taskQueue);
  // Whose authorisations it refreshes: other installations may be on the same Temporal.
  const memo = { database: databaseMark };
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1 day' }], jitter: '1 hour' },
      // A server that was off at the time makes up for it once it is on again.
      policies: { overlap: 'SKIP', catchupWindow: '7 days' },
      action: { type: 'startWorkflow', workflowType: keepAliveType, taskQueue, args: [], memo },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await mark(client.schedule.getHandle(scheduleId), memo);
  }
  return scheduleId;
}

/** One that an earlier version made says not yet whose it is. */
async function mark(schedule: ScheduleHandle, memo: { database: string }): Promise<void> {
  const { action } = await schedule.describe();
  if (action.memo?.database === memo.database) return;
  await schedule.update((found) => ({ ...found, action: { ...found.action, memo } }));
}
