import { mayNotUse, noSuchConnection } from '../model/refused-use.ts';
import { application as applicationName, connection as connectionName } from '../model/request.ts';
import type { FailureName } from '../model/run.ts';
import { type Connection, findConnection, listConnections } from '../storage/connections.ts';
import type { Queryable } from '../storage/pool.ts';

export interface Permission {
  /** Null when it may not be used; the problems say why, unless the request's own problems do. */
  connection: Connection | null;
  failure: FailureName;
  problems: string[];
}

/**
 * Whether the application that a request names may use its connection. Looked up even when the request is wrong in other
 * ways, so that one answer names all that is wrong.
 */
export async function mayUse(db: Queryable, input: unknown): Promise<Permission> {
  const asked = (input ?? {}) as { connection?: unknown; application?: unknown };
  const { data: name } = connectionName.safeParse(asked.connection);
  const { data: application } = applicationName.safeParse(asked.application);
  if (name === undefined) return { connection: null, failure: 'InvalidRequest', problems: [] };
  const connection = await findConnection(db, name);
  if (!connection) {
    // Of other applications' connections nobody is told.
    const own = (await listConnections(db)).filter((other) => other.applications.includes(application ?? ''));
    const known = own.map((other) => other.name);
    return { connection: null, failure: 'UnknownConnection', problems: [noSuchConnection(name, known)] };
  }
  if (application === undefined) return { connection: null, failure: 'InvalidRequest', problems: [] };
  if (!connection.applications.includes(application)) {
    return { connection: null, failure: 'ApplicationNotAllowed', problems: [mayNotUse(application, name)] };
  }
  return { connection, failure: 'InvalidRequest', problems: [] };
}
