import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';

/**
 * What Temporal calls where nothing has the name that was asked for, which would otherwise be tried for ever.
 *
 * @throws ApplicationFailure `InvalidRequest` that names those there are.
 */
export function unknownType(known: readonly string[]): () => Promise<never> {
  return async () => {
    const { workflowType, unsafe } = workflowInfo();
    const said = `There is no workflow type "${workflowType}"; there are ${known.join(', ')}.`;
    // What has run before, and is gone through again, belongs to another version of Daybook, and waits for a worker of that.
    if (unsafe.isReplaying) throw new Error(said);
    throw ApplicationFailure.nonRetryable(said, 'InvalidRequest');
  };
}
