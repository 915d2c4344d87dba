import type { Queryable } from './pool.ts';

/**
 * How many other connections of this database stand on the same link at Xero: to the same organisation, by the same
 * authorisation. Null when there is no such connection.
 */
export async function countSharingLink(db: Queryable, connectionId: string): Promise<number | null> {
  const { rows } = await db.query<{ sharing: number }>(
    `select count(o.connection_id)::int as sharing
       from daybook.connection c
       left join daybook.connection o on o.authorisation_id = c.authorisation_id and o.tenant_id = c.tenant_id
                                     and o.connection_id <> c.connection_id
      where c.connection_id = $1 group by c.connection_id`,
    [connectionId],
  );
  return rows[0]?.sharing ?? null;
}

/** The schema of a connection cannot be dropped now: somebody who reads it keeps a transaction open. */
export class SchemaInUse extends Error {
  override name = 'SchemaInUse';
}

/** Whoever reads a view meanwhile waits behind the removal, so it does not wait for long itself. */
const lockTimeoutMs = 3_000;
const lockNotAvailable = '55P03';

/**
 * Removes a connection from the registry, and its schema with it. What it imported stays. In a transaction of its own, which is
 * lost with what it throws.
 * @throws SchemaInUse after some seconds, while others hold what is to be dropped.
 */
export async function removeConnection(db: Queryable, connectionId: string): Promise<void> {
  try {
    await db.query(`set local lock_timeout to ${lockTimeoutMs}`);
    await db.query(`delete from daybook.connection where connection_id = $1`, [connectionId]);
  } catch (error) {
    throw (error as { code?: unknown }).code === lockNotAvailable ? new SchemaInUse() : error;
  }
}

/** A session of Postgres, as its administrator knows it. */
export interface OpenSession {
  process: number;
  user: string;
  /** What the program calls itself; empty when it does not. */
  program: string;
}

/** Who keeps a transaction open in which the schema of a connection was read. */
export async function sessionsInSchema(db: Queryable, name: string): Promise<OpenSession[]> {
  const { rows } = await db.query<OpenSession>(
    `select distinct a.pid as process, a.usename::text as user, a.application_name as program
       from pg_locks l join pg_class c on c.oid = l.relation join pg_stat_activity a on a.pid = l.pid
      where l.granted and l.database = (select oid from pg_database where datname = current_database())
        and c.relnamespace = to_regnamespace(daybook.connection_schema($1)) and l.pid <> pg_backend_pid()
      order by 1`,
    [name],
  );
  return rows;
}
