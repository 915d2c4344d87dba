import { type Connection, findConnection } from '../storage/connections.ts';
import type { Queryable } from '../storage/pool.ts';
import { unknownConnection } from './refused.ts';

/** The connection of this name. @throws ActRefused when there is none. */
export async function requireConnection(db: Queryable, name: string): Promise<Connection> {
  const connection = await findConnection(db, name);
  if (connection === null) throw unknownConnection(name);
  return connection;
}
