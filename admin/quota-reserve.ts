import { recordAct } from '../storage/audit.ts';
import { reserveQuota } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { workflowsWaitingOn } from '../storage/waiting-workflows.ts';
import type { AdminPlace } from './place.ts';
import { requireConnection } from './registry.ts';

/**
 * Sets how many of an organisation's daily calls imports through a connection leave to others. Returns the workflow ids of
 * what waits on it, to be told to look again.
 * @throws ActRefused when there is no such connection.
 */
export async function setQuotaReserve(
  { pool, actor }: Pick<AdminPlace, 'pool' | 'actor'>,
  name: string,
  calls: number,
): Promise<string[]> {
  return inTransaction(pool, async (db) => {
    const { connectionId, quotaReserve } = await requireConnection(db, name);
    await reserveQuota(db, connectionId, calls);
    const changed = { before: { quotaReserve }, after: { quotaReserve: calls } };
    await recordAct(db, { actor, act: 'setQuotaReserve', subject: name, ...changed });
    return workflowsWaitingOn(db, connectionId);
  });
}
