import { shellWord } from '../model/shell-word.ts';
import { recordAct } from '../storage/audit.ts';
import { allowApplication, denyApplication, listConnections } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { workflowsWaitingOn } from '../storage/waiting-workflows.ts';
import { requireGoodNames } from './names.ts';
import type { AdminPlace } from './place.ts';
import { requireConnection } from './registry.ts';

/** The applications added to and taken off a connection's list; both empty when it was as wanted already. */
export interface AccessChange {
  allowed: string[];
  denied: string[];
  /** Workflow ids of what waits in the name of an application taken off: told to look again, it ends. */
  waiting: string[];
  /** Sentences on those taken off that still read all that is stored of the organisation, through another connection to it. */
  stillReading: string[];
}

/**
 * Changes which applications may use a connection, at once: a running import of one taken off stops at its next page.
 * `wanted` makes the new list of the present one.
 * @throws ActRefused when there is no such connection, or a name is not one.
 */
export async function changeAccess(
  { pool, actor }: Pick<AdminPlace, 'pool' | 'actor'>,
  name: string,
  wanted: (present: string[]) => string[],
): Promise<AccessChange> {
  return inTransaction(pool, async (db) => {
    const { connectionId, tenantId, applications: before } = await requireConnection(db, name);
    const after = [...new Set(wanted(before))].sort();
    const allowed = after.filter((each) => !before.includes(each));
    const denied = before.filter((each) => !after.includes(each));
    requireGoodNames({ applications: allowed });
    for (const application of allowed) await allowApplication(db, connectionId, application);
    for (const application of denied) await denyApplication(db, connectionId, application);
    const changed = { before: { applications: before }, after: { applications: after } };
    if (allowed.length > 0) await recordAct(db, { actor, act: 'allow', subject: name, ...changed });
    if (denied.length > 0) await recordAct(db, { actor, act: 'deny', subject: name, ...changed });
    const others = (await listConnections(db)).filter((other) => other.tenantId === tenantId);
    const stillReading = denied.flatMap((application) =>
      others
        .filter((other) => other.applications.includes(application))
        .map((other) => remains(application, other.name)),
    );
    return { allowed, denied, waiting: await workflowsWaitingOn(db, connectionId, denied), stillReading };
  });
}

function remains(application: string, connection: string): string {
  const command = `daybook connections deny ${connection} --application ${shellWord(application)}`;
  return `"${application}" still reads all that is stored of the organisation, through the connection "${connection}". Unless that is what you want: \`${command}\`.`;
}
