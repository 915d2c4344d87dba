import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

const DAY_SECONDS = 24 * 60 * 60;
/** gRPC's NOT_FOUND; written out so that @grpc/grpc-js need not be a dependency of ours. */
const NOT_FOUND = 5;

/**
 * Waits until the server answers for the namespace *and* its history part does (asked for a run that is not there), since
 * the frontend is up a moment earlier. Then sets how long finished runs are kept: the dev server's own value is one day,
 * and an import may take several.
 */
export async function untilServing(options: {
  address: string;
  namespace: string;
  retentionDays: number;
  signal: AbortSignal;
}): Promise<void> {
  for (;;) {
    options.signal.throwIfAborted();
    try {
      const connection = await Connection.connect({ address: options.address, connectTimeout: 2000 });
      try {
        return await connection.withDeadline(Date.now() + 10_000, () => askAll(connection, options));
      } finally {
        await connection.close();
      }
    } catch {
      await sleep(50, undefined, { signal: options.signal });
    }
  }
}

async function askAll(
  connection: Connection,
  { namespace, retentionDays }: { namespace: string; retentionDays: number },
): Promise<void> {
  const { workflowService } = connection;
  const described = await workflowService.describeNamespace({ namespace });
  try {
    await workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: 'daybook-is-it-up' } });
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== NOT_FOUND) throw error;
  }
  const kept = Number(described.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  if (kept !== retentionDays * DAY_SECONDS) {
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(retentionDays * DAY_SECONDS * 1000) },
    });
  }
}
