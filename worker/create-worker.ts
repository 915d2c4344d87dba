import { type NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';

export interface WorkerSettings {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  /** Path of the prebuilt bundle. */
  workflows: string;
  identity?: string;
}

/** A worker for the imports' task queue. */
export function createWorker({ connection, namespace, taskQueue, activities, workflows, identity }: WorkerSettings) {
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: { codePath: workflows },
    ...(identity ? { identity } : {}),
    // A page that waits a few seconds for the minute's limit holds a place; a hundred organisations may do so at once.
    maxConcurrentActivityTaskExecutions: 100,
    maxCachedWorkflows: 200,
    // On SIGTERM the pages in flight are finished first; longer than a page takes at Xero's slowest.
    shutdownGraceTime: '30 seconds',
    shutdownForceTime: '45 seconds',
  });
}
