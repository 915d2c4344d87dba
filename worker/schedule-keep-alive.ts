import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';

/** The Schedule's id: one for each task queue. */
export function keepAliveId(taskQueue: string): string {
  return `keep-authorisations-alive-${taskQueue}`;
}

export const keepAliveType = 'keepAuthorisationsAlive';

/** Daily although Xero gives 60 days: what fails has many more chances. */
function keepAlive(taskQueue: string, databaseMark: string) {
  return {
    spec: { intervals: [{ every: '1 day' }], jitter: '1 hour' },
    // A server that was off at the time makes up for it once it is on again.
    policies: { overlap: 'SKIP', catchupWindow: '7 days' },
    action: {
      type: 'startWorkflow',
      workflowType: keepAliveType,
      taskQueue,
      args: [],
      staticSummary: 'Refreshes authorisations that nobody uses; ends consents of which no connection was made',
      // Whose authorisations it refreshes: other installations may be on the same Temporal.
      memo: { database: databaseMark },
    },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
}

/**
 * Makes the Schedule that keeps idle authorisations alive, or brings the one that an earlier version has made up to this; one that
 * somebody has paused stays so. Returns the schedule's id.
 */
export async function scheduleKeepAlive(client: Client, taskQueue: string, databaseMark: string): Promise<string> {
  const scheduleId = keepAliveId(taskQueue);
  const wanted = keepAlive(taskQueue, databaseMark);
  try {
    await client.schedule.create({ scheduleId, ...wanted });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }));
  }
  return scheduleId;
}
