import type { RunStatus, WaitReason } from '../model/run.ts';
import { markRun as mark } from '../storage/runs.ts';
import { hasMissedConsent } from '../storage/waiting-workflows.ts';
import type { Dependencies } from './index.ts';

export interface MarkInput {
  runId: string;
  status: Extract<RunStatus, 'running' | 'stopping' | 'waiting' | 'paused' | 'needsReconnect'>;
  /** ISO instant at which the run goes on by itself; null when it does not wait for a time. */
  waitingUntil: string | null;
  /** Which limit it waits for; absent when it is none, and in what older workflows ask. */
  waitingFor?: WaitReason;
}

export interface Marked {
  /** It need not wait: what it waits for has come before it was written down that it does. */
  isOver: boolean;
}

/** Writes down what a suspended run is waiting for, where `daybook status` and SQL can see it without a worker. */
export function createMarkRun({ pool }: Pick<Dependencies, 'pool'>) {
  return async function markRun({ runId, status, waitingUntil, waitingFor }: MarkInput): Promise<Marked> {
    await mark(pool, runId, status, waitingUntil === null ? null : new Date(waitingUntil), waitingFor ?? null);
    // Asked once the row says that it waits: a consent that comes later finds it.
    return { isOver: status === 'needsReconnect' && (await hasMissedConsent(pool, runId)) };
  };
}
