import { ActivityFailure, CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';

/**
 * What a failure is to a workflow that Temporal was asked to cancel: its cancellation. An activity that fails meanwhile is not tried
 * again, and ends with its failure, which is no CancelledFailure.
 */
export function asCancellation(failure: unknown): unknown {
  const isItsEnd = failure instanceof ActivityFailure && CancellationScope.current().consideredCancelled;
  return isItsEnd && !isCancellation(failure) ? new CancelledFailure('Cancelled.') : failure;
}
