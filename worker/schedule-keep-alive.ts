import { type Client, ScheduleAlreadyRunning } from '@temporalio/client';

/** The Schedule's id: one for each task queue. */
export function keepAliveId(taskQueue: string): string {
  return `keep-authorisations-alive-${taskQueue}`;
}

/**
 * Makes the Schedule that keeps idle authorisations alive, unless a worker of this queue has made it. Daily although Xero
 * gives 60 days: what fails has many more chances. Returns the schedule's id.
 */
export async function scheduleKeepAlive(client: Client, taskQueue: string): Promise<string> {
  const scheduleId = keepAliveId(taskQueue);
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1 day' }], jitter: '1 hour' },
      // A server that was off at the time makes up for it once it is on again.
      policies: { overlap: 'SKIP', catchupWindow: '7 days' },
      action: { type: 'startWorkflow', workflowType: 'keepAuthorisationsAlive', taskQueue, args: [] },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  return scheduleId;
}
