import { application as applicationName, connection as connectionName } from '../model/request.ts';
import type { FailureName } from '../model/run.ts';
import { shellWord } from '../model/shell-word.ts';
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
    const known = (await listConnections(db)).map((other) => `"${other.name}"`).join(', ') || 'none yet';
    const problem = `There is no connection "${name}" (known: ${known}). An admin sets one up with \`daybook connect\`.`;
    return { connection: null, failure: 'UnknownConnection', problems: [problem] };
  }
  if (application === undefined) return { connection: null, failure: 'InvalidRequest', problems: [] };
  if (!connection.applications.includes(application)) {
    const problem =
      `The application "${application}" may not use the connection "${name}". ` +
      `An admin allows it with \`daybook connections allow ${name} --application ${shellWord(application)}\`.`;
    return { connection: null, failure: 'ApplicationNotAllowed', problems: [problem] };
  }
  return { connection, failure: 'InvalidRequest', problems: [] };
}
