import { hostname } from 'node:os';
import { type NativeConnection, type ResourceBasedSlotsForType, Worker } from '@temporalio/worker';
import { sayingWhatIsAmiss } from '../activities/in-words.ts';
import type { Activities } from '../activities/index.ts';
import { crowd } from '../activities/slices.ts';

export interface WorkerSettings {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  /** Path of the prebuilt bundle. */
  workflows: string;
  /** How many connections to Postgres the pool of the activities has. */
  poolSize: number;
  /** How many organisations read pages at a time; without it as many as the machine can serve. */
  readingAtATime?: number;
  /** Who it is in Temporal, see `workerIdentity`; without it process and machine. */
  identity?: string;
}

/**
 * How many organisations read pages at a time. One that waits for Xero's answer, or for the minute's limit, holds a place and
 * costs nothing, so a hundred may; but where the processor is what binds, more of them would only hold more pages in memory
 * and make each slower, so no new ones are taken then beyond a few.
 */
const slices: ResourceBasedSlotsForType = {
  type: 'resource-based',
  minimumSlots: crowd,
  maximumSlots: 100,
  rampThrottle: '50ms',
  tunerOptions: { targetCpuUsage: 0.8, targetMemoryUsage: 0.9 },
};

/** Process, machine and the database it writes to: workers of two databases on one task queue would take each other's imports. */
export function workerIdentity(databaseMark: string): string {
  return `${process.pid}@${hostname()}/${databaseMark}`;
}

/** A worker for the imports' task queue. */
export function createWorker(settings: WorkerSettings) {
  const { connection, namespace, taskQueue, activities, workflows, poolSize, readingAtATime, identity } = settings;
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: { codePath: workflows },
    interceptors: {
      activity: [() => ({ inbound: { execute: (input, next) => sayingWhatIsAmiss(() => next(input)) } })],
    },
    ...(identity ? { identity } : {}),
    tuner: {
      activityTaskSlotSupplier: readingAtATime ? { type: 'fixed-size', numSlots: readingAtATime } : slices,
      // Each holds a connection: of more of them some would wait for one while their seconds pass.
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: poolSize },
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 40 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    // By itself the SDK lets four fifths of an activity's timeout pass between two beats: one that is late would then be taken for dead.
    maxHeartbeatThrottleInterval: '3 seconds',
    // As many as a worker reads organisations: imports take turns, and one that is not in the cache is replayed from its first event at each turn.
    maxCachedWorkflows: 1_000,
    // On SIGTERM the pages in flight are finished first; longer than a page takes at Xero's slowest.
    shutdownGraceTime: '30 seconds',
    shutdownForceTime: '45 seconds',
  });
}
