import type pg from 'pg';
import { UnfitDatabase } from './migrate.ts';
import type { Queryable } from './pool.ts';

/** One application leaves connections to the others, and to the worker. */
const mostConnections = 20;

/** Makes an application's role where it is not there, lets it log in with this password, and read what its lists allow. */
export async function ensureRole(client: pg.PoolClient, role: string, verifier: string): Promise<void> {
  const quoted = client.escapeIdentifier(role);
  const { rows } = await client.query<{ readers: string }>('select daybook.readers_role()::text as readers');
  const readers = rows[0]?.readers ?? '';
  if (!(await exists(client, readers))) {
    await client.query(`create role ${client.escapeIdentifier(readers)} nologin`);
  }
  if (!(await exists(client, role))) await client.query(`create role ${quoted}`);
  // An admin's own limit stays.
  const { rowCount } = await client.query('select from pg_roles where rolname = $1 and rolconnlimit = -1', [role]);
  const limit = rowCount === 1 ? ` connection limit ${mostConnections}` : '';
  await client.query(`alter role ${quoted} login${limit} password ${client.escapeLiteral(verifier)}`);
  await client.query(`grant ${client.escapeIdentifier(readers)} to ${quoted}`);
  await client.query('select daybook.secure_books()');
}

/**
 * Whether a role is a login that this database made. One that came with a copy of another database on the same server is that
 * one's: its password, and whether it is there at all, is none of ours.
 */
export async function isOwnLogin(db: Queryable, role: string): Promise<boolean> {
  const { rows } = await db.query<{ own: boolean }>('select daybook.is_own_login($1) as own', [role]);
  return rows[0]?.own ?? false;
}

/** Takes back what a copy of another database granted to a role of that one; its readers' role, once no application needs it. */
export async function revokeStranger(db: Queryable, role: string): Promise<void> {
  await db.query('select daybook.revoke_here($1)', [role]);
  await db.query(
    `select daybook.revoke_here(substring($1 from '^daybook_[0-9]+')::name)
      where not exists (select from daybook.application where not daybook.is_own_login(role_name))`,
    [role],
  );
}

/** Closes a login: nobody opens a session with it from the commit on. */
export async function closeLogin(client: pg.PoolClient, role: string): Promise<void> {
  if (await exists(client, role)) await client.query(`alter role ${client.escapeIdentifier(role)} nologin`);
}

/** A role that has something where it cannot be taken away from here, so that Postgres does not drop it. */
export class RoleHeld extends Error {
  override name = 'RoleHeld';
}

const dependentObjectsStillExist = '2BP01';
const lockNotAvailable = '55P03';

/**
 * Drops a role with all that it has in this database. In a transaction of its own, which is lost with what it throws.
 * @throws RoleHeld with a sentence when it has something in another database, or an open transaction holds it.
 */
export async function dropRole(client: pg.PoolClient, role: string): Promise<void> {
  if (!(await exists(client, role))) return;
  const quoted = client.escapeIdentifier(role);
  const held = await databasesHolding(client, role);
  try {
    await client.query('set local lock_timeout to 3000');
    await withRightsOf(client, role, async () => {
      await client.query(`drop owned by ${quoted}`);
    });
    await client.query(`drop role ${quoted}`);
  } catch (error) {
    const { code, message, detail = message } = error as Error & { code?: unknown; detail?: string };
    if (code === lockNotAvailable) {
      throw new RoleHeld('an open transaction of Postgres holds what it was granted. Have that transaction ended');
    }
    if (code !== dependentObjectsStillExist) throw error;
    throw new RoleHeld(
      held.length > 0
        ? `it has something in ${held.map((name) => `the database "${name}"`).join(' and ')} of the same server. As a superuser, run \`drop owned by ${quoted}\` there`
        : `Postgres says "${detail}". End that as a superuser`,
    );
  }
}

/** The other databases of the server in which something belongs to a role, or is granted to it. */
async function databasesHolding(db: Queryable, role: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select distinct d.datname::text as name from pg_shdepend s join pg_database d on d.oid = s.dbid
      where s.refclassid = 'pg_authid'::regclass and s.refobjid = (select oid from pg_roles where rolname = $1)
        and d.datname <> current_database() order by 1`,
    [role],
  );
  return rows.map(({ name }) => name);
}

/** Ends the sessions of a role, wherever they are. */
export async function endSessions(client: pg.PoolClient, role: string): Promise<void> {
  if (!(await exists(client, role))) return;
  await withRightsOf(client, role, async () => {
    await client.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1`, [role]);
  });
}

/** Who makes a role may administer it, but ends its sessions and takes back its rights only as a member of it. */
async function withRightsOf(client: pg.PoolClient, role: string, work: () => Promise<void>): Promise<void> {
  const quoted = client.escapeIdentifier(role);
  await client.query(`grant ${quoted} to current_user`);
  await work();
  await client.query(`revoke ${quoted} from current_user`);
}

async function exists(client: Queryable, role: string): Promise<boolean> {
  return (await client.query('select from pg_roles where rolname = $1', [role])).rowCount === 1;
}

export async function requireCreateRole(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ role: string; may: boolean }>(
    'select rolname::text as role, rolsuper or rolcreaterole as may from pg_roles where rolname = current_user',
  );
  const { role, may } = rows[0] ?? { role: '', may: false };
  if (may) return;
  throw new UnfitDatabase(
    `Each application gets a role of its own in Postgres, and the role "${role}" may not make roles. ` +
      `Let it, as a superuser: alter role "${role}" createrole; then run this again.`,
  );
}
