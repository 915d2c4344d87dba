import { recordAct } from '../storage/audit.ts';
import { listConnections } from '../storage/connections.ts';
import {
  countStored,
  type Rebuildable,
  type Rebuilt,
  rebuild,
  rebuildable,
  storedTenants,
} from '../storage/rebuild.ts';
import type { AdminPlace } from './place.ts';
import { requireConnection } from './registry.ts';

/** How far a rebuild is with one kind of what an organisation has. */
export interface RebuildProgress {
  /** The connection's name, or the tenant where none is left. */
  of: string;
  what: Rebuildable;
  done: number;
  total: number;
}

/**
 * Makes what is stored anew from the payloads, without a call to Xero: of one connection's organisation or of all that are
 * stored, of one kind or of all. Its beginning and its end are written down, as it may be broken off between.
 * @throws ActRefused when there is no such connection.
 */
export async function rebuildBooks(
  { pool, actor }: Pick<AdminPlace, 'pool' | 'actor'>,
  { connection, only }: { connection: string | undefined; only: Rebuildable | undefined },
  onProgress: (progress: RebuildProgress) => void,
): Promise<Rebuilt> {
  const all: Rebuilt = { done: 0, problems: [] };
  const kinds = only === undefined ? rebuildable : [only];
  for (const { of, tenantId } of await organisations({ pool }, connection)) {
    await recordAct(pool, { actor, act: 'rebuild', subject: of, after: { kinds } });
    const counts: Partial<Record<Rebuildable, number>> = {};
    const before = all.problems.length;
    for (const what of kinds) {
      const total = await countStored(pool, tenantId, what);
      const { done, problems } = await rebuild(pool, tenantId, what, (rebuilt) =>
        onProgress({ of, what, done: rebuilt.done, total }),
      );
      counts[what] = done;
      all.done += done;
      all.problems.push(...problems);
    }
    await recordAct(pool, {
      actor,
      act: 'rebuilt',
      subject: of,
      after: { ...counts, problems: all.problems.length - before },
    });
  }
  return all;
}

async function organisations({ pool }: Pick<AdminPlace, 'pool'>, name: string | undefined) {
  if (name !== undefined) {
    const { tenantId } = await requireConnection(pool, name);
    return [{ of: name, tenantId }];
  }
  const connections = await listConnections(pool);
  return (await storedTenants(pool)).map((tenantId) => ({
    of: connections.find((each) => each.tenantId === tenantId)?.name ?? tenantId,
    tenantId,
  }));
}
