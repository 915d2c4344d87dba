import { recordAct } from '../storage/audit.ts';
import { findConnection, reserveQuota } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { type AdminPlace, unknownConnection } from './place.ts';

/**
 * Sets how many of an organisation's daily calls imports through a connection leave to others.
 * @throws ActRefused when there is no such connection.
 */
export async function setQuotaReserve(
  { pool, actor }: Pick<AdminPlace, 'pool' | 'actor'>,
  name: string,
  calls: number,
): Promise<void> {
  await inTransaction(pool, async (db) => {
    const connection = await findConnection(db, name);
    if (!connection) throw unknownConnection(name);
    await reserveQuota(db, connection.connectionId, calls);
    const changed = { before: { quotaReserve: connection.quotaReserve }, after: { quotaReserve: calls } };
    await recordAct(db, { actor, act: 'setQuotaReserve', subject: name, ...changed });
  });
}
