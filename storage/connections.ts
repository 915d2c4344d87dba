import type { Entitlement } from '../model/entitlement.ts';
import { isUncovered } from './coverage.ts';
import type { Queryable } from './pool.ts';

/** A named link to one tenant, and the applications that may use it. */
export interface Connection {
  connectionId: string;
  name: string;
  authorisationId: string;
  tenantId: string;
  /** The organisation's name in Xero. */
  tenantName: string;
  applications: string[];
  /** How many of the organisation's daily calls imports through it leave to others. */
  quotaReserve: number;
  /** `needsReconnect` once its authorisation is lost, while its last consent does not cover it, or an import waits for a new one. */
  status: 'connected' | 'needsReconnect';
  /** Its Xero user has consented since, but not to this organisation. */
  uncovered: boolean;
  /** What it could be used for when it was last connected; empty when that was never tried. */
  entitlements: Entitlement[];
  /** When that was; the oldest, where not all could be tried again. */
  entitlementsProbedAt: Date | null;
}

const select = `
  select c.connection_id as "connectionId", c.name, c.authorisation_id as "authorisationId", c.tenant_id as "tenantId",
         c.tenant_name as "tenantName", c.quota_reserve as "quotaReserve",
         ${isUncovered} as uncovered,
         case when exists (select from daybook.authorisation u
                            where u.authorisation_id = c.authorisation_id and u.status = 'active')
                   and not ${isUncovered}
                   -- An import has found the organisation disconnected in Xero, and waits for a new consent.
                   and not exists (select from daybook.import_run r
                                    where r.tenant_id = c.tenant_id and r.connection_id = c.connection_id
                                      and r.ended_at is null and r.status = 'needsReconnect')
              then 'connected' else 'needsReconnect' end as status,
         coalesce((select array_agg(a.application order by a.application) from daybook.connection_application a
                    where a.connection_id = c.connection_id), '{}') as applications,
         coalesce((select json_agg(json_build_object('what', e.what, 'works', e.works, 'message', e.message) order by e.what)
                     from daybook.entitlement e where e.connection_id = c.connection_id), '[]') as entitlements,
         (select min(e.probed_at) from daybook.entitlement e
           where e.connection_id = c.connection_id) as "entitlementsProbedAt"
    from daybook.connection c`;

export async function findConnection(db: Queryable, name: string): Promise<Connection | null> {
  const { rows } = await db.query<Connection>(`${select} where c.name = $1`, [name]);
  return rows[0] ?? null;
}

export async function listConnections(db: Queryable): Promise<Connection[]> {
  const { rows } = await db.query<Connection>(`${select} order by c.name`);
  return rows;
}

export interface NewConnection {
  name: string;
  authorisationId: string;
  tenantId: string;
  tenantName: string;
  xeroConnectionId: string | null;
  applications: string[];
}

/** The name of a connection cannot be had; the message is a sentence with the remedy. */
export class NameRefused extends Error {
  override name = 'NameRefused';
}

/**
 * Stores a connection under its name, or renews the one that has it: a second consent for the same organisation brings a
 * new authorisation and keeps the applications. A name that belongs to another organisation is refused with `null`.
 * The connection's schema comes with it, by a trigger.
 * @throws NameRefused when another connection, or somebody else, has the schema of this name.
 */
export async function storeConnection(db: Queryable, connection: NewConnection): Promise<string | null> {
  const { rows } = await db
    .query<{ connection_id: string }>(
      `with stored as (
       insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name, xero_connection_id)
       values ($1, $2, $3, $4, $5)
       on conflict (name) do update
          set authorisation_id = excluded.authorisation_id, tenant_name = excluded.tenant_name,
              xero_connection_id = excluded.xero_connection_id, uncovered_since = null, updated_at = now()
        where connection.tenant_id = excluded.tenant_id
       returning connection_id
     ), granted as (
       insert into daybook.connection_application (connection_id, application)
       select connection_id, application from stored, unnest($6::text[]) as application
       on conflict do nothing
     )
     select connection_id from stored`,
      [
        connection.name,
        connection.authorisationId,
        connection.tenantId,
        connection.tenantName,
        connection.xeroConnectionId,
        connection.applications,
      ],
    )
    .catch((error: Error & { code?: string; constraint?: string }) => {
      throw refusedName(connection.name, error) ?? error;
    });
  return rows[0]?.connection_id ?? null;
}

/** The schema of a connection's views, as `daybook.connection_schema` names it. */
export function schemaOf(name: string): string {
  return `xero_${name.replaceAll('-', '_')}`;
}

function refusedName(name: string, { code, constraint, message }: Error & { code?: string; constraint?: string }) {
  if (code === '42P06') return new NameRefused(message);
  if (constraint !== 'one_schema_for_each_connection') return null;
  return new NameRefused(
    `The name "${name}" differs only by - and _ from that of another connection, and both would have the schema "${schemaOf(name)}". Choose another name.`,
  );
}

export async function allowApplication(db: Queryable, connectionId: string, application: string): Promise<void> {
  await db.query(
    `insert into daybook.connection_application (connection_id, application) values ($1, $2) on conflict do nothing`,
    [connectionId, application],
  );
}

/** Takes an application off a connection's list, effective at the next page of any run. */
export async function denyApplication(db: Queryable, connectionId: string, application: string): Promise<void> {
  await db.query(`delete from daybook.connection_application where connection_id = $1 and application = $2`, [
    connectionId,
    application,
  ]);
}

/** Sets how many of the day's calls imports leave to others; a running one knows within seconds. */
export async function reserveQuota(db: Queryable, connectionId: string, calls: number): Promise<void> {
  await db.query(`update daybook.connection set quota_reserve = $2, updated_at = now() where connection_id = $1`, [
    connectionId,
    calls,
  ]);
}
