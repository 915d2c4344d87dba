import { createHash } from 'node:crypto';
import type pg from 'pg';
import { recordAct } from './audit.ts';
import { UnfitDatabase } from './migrate.ts';
import { inTransaction, type Queryable } from './pool.ts';

/** A consumer of what is imported: it may start imports, and read, through the connections that list it. */
export interface Application {
  name: string;
  /** Its login in Postgres; null for one that stands on lists only. */
  role: string | null;
  connections: string[];
  passwordSetAt: Date | null;
}

/** Who does it, to which application. */
export interface ApplicationAct {
  name: string;
  /** For the audit: the operating system's user on the command line, the session on the connect page. */
  actor: string;
}

export async function listApplications(db: Queryable): Promise<Application[]> {
  const { rows } = await db.query<Application>(
    `select known.name, a.role_name::text as role, a.password_set_at as "passwordSetAt",
            coalesce((select array_agg(c.name order by c.name) from daybook.connection_application l
                        join daybook.connection c using (connection_id) where l.application = known.name), '{}') as connections
       from (select name from daybook.application
             union select application from daybook.connection_application) as known(name)
       left join daybook.application a using (name)
      order by known.name`,
  );
  return rows;
}

/**
 * What is wrong with who may read what, a sentence each: a table without its policy, a view with its owner's rights, a
 * grant too many. None when all is as Daybook makes it.
 */
export async function accessFaults(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ fault: string }>(`select fault from daybook.access_faults() as fault order by 1`);
  return rows.map(({ fault }) => fault);
}

/**
 * Gives an application a login role and returns the role's name; null when it has one already. `verifier` is what Postgres
 * keeps of its password (SCRAM-SHA-256), so that the password itself enters no statement, and no log of statements.
 */
export async function addApplication(
  pool: pg.Pool,
  { name, actor, verifier }: ApplicationAct & { verifier: string },
): Promise<string | null> {
  await requireCreateRole(pool);
  return inTransaction(pool, async (client) => {
    await onlyOne(client);
    const { rows } = await client.query<{ role: string }>(
      `insert into daybook.application (name, role_name)
       select $1, daybook.readers_role() || '_' || $2 on conflict (name) do nothing returning role_name::text as role`,
      [name, slugOf(name)],
    );
    const role = rows[0]?.role;
    if (role === undefined) return null;
    await ensureRole(client, role, verifier);
    await recordAct(client, { actor, act: 'addApplication', subject: name, after: { role } });
    return role;
  });
}

/**
 * Gives an application's role a new password and ends the sessions that the old one opened. A role that is gone, as in a
 * database restored on another server, is made again. Null when there is no such application.
 */
export async function rotateApplication(
  pool: pg.Pool,
  { name, actor, verifier }: ApplicationAct & { verifier: string },
): Promise<string | null> {
  await requireCreateRole(pool);
  const role = await inTransaction(pool, async (client) => {
    await onlyOne(client);
    const { rows } = await client.query<{ role: string }>(
      `update daybook.application set password_set_at = now() where name = $1 returning role_name::text as role`,
      [name],
    );
    const found = rows[0]?.role;
    if (found === undefined) return null;
    await ensureRole(client, found, verifier);
    await recordAct(client, { actor, act: 'rotateApplication', subject: name });
    return found;
  });
  // Only now: before the commit it could have come back with the old password.
  if (role !== null) await inTransaction(pool, (client) => withRightsOf(client, role, () => endSessions(client, role)));
  return role;
}

/**
 * Takes an application off every connection's list, ends its sessions and drops its role. Its running imports stop at
 * their next page; what they stored stays. Returns what it was; null when there is no such application.
 */
export async function removeApplication(pool: pg.Pool, { name, actor }: ApplicationAct): Promise<Application | null> {
  await requireCreateRole(pool);
  return inTransaction(pool, async (client) => {
    await onlyOne(client);
    const before = (await listApplications(client)).find((each) => each.name === name);
    if (before === undefined) return null;
    await client.query('delete from daybook.connection_application where application = $1', [name]);
    await client.query('delete from daybook.application where name = $1', [name]);
    if (before.role !== null && (await exists(client, before.role))) await dropRole(client, before.role);
    const { role, connections } = before;
    await recordAct(client, { actor, act: 'removeApplication', subject: name, before: { role, connections } });
    return before;
  });
}

/** Small letters, digits and _ are a name's own; anything else is told apart by a digest. Roles have 63 characters. */
function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '_')
    .slice(0, 30);
  return slug === name ? slug : `${slug}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** Roles are made one at a time, so that the readers' role is made once. */
async function onlyOne(client: Queryable): Promise<void> {
  await client.query('lock table daybook.access_lock in access exclusive mode');
}

async function ensureRole(client: pg.PoolClient, role: string, verifier: string): Promise<void> {
  const quoted = client.escapeIdentifier(role);
  const { rows } = await client.query<{ readers: string }>('select daybook.readers_role()::text as readers');
  const readers = rows[0]?.readers ?? '';
  if (!(await exists(client, readers))) {
    await client.query(`create role ${client.escapeIdentifier(readers)} nologin`);
  }
  if (!(await exists(client, role))) await client.query(`create role ${quoted}`);
  await client.query(`alter role ${quoted} login password ${client.escapeLiteral(verifier)}`);
  await client.query(`grant ${client.escapeIdentifier(readers)} to ${quoted}`);
  await client.query('select daybook.secure_books()');
}

async function exists(client: Queryable, role: string): Promise<boolean> {
  return (await client.query('select from pg_roles where rolname = $1', [role])).rowCount === 1;
}

async function dropRole(client: pg.PoolClient, role: string): Promise<void> {
  const quoted = client.escapeIdentifier(role);
  await client.query(`alter role ${quoted} nologin`);
  await withRightsOf(client, role, async () => {
    await endSessions(client, role);
    await client.query(`drop owned by ${quoted}`);
  });
  await client.query(`drop role ${quoted}`);
}

/** Who makes a role may administer it, but ends its sessions and takes back its rights only as a member of it. */
async function withRightsOf(client: pg.PoolClient, role: string, work: () => Promise<void>): Promise<void> {
  const quoted = client.escapeIdentifier(role);
  await client.query(`grant ${quoted} to current_user`);
  await work();
  await client.query(`revoke ${quoted} from current_user`);
}

async function endSessions(client: Queryable, role: string): Promise<void> {
  await client.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1`, [role]);
}

async function requireCreateRole(db: Queryable): Promise<void> {
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
