import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { refreshIdleAuthorisations } = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  // When it is tried again if its failure names no delay of its own: Postgres is away, its worker died. Nearly all else says itself when.
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Started by a Schedule each day: no authorisation dies of being left alone. Answers how many were refreshed. */
export async function keepAuthorisationsAlive(): Promise<{ refreshed: number; failed: number }> {
  return refreshIdleAuthorisations();
}
