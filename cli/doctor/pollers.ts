import type { Client } from '@temporalio/client';

/** Who asked Temporal for work of a task queue within the last minutes. */
export interface Polled {
  kind: 'workflow' | 'activity';
  /** Process and machine. */
  identity: string;
  /** What it runs: the worker library and the hash of the workflows; null when it did not say. */
  build: string | null;
  /** Milliseconds since 1970. */
  at: number;
}

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const kinds = { workflow: 1, activity: 2 } as const;

export async function pollersOf(client: Client, taskQueue: string): Promise<Polled[]> {
  const { namespace } = client.options;
  const each = await Promise.all(
    (['workflow', 'activity'] as const).map(async (kind) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: kinds[kind],
      });
      return (pollers ?? []).map(({ identity, lastAccessTime, workerVersionCapabilities, deploymentOptions }) => ({
        kind,
        identity: identity ?? '',
        build: workerVersionCapabilities?.buildId || deploymentOptions?.buildId || null,
        at: Number(lastAccessTime?.seconds ?? 0) * 1_000 + Math.floor((lastAccessTime?.nanos ?? 0) / 1e6),
      }));
    }),
  );
  return each.flat();
}

/** A worker's poll takes a minute at the most. */
const livePollMs = 90_000;

/** Whether it still asks for work. */
export function isLive({ at }: Polled, now: number): boolean {
  return now - at < livePollMs;
}
