import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';

/**
 * What the run before handed over when the history was renewed. Whoever starts a workflow has one input: a second one would be
 * taken for that, or passed over in silence.
 *
 * @throws ApplicationFailure `InvalidRequest`
 */
export function handedOver<Carried>(carried: Carried | undefined): Carried | undefined {
  const isStart = workflowInfo().continuedFromExecutionRunId === undefined;
  if (carried === undefined || !isStart) return carried;
  throw ApplicationFailure.nonRetryable(
    'One input only: all fields of a request belong into one JSON object.',
    'InvalidRequest',
  );
}
