import type { WorkflowExecutionDescription } from '@temporalio/client';

/** What a workflow that runs is held up by: its activity fails, and Temporal tries it again and again. */
export interface Trouble {
  /** So many times it has failed in a row. */
  failures: number;
  message: string;
}

/** Null while nothing fails. It is what the Temporal UI shows under pending activities. */
export function troubleOf({ raw }: Pick<WorkflowExecutionDescription, 'raw'>): Trouble | null {
  for (const { attempt, lastFailure } of raw.pendingActivities ?? []) {
    if (lastFailure?.message) return { failures: Math.max(1, (attempt ?? 1) - 1), message: lastFailure.message };
  }
  return null;
}
