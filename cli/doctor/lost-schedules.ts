import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { described } from '../../client/found-run.ts';
import { type ScheduledImport, scheduledPrefix } from '../../client/schedules.ts';
import { newestNamed } from '../../storage/diagnosis.ts';

/**
 * Connections whose imports came by Schedules that are gone because Temporal's history was lost: it must still know the workflow that
 * one of them started within its retention. One that somebody has deleted leaves that behind, and is nobody's loss.
 */
export async function lostSchedules(
  client: Client,
  pool: pg.Pool,
  there: readonly ScheduledImport[],
): Promise<string[]> {
  const { config } = await client.workflowService.describeNamespace({ namespace: client.options.namespace });
  const retentionMs = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  const runs = await newestNamed(pool, scheduledPrefix, new Date(Date.now() - retentionMs));
  const without = runs.filter(({ connectionName }) => !there.some(({ connection }) => connection === connectionName));
  const known = await Promise.all(without.map(({ workflowId }) => described(client, workflowId)));
  return without
    .filter((_, index) => known[index] === null)
    .map(
      ({ workflowId, connectionName }) =>
        `A Schedule of "${connectionName}" started the import ${workflowId}, and Temporal knows neither that nor any Schedule of this connection: its data was lost. Create the Schedules again: \`daybook schedule create\`.`,
    );
}
