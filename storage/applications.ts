import { createHash } from 'node:crypto';
import type pg from 'pg';
import {
  closeLogin,
  dropRole,
  endSessions,
  ensureRole,
  isOwnLogin,
  RoleHeld,
  requireCreateRole,
  revokeStranger,
} from './application-roles.ts';
import { recordAct } from './audit.ts';
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
 * database restored on another server, is made again; where it is another database's, as in a copy, the application gets one
 * of its own, and the other stays as it is. Null when there is no such application.
 */
export async function rotateApplication(
  pool: pg.Pool,
  { name, actor, verifier }: ApplicationAct & { verifier: string },
): Promise<string | null> {
  await requireCreateRole(pool);
  const role = await inTransaction(pool, async (client) => {
    await onlyOne(client);
    const { rows } = await client.query<{ before: string; role: string }>(
      `update daybook.application a
          set password_set_at = now(),
              role_name = case when daybook.is_own_login(a.role_name) then a.role_name
                               else daybook.readers_role() || '_' || $2 end
         from daybook.application old where old.name = a.name and a.name = $1
       returning old.role_name::text as before, a.role_name::text as role`,
      [name, slugOf(name)],
    );
    if (rows[0] === undefined) return null;
    const { before, role } = rows[0];
    await ensureRole(client, role, verifier);
    if (before !== role) await revokeStranger(client, before);
    const moved = before === role ? {} : { before: { role: before }, after: { role } };
    await recordAct(client, { actor, act: 'rotateApplication', subject: name, ...moved });
    return role;
  });
  // Only now: before the commit it could have come back with the old password.
  if (role !== null) await inTransaction(pool, (client) => endSessions(client, role));
  return role;
}

/** An application has no access any more, but its role is there still; the message is a sentence with the remedy. */
export class NotRemovedYet extends Error {
  override name = 'NotRemovedYet';
}

/**
 * Takes an application off every connection's list, closes its login, ends its sessions and drops its role. Its running
 * imports stop at their next page; what they stored stays. Returns what it was; null when there is no such application.
 * Given again, it finishes what it could not.
 * @throws NotRemovedYet when Postgres does not let the role go: the rest is done then.
 */
export async function removeApplication(pool: pg.Pool, { name, actor }: ApplicationAct): Promise<Application | null> {
  await requireCreateRole(pool);
  // In a commit of its own: whatever keeps the role from being dropped, and that may be the application's own doing, its
  // access ends.
  const closed = await inTransaction(pool, async (client) => {
    await onlyOne(client);
    const before = (await listApplications(client)).find((each) => each.name === name);
    if (before === undefined) return null;
    const own = before.role !== null && (await isOwnLogin(client, before.role)) ? before.role : null;
    await client.query('delete from daybook.connection_application where application = $1', [name]);
    if (own !== null) await closeLogin(client, own);
    const { role, connections } = before;
    await recordAct(client, { actor, act: 'removeApplication', subject: name, before: { role, connections } });
    return { before, own };
  });
  if (closed === null) return null;
  const { before, own } = closed;
  try {
    if (own !== null) await inTransaction(pool, (client) => endSessions(client, own));
    await inTransaction(pool, async (client) => {
      await onlyOne(client);
      if (own !== null) await dropRole(client, own);
      await client.query('delete from daybook.application where name = $1', [name]);
      if (own === null && before.role !== null) await revokeStranger(client, before.role);
    });
  } catch (error) {
    if (!(error instanceof RoleHeld)) throw error;
    throw new NotRemovedYet(
      `"${name}" may read and import nothing any more: it is off every list, and its login is closed. But its role "${own}" cannot be ` +
        `dropped yet, as ${error.message}, then remove it once more.`,
    );
  }
  return before;
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
