import { WorkflowFailedError, type WorkflowHandle, type WorkflowResultType } from '@temporalio/client';
import { ApplicationFailure, type Workflow } from '@temporalio/common';
import type { FailureName } from '../model/run.ts';

export type EndingOf<Result> =
  | { ok: true; result: Result }
  | { ok: false; failure: FailureName | string; message: string };

/** Waits for a workflow's end; one that failed is a value too. */
export async function endingOf<T extends Workflow>(
  handle: WorkflowHandle<T>,
): Promise<EndingOf<WorkflowResultType<T>>> {
  try {
    return { ok: true, result: await handle.result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof ApplicationFailure)
      return { ok: false, failure: cause.type ?? 'Failed', message: cause.message };
    return { ok: false, failure: cause?.name ?? 'Failed', message: cause?.message ?? error.message };
  }
}
